"""How often the bootstrap's intervals hold the true numbers: python -m studies.coverage"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from senet_mm.cli.errors import run
from senet_mm.coco.accumulate import ALL_METRICS, accumulate
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.bootstrap import bootstrap
from senet_mm.coco.matches import Matches
from senet_mm.coco.matching import match
from senet_mm.coco.results import read_results
from studies.synthetic_results import write_data_set


@dataclass(frozen=True)
class Coverage:
    """Outcome of a simulation for one number.

    Attributes:
        quantity: What the number is.
        true_value: It on the whole population.
        mean_value: Its mean over the replications, each on a sample.
        num_covered: Number of replications whose interval holds the true value.
        num_replications: Number of replications.
        confidence: What the intervals promise.
    """

    quantity: str
    true_value: float
    mean_value: float
    num_covered: int
    num_replications: int
    confidence: float

    @property
    def rate(self) -> float:
        """Share of the replications whose interval holds the true value."""
        return self.num_covered / self.num_replications

    @property
    def standard_error(self) -> float:
        """Binomial standard error of the rate, if the intervals keep their promise."""
        return (self.confidence * (1 - self.confidence) / self.num_replications) ** 0.5

    @property
    def summary(self) -> str:
        """The outcome in words."""
        return (
            f"{self.quantity}: truly {100 * self.true_value:.2f}, mean over the samples "
            f"{100 * self.mean_value:.2f}\n"
            f"the {self.confidence:.0%} interval holds it in {self.num_covered} of "
            f"{self.num_replications} samples: {self.rate:.1%} "
            f"(binomial standard error {self.standard_error:.1%})"
        )


def make_population(
    folder: str | Path,
    *,
    num_images: int = 20_000,
    num_classes: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> list[Matches]:
    """Two synthetic detectors of different quality on many small images of a few classes.

    Args:
        folder: Where annotation and results files are written.
        num_images: Size of the population; samples should be much smaller.
        num_classes: Number of classes, the first the most frequent.
        seed: Seed of the data.
        progress: Whether to show a bar on stderr.

    Returns:
        The matches of the worse and of the better one.
    """
    ann_file, results_files = write_data_set(
        folder,
        num_images=num_images,
        num_objects=4 * num_images,
        num_classes=num_classes,
        per_image=10,
        gain=0.2,
        seed=seed,
    )
    annotations = read_annotations(ann_file)
    return [
        match(annotations, read_results(path, annotations), progress=progress)
        for path in results_files
    ]


def simulate_coverage(
    population: Sequence[Matches],
    *,
    metric: str = "AP",
    num_images: int = 200,
    num_replications: int = 400,
    num_resamples: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
    progress: bool = False,
) -> tuple[Coverage, Coverage, Coverage]:
    """Draw small data sets from a population and bootstrap each.

    Args:
        population: Matches of two detectors on all images; what they reach there is the truth.
        metric: One of COCO's 12 metrics.
        num_images: Images in a sample.
        num_replications: How many samples to draw.
        num_resamples: Resamples of each bootstrap.
        confidence: Confidence of the intervals.
        seed: Seed of samples and resamples.
        progress: Whether to show a bar on stderr.

    Returns:
        The outcome for the first detector's metric, the second's, and their difference.

    Raises:
        ValueError: If there is no replication, or a sample is too small for an interval.
    """
    if num_replications < 1:
        raise ValueError(f"num_replications is {num_replications}; expected 1 or more")
    size = population[0].num_images
    everything = np.ones((1, size), dtype=np.int32)
    worse, better = (
        accumulate(one, everything).metrics()[0, ALL_METRICS.index(metric)] for one in population
    )
    truths = (worse, better, better - worse)
    rng = np.random.default_rng(seed)
    values, num_covered = [], np.zeros(len(truths), dtype=int)
    for _ in tqdm(range(num_replications), desc="samples", disable=not progress):
        images = rng.choice(size, num_images, replace=False)
        result = bootstrap(
            [[one.subset(images)] for one in population],
            num_resamples=num_resamples,
            confidence=confidence,
            seed=int(rng.integers(2**31)),
        )
        estimates = [each[metric] for each in (*result.metrics, *result.differences)]
        if any(estimate.interval is None for estimate in estimates):
            raise ValueError(
                f"a sample of {num_images} images has too few with objects for an interval of "
                f"{metric}: expected samples of more images"
            )
        values.append([estimate.value for estimate in estimates])
        num_covered += [
            e.low <= truth <= e.high for e, truth in zip(estimates, truths, strict=True)
        ]
    quantities = (f"{metric} of the first", f"{metric} of the second", f"difference of {metric}")
    return tuple(
        Coverage(quantity, float(truth), float(mean), int(covered), num_replications, confidence)
        for quantity, truth, mean, covered in zip(
            quantities, truths, np.mean(values, axis=0), num_covered, strict=True
        )
    )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--out-dir", default="work_dirs/coverage", help="for the files it makes")
    parser.add_argument("--replications", type=int, default=500, help="samples to draw")
    parser.add_argument("--images", type=int, default=200, help="in a sample")
    parser.add_argument("--classes", type=int, default=4, help="of objects")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="seed of data and resamples")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    population = make_population(
        args.out_dir, num_classes=args.classes, seed=args.seed, progress=True
    )
    outcomes = simulate_coverage(
        population,
        num_images=args.images,
        num_replications=args.replications,
        num_resamples=args.resamples,
        seed=args.seed,
        progress=True,
    )
    print(*(outcome.summary for outcome in outcomes), sep="\n")


if __name__ == "__main__":
    run(main)
