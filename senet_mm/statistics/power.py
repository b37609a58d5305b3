"""How many trainings, and how many images, would show a difference?"""

from __future__ import annotations

from math import sqrt

from scipy import stats

from .variance import Sources, critical_value, degrees_of_images

MAX_TRAININGS = 100


def power(
    difference: float,
    sources: Sources,
    *,
    num_trainings: int,
    num_images: float,
    factor: float = 1.0,
    confidence: float = 0.95,
) -> float:
    """The chance that a true difference is shown, by unpaired trainings of both detectors.

    That |t| is above the critical value of :func:`.variance.critical_value`, where t has
    Student's noncentral distribution; its degrees of freedom are Satterthwaite's.

    Args:
        difference: The true one.
        sources: Where it varies, as measured.
        num_trainings: Of each detector.
        num_images: Images that the sources were measured on.
        factor: How many times as many images there are.
        confidence: What the intervals promise.
    """
    degrees = (2 * (num_trainings - 1), degrees_of_images(factor * num_images))
    variances = (
        (sources.trainings + sources.both / factor) / num_trainings,
        sources.images / factor,
    )
    variance = sum(variances)
    if not variance:
        return 1.0 if difference else 0.0
    parts = list(zip(variances, degrees, strict=True))
    joint = variance**2 / sum(part**2 / of for part, of in parts)
    critical = critical_value(parts, confidence)
    return float(stats.nct.sf(critical, joint, abs(difference) / sqrt(variance)))


def trainings_needed(
    difference: float,
    sources: Sources,
    *,
    num_images: float,
    factor: float = 1.0,
    confidence: float = 0.95,
    wanted: float = 0.8,
) -> int | None:
    """Fewest trainings of each detector, 2 or more, that show a difference with this power.

    Returns:
        None where more than :data:`MAX_TRAININGS` are needed: then the images are too few.
    """
    for count in range(2, MAX_TRAININGS + 1):
        chance = power(
            difference,
            sources,
            num_trainings=count,
            num_images=num_images,
            factor=factor,
            confidence=confidence,
        )
        if chance >= wanted:
            return count
    return None
