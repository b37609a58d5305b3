"""How often intervals over trainings hold the truth: python -m studies.over_trainings"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from senet_mm.cli.errors import run
from senet_mm.coco.bootstrap import bootstrap
from senet_mm.statistics.estimate import Estimate
from senet_mm.statistics.power import power
from senet_mm.statistics.trainings import MIN_PAIRED, difference_over_trainings
from senet_mm.statistics.variance import Sources
from studies.synthetic_matches import detect, make_scene

COUNTS = (2, 3, 5, 10)  # trainings of each detector
SPREADS = (0.2, 0.8)  # AP, from training to training
QUALITY_SPREADS = (0.15, 0.6)
IMAGE_NOISE = 0.25  # AP, of the difference of two trainings on val2017
NUM_IMAGES = 5000
_HEADER = """| trainings | spread | pairs | coverage | ± AP | of images alone |
|---|---|---|---:|---:|---:|"""


@dataclass(frozen=True)
class Rates:
    """What was found in comparisons of detectors.

    Attributes:
        false: Share whose interval over trainings leaves 0 out.
        false_of_images: The same of the interval over images alone.
        half_width: Median of half of the first interval.
    """

    false: float
    false_of_images: float
    half_width: float


def rates_of(drawn: Sequence[Estimate], *, scale: float = 1.0) -> Rates:
    """Count wrong intervals, where there is no difference in truth; widths times a scale."""
    ends = np.array([(e.low, e.high, e.trainings.low, e.trainings.high) for e in drawn])
    wrong = (ends[:, ::2] > 0) | (ends[:, 1::2] < 0)
    false, of_images = wrong.mean(axis=0).tolist()
    half_width = scale * float(np.median(ends[:, 1] - ends[:, 0])) / 2
    return Rates(false, of_images, half_width)


def normal_difference(
    rng: np.random.Generator,
    sources: Sources,
    *,
    num_trainings: int,
    correlation: float = 0.0,
    paired: bool = False,
    ratio: float = 1.0,
    truth: float = 0.0,
    num_resamples: int = 200,
) -> Estimate:
    """A difference of two detectors whose numbers have normal errors.

    Args:
        rng: The source of chance.
        sources: The variances of the difference of two trainings.
        num_trainings: Of each detector.
        correlation: Of the trainings of one seed.
        paired: Whether the seeds are known.
        ratio: How many times the baseline's spread the other's is.
        truth: The true difference.
        num_resamples: Resamples of the images.
    """
    plain = rng.normal(size=(num_trainings, 1))
    rest = np.sqrt(1 - correlation**2) * rng.normal(size=(num_trainings, 1))
    own, common = np.sqrt([sources.both / 2, sources.images])
    spread = np.sqrt(sources.trainings / (1 + ratio**2))
    sides = []
    for effect in (spread * plain, ratio * spread * (correlation * plain + rest)):
        value = effect + own * rng.normal(size=effect.shape)
        resampled = value + own * rng.normal(size=(num_trainings, num_resamples))
        sides.append(np.concatenate([value, resampled], axis=1))
    sides[1] += truth + common * rng.normal()
    sides[1][:, 1:] += common * rng.normal(size=num_resamples)
    seeds = range(num_trainings)
    return difference_over_trainings(
        *sides,
        confidence=0.95,
        num_images=NUM_IMAGES,
        seeds=(seeds, seeds) if paired else None,
    )


def normal_sources(spread: float, share: float) -> Sources:
    """Variances in AP squared, from the spread and the share of the images' noise in common."""
    noise = IMAGE_NOISE**2
    return Sources(trainings=2 * spread**2, images=share * noise, both=(1 - share) * noise)


