import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.masks import compress
from senet_mm.coco.metrics import coco_metrics
from senet_mm.coco.results import read_results
from senet_mm.comparison.evaluation import evaluate
from senet_mm.comparison.report import gallery
from senet_mm.comparison.report.gallery import galleries


@pytest.fixture(scope="module")
def effect(compared, results_files, tmp_path_factory) -> np.ndarray:
    """How much of the difference in AP goes without each image, by evaluating without it."""
    comparison, _ = compared
    tmp_path, effect = tmp_path_factory.mktemp("without"), []
    truth = json.loads(comparison.ann_file.read_text())
    whole = comparison.bootstrap.differences[0]["AP"].value
    for image in sorted(image["id"] for image in truth["images"]):
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
        effect.append(whole - without)
    return np.array(effect)


def test_images_for_both_sides_with_truth_and_both_detectors(
    compared, effect, shapes_root: Path
) -> None:
    _, evaluation = compared
    image_dir = shapes_root / "val2017"
    exhibits, missing = galleries(evaluation, image_dir, num_images=3)  # 4, rounded up
    assert list(exhibits) == ["poor"] and not missing
    shown = exhibits["poor"]
    assert len(shown) == min(2, (effect > 0).sum()) + min(2, (effect < 0).sum())
    assert shown[-1].effect < 0
    ranked = sorted(effect, reverse=True)
    expected = [e for e in ranked[:2] if e > 0] + [e for e in ranked[:-3:-1] if e < 0]
    assert [exhibit.effect for exhibit in shown] == pytest.approx(expected)
    # 128 pixels, enlarged to 384, in three panels
    assert all(exhibit.picture.shape == (384 + 28, 3 * 388, 3) for exhibit in shown)
    panels = np.split(shown[-1].picture[28:], 3, axis=1)
    assert (panels[0] != panels[2]).any()


def test_a_missing_image_is_left_out_and_named(compared, tmp_path: Path, capsys) -> None:
    _, evaluation = compared
    exhibits, missing = galleries(evaluation, tmp_path, num_images=2, progress=True)
    assert exhibits == {"poor": []}
    assert missing and all(f"lacks an image {tmp_path}" in remark for remark in missing)
    out, err = capsys.readouterr()
    assert "3/3" in err and not out  # runs, each once


def test_masks_are_drawn_where_masks_were_evaluated(shapes_root: Path, tmp_path: Path) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    annotations = read_annotations(ann_file, masks=True)
    objects = annotations.objects
    files = {}
    for name, step in (("all", 1), ("half", 2)):
        found = []
        for row in range(0, len(objects.ids), step):
            mask = compress(objects.masks[row], 128, 128)
            if isinstance(mask["counts"], bytes):  # it was a polygon
                mask |= {"counts": mask["counts"].decode()}
            image_id = annotations.image_ids[objects.image[row]]
            category_id = annotations.category_ids[objects.category[row]]
            found.append(
                dict(image_id=image_id, category_id=category_id, segmentation=mask, score=0.9)
            )
        files[name] = tmp_path / f"{name}.segm.json"
        files[name].write_text(json.dumps(found))
    detections = {name: [read_results(path, annotations)] for name, path in files.items()}
    evaluation = evaluate(annotations, detections, num_resamples=2)
    exhibits, _ = galleries(evaluation, shapes_root / "val2017", num_images=1)
    first = annotations.file_names.index(exhibits["half"][0].file_name)
    panels = gallery._panels(evaluation, ("all", "half"), first)
    shown = objects.is_crowd[annotations.objects_in(first, first + 1)] == 0
    assert len(panels["ground truth"]) == shown.sum()
    for drawing in (*panels["ground truth"], *panels["all"]):
        assert mask_utils.decode(drawing.mask).any()
    x, y, width, height = panels["all"][0].xywh
    assert mask_utils.toBbox(panels["all"][0].mask).tolist() == [x, y, width, height]
