import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from senet_mm.coco.accumulate import ALL_METRICS, accumulate, precision_curves
from senet_mm.coco.interpolation import RECALLS
from senet_mm.coco.matches import ClassMatches, Matches
from studies.synthetic_results import make_results
from tests.coco.coco_cases import coco_eval, matches_of, random_case, repeat_images


def ones(matches: Matches) -> np.ndarray:
    return np.ones((1, matches.num_images), dtype=int)


def numbers(matches: Matches, weights: np.ndarray) -> np.ndarray:
    """(B, 12), with COCOeval's -1."""
    return np.nan_to_num(accumulate(matches, weights).metrics(), nan=-1)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_unit_weights_give_cocoevals_numbers(seed: int, ties: bool, tmp_path: Path) -> None:
    truth, results = random_case(seed, ties=ties)
    evaluation = coco_eval(truth, results)
    matches = matches_of(tmp_path, truth, results)
    values = numbers(matches, ones(matches))
    np.testing.assert_allclose(values[0], evaluation.stats, rtol=0, atol=1e-12)
    assert (values[0] > 0).all()
    # and each number that they are means of
    accumulated = accumulate(matches, ones(matches))
    precision = evaluation.eval["precision"][..., 2].mean(axis=1).transpose(1, 2, 0)
    recall = evaluation.eval["recall"].transpose(1, 2, 3, 0)
    for ours, theirs in (
        (accumulated.precision, precision),
        (accumulated.recall, recall[:, :, 2]),
        (accumulated.recall_of_few, recall[:, 0, :2]),
    ):
        assert (theirs == -1).any()  # the last class has no object
        np.testing.assert_allclose(np.nan_to_num(ours[0], nan=-1), theirs, rtol=0, atol=1e-12)


