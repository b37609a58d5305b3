from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco import left_out
from senet_mm.coco.accumulate import accumulate
from senet_mm.coco.left_out import effects_of_images
from tests.coco.coco_cases import matches_of, random_case


@pytest.mark.parametrize("seed", range(4))
def test_each_effect_is_what_goes_without_the_image(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_out, "_BLOCK", 5)
    matches = matches_of(tmp_path, *random_case(seed, ties=seed % 2 == 1))
    weights = np.ones((1 + matches.num_images, matches.num_images), dtype=np.int32)
    weights[1:] -= np.eye(matches.num_images, dtype=np.int32)
    precision = accumulate(matches, weights).metrics()[:, 0]
    effects = effects_of_images(matches)
    np.testing.assert_allclose(effects, precision[0] - precision[1:], rtol=0, atol=1e-14)
    assert (effects > 0).any() and (effects < 0).any()


def test_without_the_only_image_with_objects(tmp_path: Path) -> None:
    truth, results = random_case(0, num_images=3)
    truth["annotations"] = [a for a in truth["annotations"] if a["image_id"] == 2]
    effects = effects_of_images(matches_of(tmp_path, truth, results))
    assert np.isnan(effects).tolist() == [False, True, False]


def test_without_detections(tmp_path: Path) -> None:
    truth, _ = random_case(0)
    assert (effects_of_images(matches_of(tmp_path, truth, [])) == 0).all()
