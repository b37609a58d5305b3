from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from senet_mm.coco.accumulate import ALL_METRICS
from senet_mm.coco.bootstrap import Bootstrap, bootstrap
from senet_mm.coco.matches import Matches
from senet_mm.statistics import estimate as estimate_module
from senet_mm.statistics.family import holm, smooth_p_value
from studies.synthetic_results import make_results, make_truth
from tests.coco.coco_cases import coco_eval, matches_of, random_case, repeat_images


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[Matches]:
    folder = tmp_path_factory.mktemp("pair")
    truth = make_truth(num_images=60, num_objects=300, num_classes=3)
    return [
        matches_of(folder, truth, make_results(truth, quality=quality, per_image=12, seed=seed))
        for seed, quality in enumerate((0.0, 2.0))
    ]


def of_single_runs(matches: list[Matches], **options: object) -> Bootstrap:
    return bootstrap([[run] for run in matches], **options)


def percentages(
    samples: np.ndarray, results: list[dict] | None, truth: dict, index: int
) -> tuple[float, float]:
    """Where the ends of an 80 % interval lie among the resamples."""
    if results is None:
        return 0.1, 0.9
    value = coco_eval(truth, results).stats[index].round(9)
    share = ((samples < value).mean() + (samples <= value).mean()) / 2
    normal = NormalDist()
    z0 = normal.inv_cdf(min(max(share, 1 / 24), 23 / 24))
    return normal.cdf(2 * z0 - 1.2815515655), normal.cdf(2 * z0 + 1.2815515655)


