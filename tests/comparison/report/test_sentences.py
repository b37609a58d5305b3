from dataclasses import replace

import pytest

from senet_mm.comparison.comparison import Comparison
from senet_mm.comparison.report.sentences import about_classes, notes, title, verdicts
from senet_mm.statistics.estimate import Estimate
from tests.comparison.report.made_up import comparison


@pytest.mark.parametrize(
    ("low", "high", "start"),
    [
        (
            0.01,
            0.03,
            "These weights of se are better than these weights of plain on such images: "
            "AP +2.4 (+1.0 to +3.0, p = 0.002).",
        ),
        (-0.03, -0.01, "These weights of se are worse than these weights of plain on such images"),
        (-0.01, 0.03, "No difference between these weights of se and these weights of plain is"),
    ],
)
def test_of_one_training_each_the_verdict_is_about_these_weights(
    low: float, high: float, start: str
) -> None:
    (verdict,) = verdicts(comparison(low=low, high=high))
    assert verdict.startswith(start)


@pytest.mark.parametrize(
    ("low", "high", "start"),
    [
        (0.01, 0.03, "se is better than plain, over trainings and such images: AP +2.4 (+1.0 to"),
        (-0.03, -0.01, "se is worse than plain, over trainings and such images"),
        (-0.01, 0.03, "No difference between se and plain is shown, over trainings and such"),
    ],
)
def test_of_several_trainings_it_is_about_the_detectors(
    low: float, high: float, start: str
) -> None:
    (verdict,) = verdicts(comparison(low=low, high=high, seeds=2))
    assert verdict.startswith(start)
    end = "2 trainings against 2, 64 % of the variance from training to training."
    assert verdict.endswith(end)


def with_ap(ap: Estimate) -> Comparison:
    one = comparison(low=0.01, high=0.03)
    differences = ({**one.bootstrap.differences[0], "AP": ap},)
    return replace(one, bootstrap=replace(one.bootstrap, differences=differences))


def test_no_verdict_that_the_p_value_does_not_bear() -> None:
    doubtful = with_ap(Estimate(0.01, 0.001, 0.03, p_value=0.0501, num_images=99))
    assert verdicts(doubtful)[0].startswith("No difference between these weights of se and")
    assert "no p-value can be below" not in " ".join(notes(doubtful))
    few = replace(doubtful, bootstrap=replace(doubtful.bootstrap, num_resamples=20))
    assert "no p-value can be below 0.095" in " ".join(notes(few))


def test_no_verdict_from_few_images() -> None:
    (verdict,) = verdicts(with_ap(Estimate(0.31, num_images=1)))
    assert verdict == (
        "se and plain cannot be told apart: 1 image with objects is too few, an interval takes "
        "20 or more (AP +31.0)."
    )
    (verdict,) = verdicts(with_ap(Estimate(None, num_images=0)))
    assert verdict.endswith("there is no object to find.")


def test_notes_tell_what_the_numbers_cannot_say() -> None:
    one = comparison(low=0.01, high=0.03)
    text = " ".join(notes(one))
    assert "5,000 images with 36,781 objects (val.json, bbox)" in text
    assert "trained once: whether other trainings of them would differ so, these" in text
    assert "not how they vary from one training" in text
    assert "are few" not in text
    assert "as it is." in notes(replace(one, remarks=("Something as it is.",)))[4]


def test_notes_tell_of_augmented_images() -> None:
    one = comparison(low=0.01, high=0.03)
    assert "test-time" not in " ".join(notes(one))

    def told(*augmentations: str) -> str:
        pairs = zip(one.detectors, augmentations, strict=True)
        detectors = tuple(replace(detector, tta=how) for detector, how in pairs)
        return " ".join(notes(replace(one, detectors=detectors)))

    assert "test-time augmentation (--tta): 2 views. " in told("2 views", "2 views")
    assert "augmentation (--tta): plain by 2 views; se by 6 views. " in told("2 views", "6 views")
    assert "of each picture once, without the test-time augmentation." in told("2 views", "2 views")


def test_notes_on_several_trainings() -> None:
    two = comparison(low=0.01, high=0.03, seeds=2)
    text = " ".join(notes(two))
    assert "standard deviation" in text and "about other trainings and other images" in text
    assert "runs are not paired" in text
    assert "2 trainings tell little of their spread" in text
    few = replace(two, bootstrap=replace(two.bootstrap, num_resamples=20))
    assert "no p-value can be below" not in " ".join(notes(few))
    plain, se = two.detectors
    mixed = replace(two, detectors=(replace(plain, sources=("run",)), se))
    assert "plain: trained once, so differences to it are over images" in " ".join(notes(mixed))


def test_notes_go_by_the_images_that_have_such_objects() -> None:
    one = comparison(low=0.01, high=0.03)
    assert "Fewer than 20 images have such objects: AP of 1 of 3 classes." in " ".join(notes(one))
    metrics = one.bootstrap.metrics[0]
    metrics = {
        **metrics,
        "AP": replace(metrics["AP"], num_images=60),
        "APs": replace(metrics["APs"], num_images=19),
    }
    few = replace(one, bootstrap=replace(one.bootstrap, metrics=(metrics, metrics)))
    text = " ".join(notes(few))
    assert "have such objects: APs, AP of 1 of 3 classes." in text
    assert "60 images with objects are few" in text


def test_classes_that_are_shown_among_all() -> None:
    one = comparison(low=0.01, high=0.03)
    told = about_classes(one)
    assert "1 have an interval, of which about 0.05 would leave 0 out by chance alone" in told
    assert told.endswith("by it 1 is shown: cat (se is better).")
    few = tuple(Estimate(0.1, num_images=3) for _ in one.bootstrap.classes)
    none = replace(one, bootstrap=replace(one.bootstrap, class_differences=(few,)))
    assert about_classes(none).endswith("None rests on enough images for an interval.")


def test_many_detectors_have_a_short_title() -> None:
    one = comparison(low=0.01, high=0.03)
    assert title(one) == "se against plain"
    assert title(replace(one, detectors=(*one.detectors, one.detectors[1]))) == (
        "2 detectors against plain"
    )
