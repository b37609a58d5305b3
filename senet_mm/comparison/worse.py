"""Is a detector worse than the baseline, by more than a margin and by more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..coco.bootstrap import Bootstrap


@dataclass(frozen=True)
class Limit:
    """What is still accepted.

    Attributes:
        metric: One of COCO's 12.
        margin: By how many points (percent) it may be lower than the baseline's.
    """

    metric: str = "AP"
    margin: float = 0.0


def worse(bootstrap: Bootstrap, names: Sequence[str], limit: Limit) -> list[str]:
    """Which detectors are shown to be worse than the baseline.

    A detector is, if the whole interval of the difference lies below the margin and the p-value is
    below 1 - confidence; with K detectors beside the baseline, below 2 (1 - confidence) / K too.
    Of an equal detector, half of such p-values are on this side, so that equal detectors are found
    worse with a probability of at most 1 - confidence, whatever their number (Bonferroni).

    Args:
        bootstrap: The differences.
        names: Names of the detectors, the baseline first.
        limit: What is still accepted.

    Returns:
        A sentence on each detector that is worse.

    Raises:
        ValueError: If the metric has no interval, so that nothing can be said.
    """
    found = []
    level = 1 - bootstrap.confidence
    level = min(level, 2 * level / len(bootstrap.differences))
    for name, differences in zip(names[1:], bootstrap.differences, strict=True):
        estimate = differences[limit.metric]
        if estimate.interval is None or estimate.p_value is None:
            raise ValueError(
                f"--fail-if-worse {limit.metric}: its difference between {name} and {names[0]} has "
                "no interval on these images, so that nothing can be said"
            )
        low, high = estimate.interval
        if 100 * high < -limit.margin and estimate.p_value < level:
            found.append(
                f"{name} is worse than {names[0]} by more than {limit.margin:g} points of "
                f"{limit.metric} ({100 * low:+.1f} to {100 * high:+.1f})"
            )
    return found