def test_every_number_from_resamples_that_cocoeval_evaluates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The definition, done the slow way: data sets of repeated images through COCOeval."""
    monkeypatch.setattr(estimate_module, "MIN_IMAGES", 1)  # COCOeval would take long on many
    truth, first = random_case(0)
    second = random_case(0)[1]
    for entry in second[::2]:
        entry["score"] /= 3
    result = of_single_runs(
        [matches_of(tmp_path, truth, results) for results in (first, second)],
        num_resamples=12,
        confidence=0.8,
        seed=3,
    )
    draws = np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12), size=12)
    slow = np.array(
        [
            [coco_eval(*repeat_images(truth, results, row.tolist())).stats for row in draws]
            for results in (first, second)
        ]
    )
    assert result.num_resamples == 12 and result.confidence == 0.8 and result.seed == 3
    for index, name in enumerate(ALL_METRICS):
        difference = result.differences[0][name]
        for estimate, samples, results in (
            (result.metrics[0][name], slow[0, :, index], first),
            (result.metrics[1][name], slow[1, :, index], second),
            (difference, (slow[1] - slow[0])[:, index], None),
        ):
            low, high = np.quantile(samples, percentages(samples.round(9), results, truth, index))
            assert estimate.low == pytest.approx(low, abs=1e-9)
            assert estimate.high == pytest.approx(high, abs=1e-9)
            assert estimate.standard_error == pytest.approx(samples.std(ddof=1), abs=1e-9)
            assert estimate.num_undefined == 0
            if results:
                value = coco_eval(truth, results).stats[index]
                assert estimate.value == pytest.approx(value, abs=1e-9)
                assert estimate.p_value is None
        samples = (slow[1] - slow[0])[:, index].round(9)
        fewer = min((samples <= 0).sum(), (samples >= 0).sum())
        assert difference.p_value == pytest.approx(min(1, 2 * (fewer + 1) / 13))
        assert difference.value == pytest.approx(
            result.metrics[1][name].value - result.metrics[0][name].value
        )


def test_the_same_detector_twice_is_no_difference(pair: list[Matches]) -> None:
    result = of_single_runs([pair[0], pair[0]], num_resamples=20)
    for estimate in (*result.differences[0].values(), *result.class_differences[0]):
        assert (estimate.value, estimate.low, estimate.high, estimate.p_value) == (0, 0, 0, 1)


def test_a_clear_difference_has_the_smallest_p_value(pair: list[Matches]) -> None:
    result = of_single_runs(pair, num_resamples=99)
    difference = result.differences[0]["AP"]
    assert 0 < difference.low < difference.value < difference.high
    assert difference.p_value == pytest.approx(2 / 100)
    # and the same the other way round
    other = of_single_runs(pair[::-1], num_resamples=99).differences[0]["AP"]
    assert (other.low, other.high) == pytest.approx((-difference.high, -difference.low))
    assert other.p_value == difference.p_value


def test_pairing_makes_the_interval_narrower(pair: list[Matches]) -> None:
    result = of_single_runs(pair, num_resamples=200)
    worse, better = (metrics["AP"].standard_error for metrics in result.metrics)
    assert result.differences[0]["AP"].standard_error < 0.9 * np.hypot(worse, better)


def test_classes_average_to_ap(pair: list[Matches]) -> None:
    result = of_single_runs(pair, num_resamples=5)
    assert result.classes == ("class 1", "class 2", "class 3")
    for metrics, classes in zip(result.metrics, result.class_precision, strict=True):
        values = [estimate.value for estimate in classes]
        assert np.mean(values) == pytest.approx(metrics["AP"].value)
    values = [estimate.value for estimate in result.class_differences[0]]
    assert np.mean(values) == pytest.approx(result.differences[0]["AP"].value)


def test_seed_and_other_result_sets_do_not_matter_to_a_pair(pair: list[Matches]) -> None:
    first = of_single_runs(pair, num_resamples=20, seed=1)
    three = of_single_runs([pair[0], pair[0], pair[1]], num_resamples=20, seed=1)
    assert three.differences[1] == first.differences[0]
    assert of_single_runs(pair, num_resamples=20, seed=1) == first
    assert of_single_runs(pair, num_resamples=20, seed=2).differences != first.differences


def test_one_result_set_has_no_difference(pair: list[Matches]) -> None:
    result = of_single_runs(pair[:1], num_resamples=20)
    assert result.differences == result.class_differences == ()
    assert result.metrics[0]["AP"].low < result.metrics[0]["AP"].value


def test_of_few_images_there_is_a_number_and_nothing_more(tmp_path: Path) -> None:
    truth, results = random_case(0)
    (large,) = (a for a in truth["annotations"][:1])
    for annotation in truth["annotations"]:
        annotation["area"] = 10.0**4 if annotation is large else 100.0
    large["iscrowd"] = 0
    result = of_single_runs([matches_of(tmp_path, truth, results)] * 2, num_resamples=200)
    draws = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=200)
    without = int((draws[:, large["image_id"] - 1] == 0).sum())
    assert 50 < without < 90  # about 200 / e
    for estimate in (result.metrics[0]["APl"], result.differences[0]["ARl"]):
        assert (estimate.num_images, estimate.num_undefined) == (1, without)
        assert estimate.value is not None
        assert estimate.interval is estimate.standard_error is estimate.p_value is None
    everything = {a["image_id"] for a in truth["annotations"] if not a["iscrowd"]}
    assert result.metrics[0]["AR"].num_images == len(everything) < 12
    first_class = {
        a["image_id"] for a in truth["annotations"] if a["category_id"] == 1 and not a["iscrowd"]
    }
    assert result.class_precision[0][0].num_images == len(first_class)
    medium = result.differences[0]["APm"]
    assert (medium.value, medium.low, medium.p_value) == (None, None, None)
    assert medium.num_undefined == 200
    # the last class has no object at all
    assert result.class_precision[0][-1].value is None


def test_progress_is_on_stderr(pair: list[Matches], capsys) -> None:
    of_single_runs(pair, num_resamples=3, progress=True)
    out, err = capsys.readouterr()
    assert "6/6" in err and not out


def test_what_cannot_be_resampled_is_refused(pair: list[Matches]) -> None:
    with pytest.raises(ValueError, match="no runs"):
        of_single_runs([])
    with pytest.raises(ValueError, match="run 1 has 5 images"):
        of_single_runs([pair[0], pair[1].subset(np.arange(5))])
    with pytest.raises(ValueError, match="1 images cannot be resampled"):
        of_single_runs([pair[0].subset(np.array([3]))])
    with pytest.raises(ValueError, match="num_resamples is 1"):
        of_single_runs(pair, num_resamples=1)
    with pytest.raises(ValueError, match="confidence is 95"):
        of_single_runs(pair, confidence=95)


def test_several_runs_of_a_detector_count_with_their_mean(pair: list[Matches]) -> None:
    options = dict(num_resamples=50, seed=3)
    baseline, other = pair
    both = bootstrap([[baseline], [baseline, other]], **options)
    single = of_single_runs(pair, **options)
    for name in ALL_METRICS:
        first, second = (single.metrics[index][name].value for index in (0, 1))
        assert both.metrics[1][name].value == pytest.approx((first + second) / 2)
        assert [run[name] for run in both.run_metrics[1]] == pytest.approx([first, second])
        # the same images in each resample: half the difference, half its interval
        whole, half = single.differences[0][name], both.differences[0][name]
        assert (half.low, half.high) == pytest.approx((whole.low / 2, whole.high / 2))
    assert both.class_differences[0][0].value == pytest.approx(
        single.class_differences[0][0].value / 2
    )


def test_several_runs_on_both_sides_speak_of_trainings(pair: list[Matches]) -> None:
    half = [one.subset(np.arange(60)[::-1]) for one in pair]  # the same images, other resamples
    result = bootstrap([[pair[0], half[0]], pair], seeds=[[0, 1], [0, 1]], num_resamples=50)
    difference = result.differences[0]["AP"]
    assert difference.trainings.counts == (2, 2) and not difference.trainings.paired
    assert difference.low < difference.trainings.low < difference.trainings.high < difference.high
    assert result.class_differences[0][0].trainings.counts == (2, 2)
    assert result.metrics[1]["AP"].trainings is None


def test_p_values_of_classes_are_adjusted_for_all_classes_and_detectors(
    pair: list[Matches],
) -> None:
    result = of_single_runs([*pair, pair[0]], num_resamples=99)
    found = [one for each in result.class_differences for one in each]
    adjusted = holm(np.array([smooth_p_value(one) for one in found]))
    assert len(found) == 6
    for one, expected in zip(found, adjusted, strict=True):
        assert one.adjusted_p_value == pytest.approx(max(expected, one.p_value))
    assert result.differences[0]["AP"].adjusted_p_value is None
