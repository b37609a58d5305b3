"""Many differences at once: some of many intervals leave 0 out by chance."""

from __future__ import annotations

import numpy as np
from scipy import stats

from .estimate import Estimate
from .variance import degrees_of_images


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values adjusted so that with 5 % at most any of those below 0.05 is there by chance.

    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6 (1979): the i-th smallest of N times N - i + 1, and never below one before it. It
    holds however the differences depend on each other (classes share images), for each of those
    that are named; the false discovery rate of Benjamini and Hochberg bounds a share of them.

    Args:
        p_values: (N,) numbers; NaN belongs to no family and stays.
    """
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: np.count_nonzero(~np.isnan(p_values))]
    multiplied = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(multiplied), 1)
    return adjusted


def smooth_p_value(estimate: Estimate) -> float:
    """A difference's p-value that can be as small as it must be among many; NaN if it has none.

    The share of B resamples cannot be below 2 / (B + 1), which times the number of classes is
    above 0.05. So, of other images alone, that of Student's t: the difference over its standard
    error, with :func:`.variance.degrees_of_images`.
    """
    if estimate.value is None or estimate.p_value is None or estimate.num_images is None:
        return np.nan
    if estimate.trainings is not None or not estimate.standard_error:
        return estimate.p_value
    ratio = abs(estimate.value) / estimate.standard_error
    return float(2 * stats.t.sf(ratio, degrees_of_images(estimate.num_images)))
