"""How often --fail-if-worse fails for equal detectors: python -m studies.fail_if_worse"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from senet_mm.cli.errors import run
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.bootstrap import bootstrap
from senet_mm.coco.matches import Matches
from senet_mm.coco.matching import match
from senet_mm.coco.results import read_results
from senet_mm.comparison.worse import Limit, worse
from studies.synthetic_results import write_data_set


def count_failures(
    population: Sequence[Matches],
    *,
    num_images: int = 200,
    num_replications: int = 1000,
    num_resamples: int = 200,
    seed: int = 0,
) -> int:
    """In how many samples a detector is found worse than the first of equal ones.

    Args:
        population: Matches of detectors on all images.
        num_images: Images in a sample.
        num_replications: How many samples to draw.
        num_resamples: Resamples of each bootstrap.
        seed: Seed of samples and resamples.
    """
    rng = np.random.default_rng(seed)
    names = [f"detector {index}" for index in range(len(population))]
    failures = 0
    for _ in tqdm(range(num_replications), desc="samples", disable=None):
        images = rng.choice(population[0].num_images, num_images, replace=False)
        result = bootstrap(
            [[one.subset(images)] for one in population],
            num_resamples=num_resamples,
            seed=int(rng.integers(2**31)),
        )
        failures += bool(worse(result, names, Limit()))
    return failures


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--out-dir", default="work_dirs/fail_if_worse", help="for the files")
    parser.add_argument("--replications", type=int, default=1000, help="samples to draw")
    parser.add_argument("--images", type=int, default=200, help="in a sample")
    parser.add_argument("--resamples", type=int, default=200, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="seed of data and resamples")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    size = 50 * args.images
    ann_file, results_files = write_data_set(
        args.out_dir,
        num_images=size,
        num_objects=4 * size,
        num_classes=4,
        per_image=10,
        gain=0.0,
        seed=args.seed,
    )
    annotations = read_annotations(ann_file)
    population = [match(annotations, read_results(path, annotations)) for path in results_files]
    failures = count_failures(
        population,
        num_images=args.images,
        num_replications=args.replications,
        num_resamples=args.resamples,
        seed=args.seed,
    )
    print(f"{failures} of {args.replications} equal pairs fail: {failures / args.replications:.1%}")


if __name__ == "__main__":
    run(main)