def null_difference(
    rng: np.random.Generator,
    *,
    num_trainings: int,
    quality_spread: float,
    num_images: int = 100,
    num_resamples: int = 200,
) -> Estimate:
    """The difference in AP of two detectors whose trainings have qualities of one distribution.

    Args:
        rng: The source of chance.
        num_trainings: Of each detector.
        quality_spread: Standard deviation of the quality, see :func:`.synthetic_matches.detect`.
        num_images: Images, made anew.
        num_resamples: Resamples of the images.
    """
    scene = make_scene(rng, num_images=num_images, num_with_class=num_images)
    qualities = quality_spread * rng.normal(size=(2, num_trainings))
    result = bootstrap(
        [[detect(rng, scene, quality=one) for one in side] for side in qualities.tolist()],
        num_resamples=num_resamples,
        seed=int(rng.integers(2**31)),
    )
    return result.differences[0]["AP"]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--normal", type=int, default=4000, help="comparisons with normal errors")
    parser.add_argument("--synthetic", type=int, default=400, help="of synthetic detections")
    parser.add_argument(
        "--trainings", type=int, nargs="+", default=COUNTS, help="of each synthetic detector"
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything")
    return parser.parse_args()


def report_normal(num_replications: int, seed: int) -> None:
    """Print coverage with normal errors, then the power that was promised and that there was."""
    rng = np.random.default_rng(seed)
    for share in (0.1, 0.6):
        print(f"images' noise, {share:.0%} of it in common to all trainings:\n{_HEADER}")
        for count, spread, paired in itertools.product(COUNTS, SPREADS, (False, True)):
            if paired and count < MIN_PAIRED:
                continue
            sources = normal_sources(spread, share)
            drawn = [
                normal_difference(rng, sources, num_trainings=count, paired=paired)
                for _ in range(num_replications)
            ]
            label = f"{count} | {spread} | {'yes' if paired else 'no'}"
            print(_row(label, rates_of(drawn)), flush=True)
    low, high = SPREADS
    sources = normal_sources(np.hypot(low, high) / np.sqrt(2), share=0.1)
    print(f"the baseline's spread {low}, the other's {high}:\n{_HEADER}")
    for count in COUNTS:
        drawn = [
            normal_difference(rng, sources, num_trainings=count, ratio=high / low)
            for _ in range(num_replications)
        ]
        print(_row(f"{count} | {low}, {high} | no", rates_of(drawn)), flush=True)
    for count, spread, truth in ((2, 0.2, 1.5), (5, 0.2, 0.6), (5, 0.8, 2.0), (10, 0.8, 1.0)):
        sources = normal_sources(spread, share=0.1)
        promised = power(truth, sources, num_trainings=count, num_images=NUM_IMAGES)
        drawn = [
            normal_difference(rng, sources, num_trainings=count, truth=truth)
            for _ in range(num_replications)
        ]
        shown = np.mean([difference.p_value < 0.05 for difference in drawn])
        print(
            f"{count} trainings with spread {spread} show {truth} AP in {shown:.1%}; "
            f"promised {promised:.1%}",
            flush=True,
        )


def report_synthetic(counts: Sequence[int], num_replications: int, seed: int) -> None:
    """Print how many null comparisons of synthetic detections are called better or worse."""
    rng = np.random.default_rng(seed)
    print(f"synthetic detections on 100 images:\n{_HEADER}")
    for count, quality_spread in itertools.product(counts, QUALITY_SPREADS):
        drawn = [
            null_difference(rng, num_trainings=count, quality_spread=quality_spread)
            for _ in range(num_replications)
        ]
        measured = _measured([each.trainings.sources for each in drawn])
        print(_row(f"{count} | {measured} | no", rates_of(drawn, scale=100)), flush=True)


def _measured(sources: Sequence[Sources]) -> str:
    """The spread of a training, and the noise of the images in a difference, in AP."""
    spread = np.sqrt(np.mean([one.trainings for one in sources]) / 2)
    own, common = (np.mean([getattr(one, name) for one in sources]) for name in ("both", "images"))
    noise = np.sqrt(own + common)
    return f"{100 * spread:.1f} (images {100 * noise:.1f}, {common / (own + common):.0%} in common)"


def _row(label: str, rates: Rates) -> str:
    return (
        f"| {label} | {1 - rates.false:.1%} | {rates.half_width:.3g} | "
        f"{1 - rates.false_of_images:.1%} |"
    )


def main() -> None:
    args = parse_args()
    if args.normal:
        report_normal(args.normal, args.seed)
    if args.synthetic:
        report_synthetic(args.trainings, args.synthetic, args.seed)


if __name__ == "__main__":
    run(main)
