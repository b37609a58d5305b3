import json
from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.lrp import PARTS, optimal_lrp
from tests.coco.coco_cases import once, outcomes_of, random_case
from tests.coco.plain_tide import classify

FIELDS = ("error", "localization", "false_positives", "false_negatives", "threshold")


def plain_lrp(truth: dict, results: list[dict], category: int) -> tuple[float, float]:
    """oLRP of a class and its threshold, one threshold after the other."""
    found, objects = classify(truth, results)
    total = sum(o["category_id"] == category for o in objects)
    best = (np.inf, np.nan)
    for threshold in np.arange(101) / 100:
        kept = [d for d in found if d["category_id"] == category and d["score"] >= threshold]
        distances = [2 * (1 - d["iou"]) for d in kept if d["state"] == "hit"]
        false = sum(d["state"] == "false" for d in kept)
        error = (sum(distances) + false + total - len(distances)) / (total + false)
        if error <= best[0] + 1e-12:
            best = (error, threshold)
    return best


@pytest.mark.parametrize("seed", range(3))
def test_one_threshold_after_the_other(seed: int, tmp_path: Path) -> None:
    truth, results = random_case(seed)
    outcomes = outcomes_of(tmp_path, truth, results)
    lrp = optimal_lrp(outcomes, once(outcomes))
    for index, category in enumerate(truth["categories"][:-1]):  # the last one has no object
        expected = plain_lrp(truth, results, category["id"])
        assert (lrp.error[0, index], lrp.threshold[0, index]) == pytest.approx(expected)


def test_hand_made(tmp_path: Path) -> None:
    truth, _ = random_case(0, num_images=1, num_classes=2)
    objects = [
        dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 10, 10], area=100, iscrowd=0),
        dict(id=2, image_id=1, category_id=1, bbox=[50, 50, 10, 10], area=100, iscrowd=0),
    ]
    results = [
        dict(image_id=1, category_id=1, bbox=[0, 0, 10, 8], score=0.8),  # IoU 0.8
        dict(image_id=1, category_id=1, bbox=[200, 200, 10, 10], score=0.5),
        dict(image_id=1, category_id=1, bbox=[50, 50, 10, 9], score=0.4),  # IoU 0.9
    ]
    outcomes = outcomes_of(tmp_path, truth | {"annotations": objects}, results)
    lrp = optimal_lrp(outcomes, once(outcomes))
    # from 0.8 on: (0.4 + 1 missed) / 2 = 0.7; from 0.4 on: (0.4 + 0.2 + 1 false) / 3
    assert lrp.error[0, 0] == pytest.approx(1.6 / 3)
    assert lrp.threshold[0, 0] == 0.4
    assert lrp.localization[0, 0] == pytest.approx(0.3)
    assert lrp.false_positives[0, 0] == pytest.approx(1 / 3)
    assert lrp.false_negatives[0, 0] == 0
    assert np.isnan([getattr(lrp, name)[0, 1] for name in FIELDS]).all()  # no object
    assert lrp.means()["oLRP"][0] == pytest.approx(1.6 / 3)


def test_nothing_found(tmp_path: Path) -> None:
    truth, _ = random_case(0)
    outcomes = outcomes_of(tmp_path, truth, [])
    lrp = optimal_lrp(outcomes, once(outcomes))
    means = {name: value[0] for name, value in lrp.means().items()}
    assert (means["oLRP"], means["false negatives"]) == (1, 1)
    assert np.isnan(means["localization"]) and np.isnan(means["false positives"])
    assert np.isnan(lrp.threshold).all()


def test_weights_are_images_repeated(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(1))
    some = np.arange(outcomes.num_images) % 3 > 0
    lrp = optimal_lrp(outcomes, np.stack([some, 2 * some]).astype(int))
    np.testing.assert_allclose(lrp.error[0], lrp.error[1], atol=1e-12)
    assert np.nanmax(np.abs(lrp.error - optimal_lrp(outcomes, once(outcomes)).error)) > 0.01


@pytest.mark.parametrize("seed", range(12))
def test_vernier_has_the_same_numbers(seed: int, tmp_path: Path) -> None:
    instance = pytest.importorskip("vernier.instance")
    truth, results = random_case(seed, num_images=3 + seed, ties=seed % 4 == 0)
    files = (json.dumps(data).encode() for data in (truth, results))
    theirs = instance.optimal_lrp(*files)
    outcomes = outcomes_of(tmp_path, truth, results)
    lrp = optimal_lrp(outcomes, once(outcomes))
    ours = np.stack([getattr(lrp, name)[0] for name in FIELDS], axis=1)
    expected = [[c.olrp, c.olrp_loc, c.olrp_fp, c.olrp_fn, c.tau] for c in theirs.per_class]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)
    means = [lrp.means()[name][0] for name in PARTS]
    expected = [theirs.olrp, theirs.loc, theirs.fp, theirs.fn]
    np.testing.assert_allclose(means, expected, rtol=0, atol=1e-9)
