"""Intervals of classes in few images, between equal detectors: python -m studies.few_images"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from senet_mm.cli.errors import run
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.bootstrap import resample
from senet_mm.coco.matches import match
from senet_mm.coco.resamples import draw_images
from senet_mm.coco.results import read_results
from senet_mm.coco.support import images_of_classes
from senet_mm.statistics.estimate import Estimate, estimate
from senet_mm.statistics.family import holm, smooth_p_value
from studies.synthetic_results import write_data_set

# classes are counted by the number of images that have them: from each to below the next
BOUNDS = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100)


@dataclass(frozen=True)
class Differences:
    """Differences of K classes between two equal detectors.

    Attributes:
        images: (K,) number of images with the class.
        excluded: (K,) whether the percentile interval of all resamples leaves 0 out.
        estimates: The K estimates that a comparison gives.
    """

    images: np.ndarray
    excluded: np.ndarray
    estimates: list[Estimate]


def simulate(
    folder: str | Path,
    *,
    num_replications: int = 100,
    num_images: int = 200,
    num_objects: int = 800,
    num_classes: int = 80,
    num_resamples: int = 400,
    seed: int = 0,
    progress: bool = False,
) -> Iterator[Differences]:
    """Compare equal detectors on new images each time.

    Args:
        folder: Where annotation and results files are written.
        num_replications: How many comparisons to make.
        num_images: Images of each.
        num_objects: Objects of each.
        num_classes: Classes, the first the most frequent.
        num_resamples: Resamples of each bootstrap.
        seed: Seed of data and resamples.
        progress: Whether to show a bar on stderr.
    """
    for replication in tqdm(range(num_replications), disable=not progress):
        ann_file, results_files = write_data_set(
            folder,
            num_images=num_images,
            num_objects=num_objects,
            num_classes=num_classes,
            per_image=20,
            gain=0,
            seed=seed + 10 * replication,
        )
        annotations = read_annotations(ann_file)
        matches = [match(annotations, read_results(path, annotations)) for path in results_files]
        weights = draw_images(num_images, num_resamples, seed + replication)
        first, second = (resample(one, weights, tqdm(disable=True))[1] for one in matches)
        images = images_of_classes(matches[0])
        present = np.flatnonzero(images)
        images, differences = images[present], (second - first)[:, present]
        low, high = np.nanquantile(differences[1:], [0.025, 0.975], axis=0)
        yield Differences(
            images=images,
            excluded=(low > 0) | (high < 0),
            estimates=[
                estimate(values, confidence=0.95, num_images=int(count), is_difference=True)
                for values, count in zip(differences.T, images, strict=True)
            ],
        )


def table(outcomes: list[Differences]) -> str:
    """Shares of the intervals that leave 0 out, by the images that have the class."""
    images = np.concatenate([one.images for one in outcomes])
    excluded = np.concatenate([one.excluded for one in outcomes])
    kept = np.array([e.interval is not None for one in outcomes for e in one.estimates])
    rows = ["| images with the class | classes | all intervals | those that are given |"]
    rows.append("|---|---:|---:|---:|")
    for low, end in zip(BOUNDS, (*BOUNDS[1:], np.inf), strict=True):
        chosen = (images >= low) & (images < end)
        given = chosen & kept
        if chosen.any():
            label = f"{low} to {end - 1}" if end < np.inf else f"{low} or more"
            share = f"{excluded[given].mean():.1%}" if given.any() else "none"
            label = str(low) if end == low + 1 else label
            rows.append(f"| {label} | {chosen.sum()} | {excluded[chosen].mean():.1%} | {share} |")
    return "\n".join(rows)


def any_shown(outcomes: list[Differences]) -> tuple[float, float]:
    """Shares of the comparisons with a class below p = 0.05, as it is and after Holm."""
    smooth = [np.array([smooth_p_value(e) for e in one.estimates]) for one in outcomes]
    plain = [any((e.p_value or 1) < 0.05 for e in one.estimates) for one in outcomes]
    return float(np.mean(plain)), float(np.mean([(holm(p) < 0.05).any() for p in smooth]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--out-dir", default="work_dirs/few_images", help="for the files it makes")
    parser.add_argument("--replications", type=int, default=100, help="comparisons to make")
    parser.add_argument("--images", type=int, default=200, help="of each")
    parser.add_argument("--objects", type=int, default=800, help="of each")
    parser.add_argument("--classes", type=int, default=80, help="the first the most frequent")
    parser.add_argument("--seed", type=int, default=0, help="of data and resamples")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    outcomes = list(
        simulate(
            args.out_dir,
            num_replications=args.replications,
            num_images=args.images,
            num_objects=args.objects,
            num_classes=args.classes,
            seed=args.seed,
            progress=True,
        )
    )
    plain, adjusted = any_shown(outcomes)
    print(table(outcomes))
    print(f"any class at p < 0.05 in {plain:.1%} of the comparisons; adjusted, in {adjusted:.1%}")


if __name__ == "__main__":
    run(main)
