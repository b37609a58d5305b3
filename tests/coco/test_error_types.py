from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.error_types import ALL_ERRORS, mend
from senet_mm.coco.outcomes import SIZES
from tests.coco.coco_cases import once, outcomes_of, random_case, repeat_images
from tests.coco.plain_tide import ERRORS, tide


def case(seed: int) -> tuple[dict, list[dict]]:
    """A random case in which each detected class has an object, sized as its box."""
    truth, results = random_case(seed, num_images=8 + seed % 5, num_classes=3 + seed % 3)
    for annotation in truth["annotations"]:
        annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3]
    present = {a["category_id"] for a in truth["annotations"] if not a["iscrowd"]}
    return truth, [r for r in results if r["category_id"] in present]


def first(values: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(value[0]) for name, value in values.items()}


def test_hand_made(tmp_path: Path) -> None:
    """Two objects of one class: one found by the second detection, the other missed."""
    truth, _ = random_case(0, num_images=1, num_classes=2)
    objects = [
        dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 10, 10], area=100, iscrowd=0),
        dict(id=2, image_id=1, category_id=1, bbox=[50, 50, 10, 10], area=100, iscrowd=0),
    ]
    results = [
        dict(image_id=1, category_id=1, bbox=[200, 200, 10, 10], score=0.9),  # background
        dict(image_id=1, category_id=1, bbox=[0, 0, 10, 10], score=0.8),
    ]
    outcomes = outcomes_of(tmp_path, truth | {"annotations": objects}, results)
    mended = mend(outcomes, once(outcomes))
    # precision 1/2 up to a recall of 1/2: 51 of 101 points
    before = 51 / 202
    assert mended.precision[0, 0] == pytest.approx(before)
    effects = first(mended.effects())
    assert effects["background"] == pytest.approx(51 / 101 - before)
    assert effects["missed"] == pytest.approx(1 / 2 - before)  # one object, precision 1/2
    assert effects["false positives"] == pytest.approx(51 / 101 - before)
    assert effects["false negatives"] == pytest.approx(1 / 2 - before)
    assert effects["classification"] == effects["localization"] == effects["duplicate"] == 0
    small, medium = (first(mended.effects_by_size(size)) for size in (0, 1))
    assert small == pytest.approx({name: effects[name] for name in ERRORS})
    assert set(medium.values()) == {0}


@pytest.mark.parametrize("seed", range(8))
def test_as_a_plain_reading_of_the_paper(seed: int, tmp_path: Path) -> None:
    truth, results = case(seed)
    before, expected = tide(truth, results)
    outcomes = outcomes_of(tmp_path, truth, results)
    mended = mend(outcomes, once(outcomes))
    assert np.nanmean(mended.precision[0]) == pytest.approx(before, abs=1e-12)
    assert first(mended.effects()) == pytest.approx(expected, abs=1e-12)
    assert sum(value > 0 for value in expected.values()) >= 4
    for size in range(len(SIZES)):
        _, expected = tide(truth, results, size=size)
        assert first(mended.effects_by_size(size)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_whole_weights_are_images_repeated(seed: int, tmp_path: Path) -> None:
    truth, results = case(seed)
    outcomes = outcomes_of(tmp_path, truth, results)
    weights = np.random.default_rng(seed).integers(0, 3, (2, outcomes.num_images))
    effects = mend(outcomes, weights).effects()
    for index, row in enumerate(weights):
        _, expected = tide(*repeat_images(truth, results, row.tolist()))
        values = {name: float(value[index]) for name, value in effects.items()}
        assert values == pytest.approx(expected, abs=1e-12)


def test_many_weightings_are_done_in_blocks(tmp_path: Path, monkeypatch) -> None:
    outcomes = outcomes_of(tmp_path, *case(1))
    weights = np.random.default_rng(0).integers(0, 3, (7, outcomes.num_images))
    at_once = mend(outcomes, weights)
    monkeypatch.setattr("senet_mm.coco.accumulate._BLOCK", 150)
    in_blocks = mend(outcomes, weights)
    for name in ("precision", "mended", "by_size"):
        np.testing.assert_array_equal(getattr(in_blocks, name), getattr(at_once, name))


def test_the_classes_are_what_the_whole_is_the_mean_of(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *case(2))
    mended = mend(outcomes, once(outcomes))
    by_class = [mended.effects_on_class(index) for index in range(outcomes.num_classes)]
    assert np.isnan(by_class[-1]["missed"])  # a class without an object
    for name in ("false positives", "background", "duplicate"):
        mean = np.nanmean([each[name][0] for each in by_class])
        assert mended.effects()[name][0] == pytest.approx(mean, abs=1e-12)


def test_no_object_and_no_detection(tmp_path: Path) -> None:
    truth, results = case(0)
    outcomes = outcomes_of(tmp_path, truth, [])
    effects = first(mend(outcomes, once(outcomes)).effects())
    # nothing is left once the misses are taken away
    assert {name for name in ALL_ERRORS if np.isnan(effects[name])} == {"missed", "false negatives"}
    truth["annotations"] = []
    outcomes = outcomes_of(tmp_path, truth, results, "empty_")
    assert np.isnan(list(mend(outcomes, once(outcomes)).effects().values())).all()


@pytest.mark.parametrize("seed", range(20))
def test_tidecv_has_the_same_numbers(seed: int, tmp_path: Path) -> None:
    """tidecv, or tidecv-light, which knows no crowds and takes corners for boxes."""
    tidecv = pytest.importorskip("tidecv")
    light = not hasattr(tidecv.quantify, "mask_utils")
    truth, results = case(seed)
    if light:
        truth["annotations"] = [a | {"iscrowd": 0} for a in truth["annotations"]]

    def box_of(entry: dict) -> list[float]:
        x, y, width, height = entry["bbox"]
        return [x, y, x + width, y + height] if light else entry["bbox"]

    objects, found = tidecv.Data("objects"), tidecv.Data("found")
    for image in truth["images"]:
        objects.add_image(image["id"], image["file_name"])
    for a in truth["annotations"]:
        add = objects.add_ignore_region if a["iscrowd"] else objects.add_ground_truth
        add(a["image_id"], a["category_id"], box_of(a))
    for r in results:
        found.add_detection(r["image_id"], r["category_id"], r["score"], box_of(r))
    theirs = tidecv.TIDE()
    run = theirs.evaluate(objects, found, name="run")
    outcomes = outcomes_of(tmp_path, truth, results)
    mended = mend(outcomes, once(outcomes))
    main, special = theirs.get_main_errors()["run"], theirs.get_special_errors()["run"]
    expected = [value / 100 for value in (*main.values(), *special.values())]
    assert np.nanmean(mended.precision[0]) == pytest.approx(run.ap / 100, abs=1e-9)
    assert list(first(mended.effects()).values()) == pytest.approx(expected, abs=1e-9)
    if light:  # it takes corners for sides here
        return
    for size, qualifier in enumerate(tidecv.AREA):
        expected = [value / 100 for value in run.fix_main_errors(qual=qualifier).values()]
        values = list(first(mended.effects_by_size(size)).values())
        assert values == pytest.approx(expected, abs=1e-9)
