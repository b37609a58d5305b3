"""What a comparison says, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from ...coco.metrics import METRICS
from ...statistics.estimate import MIN_IMAGES, Estimate
from ...statistics.trainings import MIN_PAIRED
from ..comparison import Comparison
from .tables import difference_cells

# with fewer images the intervals are somewhat too narrow
_FEW_IMAGES = 100
_ABOUT_COSTS = " They are of each picture once, without the test-time augmentation."


def title(comparison: Comparison) -> str:
    """What is compared."""
    baseline, *others = comparison.names
    return f"{others[0] if len(others) == 1 else f'{len(others)} detectors'} against {baseline}"


def verdicts(comparison: Comparison) -> list[str]:
    """What the AP differences say, a sentence per detector but the baseline."""
    return [
        _verdict(comparison, index, differences["AP"])
        for index, differences in enumerate(comparison.bootstrap.differences, start=1)
    ]


def notes(comparison: Comparison) -> list[str]:
    """What the numbers are, and what they cannot say."""
    bootstrap = comparison.bootstrap
    told = [
        f"Evaluated on {comparison.num_images:,} images with {comparison.num_objects:,} objects "
        f"({comparison.ann_file.name}, {comparison.iou_type}). Numbers are in percent.",
        *_about_augmentation(comparison),
        f"Intervals and p-values: paired bootstrap over images, {bootstrap.num_resamples:,} "
        f"resamples, seed {bootstrap.seed}; {100 * bootstrap.confidence:g} % intervals, of "
        "differences by percentiles, of a detector's own numbers bias-corrected. They say how the "
        "numbers would vary over other images of the same kind, for these trained weights; not how "
        "they vary from one training to the next.",
        *_about_trainings(comparison),
        *_about_few_images(comparison),
    ]
    smallest = 2 / (bootstrap.num_resamples + 1)
    of_images = [one for each in bootstrap.differences for one in each.values() if _is_single(one)]
    if of_images and smallest >= 1 - bootstrap.confidence:
        told.append(
            f"With {bootstrap.num_resamples} resamples no p-value can be below {smallest:.3f}, so "
            "no difference can be shown: raise --num-resamples."
        )
    told += comparison.remarks
    costs = [detector.cost for detector in comparison.detectors if detector.cost]
    if costs:
        inference = costs[0].inference
        told.append(
            f"GFLOPs, time and memory: {inference.num_images} pictures of the test set one by one, "
            f"float32, on {inference.device}, with the weights that are compared. GFLOPs are the "
            f"median; time is the median of {inference.num_passes} passes, the detectors taking "
            "turns, ± half the distance of the quartiles; memory is the largest peak of the "
            "tensors made on the way."
            + (_ABOUT_COSTS if any(one.tta for one in comparison.detectors) else "")
        )
    return told


def about_classes(comparison: Comparison) -> str:
    """What the differences of the classes say, all of them together."""
    bootstrap, alpha = comparison.bootstrap, 1 - comparison.bootstrap.confidence
    with_interval, shown = 0, []
    for name, differences in zip(comparison.names[1:], bootstrap.class_differences, strict=True):
        for label, estimate in zip(bootstrap.classes, differences, strict=True):
            with_interval += estimate.interval is not None
            if estimate.adjusted_p_value is not None and estimate.adjusted_p_value < alpha:
                side = "better" if (estimate.value or 0) > 0 else "worse"
                shown.append(f"{label} ({name} is {side})")
    told = (
        "AP of each class, as a difference to the baseline with its interval, largest gain first."
    )
    if not with_interval:
        return f"{told} None rests on enough images for an interval."
    return (
        f"{told} {with_interval} have an interval, of which about {alpha * with_interval:.1g} "
        "would leave 0 out by chance alone. The adjusted p (Holm's) is for all of them together; "
        f"by it {_count(shown)} shown{': ' if shown else ''}{', '.join(shown)}."
    )


def about_power() -> str:
    """What the table of :func:`.tables.power_rows` says."""
    return (
        "How many trainings of each detector show a difference in AP of this size in 80 % of the "
        "cases, with these images and with more of the same kind. The spreads are those of the "
        "runs at hand, and as uncertain as those are few."
    )


def _verdict(comparison: Comparison, index: int, ap: Estimate) -> str:
    name, baseline = comparison.names[index], comparison.names[0]
    difference, interval, p = difference_cells(ap)
    if ap.value is None:
        return f"{name} and {baseline} cannot be told apart: there is no object to find."
    if ap.interval is None or ap.p_value is None:
        few = ap.num_images
        images = "1 image with objects is" if few == 1 else f"{few} images with objects are"
        return (
            f"{name} and {baseline} cannot be told apart: {images} too few, an interval takes "
            f"{MIN_IMAGES} or more (AP {difference})."
        )
    low, high = ap.interval
    told = f"AP {difference} ({interval}, p {p if p[0] == '<' else '= ' + p})"
    # both say the same but where a resample more or less decides
    shown = ap.p_value < 1 - comparison.bootstrap.confidence and ap.leaves_zero_out
    side = "better" if low > 0 else "worse"
    if ap.trainings is None:
        those = f"these weights of {baseline}"
        if shown:
            return f"These weights of {name} are {side} than {those} on such images: {told}."
        return f"No difference between these weights of {name} and {those} is shown: {told}."
    found = (
        f"over trainings and such images: {told}; {ap.trainings.counts[1]} trainings against "
        f"{ap.trainings.counts[0]}, {100 * ap.trainings.share:.0f} % of the variance from training "
        "to training."
    )
    if shown:
        return f"{name} is {side} than {baseline}, {found}"
    return f"No difference between {name} and {baseline} is shown, {found}"


def _count(shown: Sequence[str]) -> str:
    return f"{len(shown) or 'none'} {'are' if len(shown) > 1 else 'is'}"


def _is_single(estimate: Estimate) -> bool:
    return estimate.p_value is not None and estimate.trainings is None


def _about_trainings(comparison: Comparison) -> list[str]:
    counts = {detector.name: len(detector.sources) for detector in comparison.detectors}
    if all(count == 1 for count in counts.values()):
        return [
            "Each detector was trained once: whether other trainings of them would differ so, "
            "these numbers cannot say. Train several seeds and give their runs one name."
        ]
    told = [
        "± is the standard deviation over the runs of a detector (seeds); intervals of a "
        "detector's own numbers are of the mean over the runs, and over images alone."
    ]
    once = [name for name, count in counts.items() if count == 1]
    if once:
        told.append(
            f"{', '.join(once)}: trained once, so differences to it are over images alone, and "
            "what other trainings of it would give these numbers cannot say."
        )
    over = [each["AP"].trainings for each in comparison.bootstrap.differences]
    found = [trainings for trainings in over if trainings is not None]
    if found:
        pairs = "paired by their seed" if any(one.paired for one in found) else "not paired"
        told.append(
            "Not so the differences of detectors that were both trained several times: their "
            "intervals and p-values are about other trainings and other images; "
            f"runs are {pairs}. 'of trainings' is the share of the variance that comes from "
            "training to training; the rest comes from the images."
        )
        fewest = min(min(one.counts) for one in found)
        if fewest < MIN_PAIRED:
            told.append(
                f"{fewest} trainings tell little of their spread, so these intervals are wide; "
                f"{MIN_PAIRED} trainings or more narrow them most."
            )
    return told


def _about_augmentation(comparison: Comparison) -> list[str]:
    by_name = {one.name: one.tta for one in comparison.detectors if one.tta}
    if not by_name:
        return []
    told, *others = set(by_name.values())
    if others:
        told = "; ".join(f"{name} by {how}" for name, how in by_name.items())
    return [f"Detections were made with test-time augmentation (--tta): {told}."]


def _about_few_images(comparison: Comparison) -> list[str]:
    bootstrap, told = comparison.bootstrap, []
    metrics = bootstrap.metrics[0]
    too_few = [name for name in METRICS if _has_too_few(metrics[name])]
    classes = sum(map(_has_too_few, bootstrap.class_precision[0]))
    if classes:
        too_few.append(f"AP of {classes} of {len(bootstrap.classes)} classes")
    if too_few:
        told.append(
            f"Fewer than {MIN_IMAGES} images have such objects: {', '.join(too_few)}. Resamples of "
            "so few say nothing of other images, so there is no interval and no p-value."
        )
    few = metrics["AP"].num_images
    if few is not None and MIN_IMAGES <= few < _FEW_IMAGES:
        told.append(
            f"{few} images with objects are few: such intervals tend to be too narrow, those of "
            "classes in few images above all."
        )
    return told


def _has_too_few(estimate: Estimate) -> bool:
    few = estimate.num_images is not None and estimate.num_images < MIN_IMAGES
    return few and estimate.value is not None
