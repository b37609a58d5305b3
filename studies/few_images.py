"""Intervals of classes in few images, between equal detectors: python -m studies.few_images"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from senet_mm.cli.errors import run
from senet_mm.coco.bootstrap import bootstrap, resample
from senet_mm.coco.resamples import draw_images
from senet_mm.statistics.estimate import Estimate
from senet_mm.statistics.family import holm, smooth_p_value
from studies.synthetic_matches import detect, make_scene

NUMBERS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 80)  # of images with the class
FAMILY = 8  # classes that are looked at together


@dataclass(frozen=True)
class Difference:
    """The difference of a class' AP between two equal detectors.

    Attributes:
        excluded: Whether the percentile interval of all resamples leaves 0 out.
        estimate: What a comparison says.
    """

    excluded: bool
    estimate: Estimate


def simulate(
    rng: np.random.Generator,
    num_with_class: int,
    *,
    num_images: int = 100,
    num_resamples: int = 400,
) -> Difference:
    """Compare equal detectors on new images.

    Args:
        rng: The source of chance.
        num_with_class: Images that hold the class.
        num_images: Images of the data set.
        num_resamples: Resamples of the bootstrap.
    """
    scene = make_scene(rng, num_images=num_images, num_with_class=num_with_class)
    pair = [detect(rng, scene) for _ in range(2)]
    seed = int(rng.integers(2**31))
    weights = draw_images(num_images, num_resamples, seed)
    first, second = (resample(one, weights, tqdm(disable=True))[1] for one in pair)
    low, high = np.nanquantile((second - first)[1:], [0.025, 0.975])
    result = bootstrap([[one] for one in pair], num_resamples=num_resamples, seed=seed)
    return Difference(bool(low > 0 or high < 0), result.class_differences[0][0])


def row(number: int, found: Sequence[Difference]) -> str:
    """How often a class in so many images is said to differ: one by one, and one of a family."""
    share = np.mean([one.excluded for one in found])
    if all(one.estimate.interval is None for one in found):
        return f"| {number} | {share:.1%} | none | none |"
    given = np.mean([(one.estimate.p_value or 1) < 0.05 for one in found])
    smooth = np.array([smooth_p_value(one.estimate) for one in found])
    families = smooth[: len(smooth) // FAMILY * FAMILY].reshape(-1, FAMILY)
    any_shown = np.mean([(holm(family) < 0.05).any() for family in families])
    return f"| {number} | {share:.1%} | {given:.1%} | {any_shown:.1%} |"


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=2000, help="comparisons of each")
    parser.add_argument("--numbers", type=int, nargs="+", default=NUMBERS, help="images with it")
    parser.add_argument("--seed", type=int, default=0, help="of data and resamples")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    rng = np.random.default_rng(args.seed)
    print("| images with the class | 0 left out, all | p < 0.05, where given | of 8 classes any |")
    print("|---:|---:|---:|---:|")
    for number in args.numbers:
        print(row(number, [simulate(rng, number) for _ in range(args.replications)]), flush=True)


if __name__ == "__main__":
    run(main)