def test_curves_are_cocoevals(tmp_path: Path) -> None:
    truth, results = random_case(0)
    precision = coco_eval(truth, results).eval["precision"][:, :, :3, 0, 2]
    curves = precision_curves(matches_of(tmp_path, truth, results))
    np.testing.assert_allclose(curves["0.50"], precision[0].mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(curves["0.75"], precision[5].mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(curves["0.50:0.95"], precision.mean(axis=(0, 2)), atol=1e-12)
    assert curves["0.50"][0] > curves["0.50"][-1]


@pytest.mark.parametrize("seed", range(4))
def test_whole_weights_are_images_repeated(seed: int, tmp_path: Path) -> None:
    truth, results = random_case(seed)
    weights = np.random.default_rng(seed).integers(0, 4, (3, len(truth["images"])))
    values = numbers(matches_of(tmp_path, truth, results), weights)
    for row, value in zip(weights, values, strict=True):
        evaluation = coco_eval(*repeat_images(truth, results, row.tolist()))
        np.testing.assert_allclose(value, evaluation.stats, rtol=0, atol=1e-12)
    assert np.abs(values[0] - values[1]).max() > 0.01


def test_ties_between_images_are_kept_in_order_when_repeated(tmp_path: Path) -> None:
    truth, results = random_case(5)
    # one score for the best of every image, one for the second best, ...
    for image in truth["images"]:
        own = [r for r in results if r["image_id"] == image["id"]]
        for place, entry in enumerate(sorted(own, key=lambda entry: -entry["score"])):
            entry["score"] = 1 - place / 200
    weights = np.random.default_rng(0).integers(0, 4, (2, len(truth["images"])))
    values = numbers(matches_of(tmp_path, truth, results), weights)
    for row, value in zip(weights, values, strict=True):
        evaluation = coco_eval(*repeat_images(truth, results, row.tolist()))
        np.testing.assert_allclose(value, evaluation.stats, rtol=0, atol=1e-12)


def test_recalls_are_compared_as_floats() -> None:
    """As COCOeval compares: 57 of 100 do not reach 57 * 0.01, but 29 of 100 reach 29 * 0.01."""
    counts = [(hits, objects) for objects in (7, 100, 150) for hits in range(1, objects + 1)]
    for hits, objects in counts:
        image = np.arange(objects, dtype=np.int32)
        found = np.ones((4, 10, hits), dtype=bool)
        one = ClassMatches(image[:hits], np.zeros(hits, np.int16), found, found, (image,) * 4)
        matches = Matches(objects, ("class",), (one,))
        reached = np.searchsorted(RECALLS, hits / objects, side="right")
        value = accumulate(matches, ones(matches)).metrics()[0, 0]
        assert value == pytest.approx(reached / 101, abs=1e-9), (hits, objects)


def test_many_weightings_are_done_in_blocks(tmp_path: Path, monkeypatch) -> None:
    matches = matches_of(tmp_path, *random_case(1))
    weights = np.random.default_rng(0).integers(0, 3, (7, matches.num_images))
    at_once = numbers(matches, weights)
    monkeypatch.setattr("senet_mm.coco.accumulate._BLOCK", 150)
    np.testing.assert_array_equal(numbers(matches, weights), at_once)


def test_what_a_resample_lacks_does_not_count(tmp_path: Path) -> None:
    truth, results = random_case(2)
    large = {a["image_id"] for a in truth["annotations"] if a["area"] > 96**2}
    with_large = np.array([image["id"] in large for image in truth["images"]])
    matches = matches_of(tmp_path, truth, results)
    values = accumulate(matches, np.stack([with_large, ~with_large, 0 * with_large])).metrics()
    undefined = np.isnan(values)
    size = [name in ("APl", "ARl") for name in ALL_METRICS]
    assert not undefined[0].any()
    np.testing.assert_array_equal(undefined[1], size)
    assert undefined[2].all()


def test_no_detection_gives_zeros(tmp_path: Path) -> None:
    truth, _ = random_case(0)
    matches = matches_of(tmp_path, truth, [])
    np.testing.assert_array_equal(numbers(matches, ones(matches)), np.zeros((1, 12)))
    assert (coco_eval(truth, []).stats == 0).all()
    assert (precision_curves(matches)["0.50"] == 0).all()


def test_no_object_gives_nothing(tmp_path: Path) -> None:
    truth, results = random_case(0)
    truth["annotations"] = []
    matches = matches_of(tmp_path, truth, results)
    np.testing.assert_array_equal(
        numbers(matches, ones(matches))[0], coco_eval(truth, results).stats
    )
    assert np.isnan(precision_curves(matches)["0.50"]).all()


def test_more_than_100_detections_of_a_class_in_an_image(tmp_path: Path) -> None:
    truth, results = random_case(3)
    extra = [{**r, "image_id": 1, "category_id": 1, "score": r["score"] / 2} for r in results]
    assert len(extra) > 200
    matches = matches_of(tmp_path, truth, results + extra)
    stats = coco_eval(truth, results + extra).stats
    np.testing.assert_allclose(numbers(matches, ones(matches))[0], stats, rtol=0, atol=1e-12)


def test_masks(shapes_root: Path, tmp_path: Path) -> None:
    path = shapes_root / "annotations" / "instances_train2017.json"
    truth = json.loads(path.read_text())
    coco, rng = COCO(str(path)), np.random.default_rng(0)
    results = []
    for annotation in truth["annotations"]:
        shifted = np.roll(coco.annToMask(annotation), rng.integers(-5, 6, 2), axis=(0, 1))
        mask = mask_utils.encode(np.asfortranarray(shifted))
        x, y, width, height = annotation["bbox"]
        results.append(
            {
                "image_id": annotation["image_id"],
                "category_id": annotation["category_id"],
                "score": rng.random(),
                "segmentation": mask | {"counts": mask["counts"].decode()},
                "bbox": [x, y, 3 * width, 3 * height],
            }
        )
    matches = matches_of(tmp_path, truth, results)
    # as mmdet does, so that the size class comes from the mask
    without_boxes = [{key: r[key] for key in r if key != "bbox"} for r in results]
    stats = coco_eval(truth, without_boxes, "segm").stats
    np.testing.assert_allclose(numbers(matches, ones(matches))[0], stats, rtol=0, atol=1e-12)
    assert 0.1 < stats[0] < 0.9
    assert np.abs(stats - coco_eval(truth, results, "segm").stats).max() > 0.01


def test_boxes_of_the_embedded_set(shapes_root: Path, tmp_path: Path) -> None:
    path = shapes_root / "annotations" / "instances_train2017.json"
    truth = json.loads(path.read_text())
    results = make_results(truth, per_image=30)
    matches = matches_of(tmp_path, truth, results)
    stats = coco_eval(truth, results).stats
    np.testing.assert_allclose(numbers(matches, ones(matches))[0], stats, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "weights",
    [np.ones(12, int), np.ones((1, 11), int), np.ones((1, 12)), -np.ones((1, 12), int)],
)
def test_other_weights_are_refused(weights: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected integers of 0 or more, a row of 12, one per"):
        accumulate(matches_of(tmp_path, *random_case(0)), weights)
