"""Each number of the whole is that of its own module, on the same resamples."""

import numpy as np
import pytest

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.bootstrap import bootstrap
from senet_mm.coco.error_types import ALL_ERRORS, mend
from senet_mm.coco.explanation import Explanation, explain
from senet_mm.coco.lrp import optimal_lrp
from senet_mm.coco.matches import Matches
from senet_mm.coco.matching import match
from senet_mm.coco.outcomes import SIZES, Outcomes, find_outcomes
from senet_mm.coco.resamples import draw_images
from senet_mm.coco.results import read_results
from tests.coco.coco_cases import coco_eval, once, random_case, write_case

RESAMPLES = 200
HALF = np.arange(0, 40, 2)


@pytest.fixture(scope="module")
def parts(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict, list[list[dict]], list[Matches], list[Outcomes], Explanation]:
    """A detector, and one that is equal but for half of the false positives."""
    folder = tmp_path_factory.mktemp("explanation")
    truth, results = random_case(0, num_images=40, num_classes=8)
    better = [r for place, r in enumerate(results) if place % 2 or r["score"] > 0.5]
    files = [write_case(folder, truth, r, f"{i}_") for i, r in enumerate((results, better))]
    annotations = read_annotations(files[0][0])
    detections = [read_results(path, annotations) for _, path in files]
    matches = [match(annotations, one) for one in detections]
    outcomes = [find_outcomes(annotations, one) for one in detections]
    explanation = explain(
        annotations,
        [[one] for one in matches],
        [[one] for one in outcomes],
        num_resamples=RESAMPLES,
        seed=3,
        slices={"half": HALF},
    )
    return truth, [results, better], matches, outcomes, explanation


def test_error_types_and_their_differences(parts) -> None:
    _, _, _, outcomes, explanation = parts
    weights = draw_images(40, RESAMPLES, 3)
    first, second = (mend(one, weights) for one in outcomes)
    numbers = explanation.error_types
    for name in ALL_ERRORS:
        before, after = first.effects()[name], second.effects()[name]
        assert numbers.detectors[0][name].value == before[0]
        difference = numbers.differences[0][name]
        assert difference.value == after[0] - before[0]
        expected = np.quantile((after - before)[1:], [0.025, 0.975])
        np.testing.assert_allclose(difference.interval, expected, atol=1e-12)
    for index, size in enumerate(SIZES):
        value = explanation.error_types_by_size[size].detectors[1]["background"].value
        assert value == second.effects_by_size(index)["background"][0]
    for index, of_class in enumerate(explanation.error_types_by_class[:-1]):
        value = of_class.detectors[1]["missed"].value
        assert value == second.effects_on_class(index)["missed"][0]
    assert explanation.error_types_by_class[-1].detectors[0]["missed"].value is None


def test_slices_are_data_sets_of_their_own(parts) -> None:
    truth, results, _, _, explanation = parts
    ids = {truth["images"][index]["id"] for index in HALF}
    images = [image for image in truth["images"] if image["id"] in ids]
    annotations = [a for a in truth["annotations"] if a["image_id"] in ids]
    fewer = truth | {"images": images, "annotations": annotations}
    (part,) = explanation.slices
    assert (part.name, part.about) == ("half", "20 images")
    for numbers, found in zip(part.precision.detectors, results, strict=True):
        stats = coco_eval(fewer, [r for r in found if r["image_id"] in ids]).stats
        assert numbers["AP"].value == pytest.approx(stats[0], abs=1e-12)


def test_frequency_is_the_mean_of_classes(parts) -> None:
    _, _, matches, _, explanation = parts
    result = bootstrap([[one] for one in matches], num_resamples=RESAMPLES, seed=3)
    assert [part.name for part in explanation.frequency] == ["rare", "common", "frequent"]
    by_class = [estimate.value for estimate in result.class_precision[0]]
    total = sum(value for value in by_class if value is not None)
    parts_of = [part.precision.detectors[0]["AP"].value for part in explanation.frequency]
    sizes = [int(part.about.split()[0]) for part in explanation.frequency]
    assert sizes == [3, 2, 2]
    assert np.dot(sizes, parts_of) == pytest.approx(total)


def test_rates_calibration_and_confusions(parts) -> None:
    _, _, _, outcomes, explanation = parts
    assert explanation.threshold == 0.3
    kept = outcomes[1].counts & (outcomes[1].score >= 0.3)
    share = np.count_nonzero(kept & outcomes[1].hits) / np.count_nonzero(kept)
    assert explanation.given.detectors[1]["precision"].value == pytest.approx(share)
    assert explanation.best.detectors[1]["F1"].value > explanation.given.detectors[1]["F1"].value
    assert all(0 < value < 1 for (value,) in explanation.best_thresholds)
    assert explanation.given.differences[0]["precision"].value > 0
    matrix = np.array(explanation.confusions[1])
    assert matrix.shape == (9, 9) and matrix[:, :-1].sum() == np.count_nonzero(kept)
    assert len(explanation.reliability[0]["count"]) == 10
    lrp = optimal_lrp(outcomes[0], once(outcomes[0])).means()["oLRP"][0]
    assert explanation.lrp.detectors[0]["oLRP"].value == pytest.approx(lrp)
    assert 0 < explanation.calibration.detectors[0]["D-ECE"].value < 1
