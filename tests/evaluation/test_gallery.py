import json
from pathlib import Path

import numpy as np
import pytest

from senet_mm.evaluation.coco_metrics import coco_metrics
from senet_mm.evaluation.gallery import effects, gallery


def test_effects_are_those_of_data_sets_without_the_image(
    compared, results_files, tmp_path: Path
) -> None:
    comparison, evaluated = compared
    effect = effects(evaluated.matches[0], evaluated.matches[1])
    truth = json.loads(comparison.ann_file.read_text())
    whole = comparison.bootstrap.differences[0]["AP"].value
    for index, image in enumerate(sorted(image["id"] for image in truth["images"])):
        rest = {
            key: [e for e in truth[key] if e.get("image_id", e["id"]) != image]
            for key in ("images", "annotations")
        }
        (tmp_path / "ann.json").write_text(json.dumps(truth | rest))
        aps = []
        for path in results_files:
            found = [e for e in json.loads(path.read_text()) if e["image_id"] != image]
            (tmp_path / "found.json").write_text(json.dumps(found))
            aps.append(coco_metrics(tmp_path / "ann.json", tmp_path / "found.json")["AP"])
        without = (aps[1] + aps[2]) / 2 - aps[0]
        assert effect[index] == pytest.approx(whole - without)


def test_images_for_both_sides_with_truth_and_both_detectors(compared) -> None:
    comparison, evaluated = compared
    effect = effects(evaluated.matches[0], evaluated.matches[1])
    shown = gallery(evaluated, comparison.names, 1, num_images=4)
    assert len(shown) == min(2, (effect > 0).sum()) + min(2, (effect < 0).sum())
    assert shown[-1].effect < 0
    assert min(exhibit.effect for exhibit in shown) == effect.min()
    # 128 pixels, enlarged to 384, in three panels
    assert all(exhibit.picture.shape == (384 + 28, 3 * 388, 3) for exhibit in shown)
    panels = np.split(shown[-1].picture[28:], 3, axis=1)
    assert (panels[0] != panels[2]).any()


def test_a_missing_image_is_named(compared, tmp_path: Path) -> None:
    from dataclasses import replace

    comparison, evaluated = compared
    with pytest.raises(FileNotFoundError, match=f"image {tmp_path}"):
        gallery(replace(evaluated, image_dir=tmp_path), comparison.names, 1)
