"""Intervals of classes in few images, between equal detectors: python -m studies.few_images"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from senet_mm.cli.errors import run
from senet_mm.coco.accumulate import class_precision
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.bootstrap import bootstrap
from senet_mm.coco.matches import Matches
from senet_mm.coco.matching import match
from senet_mm.coco.resamples import draw_images
from senet_mm.coco.results import read_results
from senet_mm.statistics.estimate import Estimate
from studies.synthetic_matches import detect, make_scene
from studies.synthetic_results import write_data_set

NUMBERS = (1, 2, 3, 5, 10, 20, 50)  # of images with a class
FEWEST = (1, 2, 3, 5, 10, 20, 50)  # of the images with a class, in each row
ALPHA = 0.05
_HEADER = """| images with the class | classes | 0 left out, all | p < 0.05, where given |
|---:|---:|---:|---:|"""


@dataclass(frozen=True)
class Difference:
    """The difference of a class' AP between two equal detectors.

    Attributes:
        num_images: Images with the class.
        excluded: Whether the percentile interval of all resamples leaves 0 out.
        estimate: What a comparison says.
    """

    num_images: int
    excluded: bool
    estimate: Estimate


def compare_classes(
    pair: Sequence[Matches], *, num_resamples: int, seed: int = 0
) -> list[Difference]:
    """The differences of all classes that have an object."""
    result = bootstrap([[one] for one in pair], num_resamples=num_resamples, seed=seed)
    weights = draw_images(pair[0].num_images, num_resamples, seed)
    found = []
    for index, estimate in enumerate(result.class_differences[0]):
        if estimate.value is None or estimate.num_images is None:
            continue
        excluded = estimate.leaves_zero_out
        if estimate.interval is None:  # as if it were given
            first, second = (class_precision(_one_class(one, index), weights) for one in pair)
            ends = np.nanquantile((second - first)[1:], [ALPHA / 2, 1 - ALPHA / 2])
            excluded = bool(ends[0] > 0 or ends[1] < 0)
        found.append(Difference(estimate.num_images, excluded, estimate))
    return found


def _one_class(matches: Matches, index: int) -> Matches:
    return replace(matches, classes=(matches.classes[index],), by_class=(matches.by_class[index],))


def equal_classes(
    rng: np.random.Generator,
    num_with_class: int,
    *,
    num_classes: int = 80,
    num_images: int = 100,
    num_resamples: int = 1000,
) -> list[Difference]:
    """Compare equal detectors on new images, each class in as many of them.

    Args:
        rng: The source of chance.
        num_with_class: Images that hold a class.
        num_classes: Number of classes.
        num_images: Images of the data set.
        num_resamples: Resamples of the bootstrap.
    """
    classes = []
    for _ in range(num_classes):
        scene = make_scene(rng, num_images=num_images, num_with_class=num_with_class)
        classes.append([detect(rng, scene).by_class[0] for _ in range(2)])
    names = tuple(map(str, range(num_classes)))
    pair = [Matches(num_images, names, side) for side in zip(*classes, strict=True)]
    return compare_classes(pair, num_resamples=num_resamples, seed=int(rng.integers(2**31)))


def synthetic_results(
    folder: Path,
    seed: int,
    *,
    num_classes: int = 80,
    num_images: int = 200,
    num_resamples: int = 1000,
) -> list[Difference]:
    """Compare equal detectors by files, on images like val2017's with 20 detections each."""
    ann_file, results_files = write_data_set(
        folder,
        num_images=num_images,
        num_objects=round(7.4 * num_images),
        num_classes=num_classes,
        per_image=20,
        gain=0,
        seed=3 * seed,
    )
    annotations = read_annotations(ann_file)
    pair = [match(annotations, read_results(path, annotations)) for path in results_files]
    return compare_classes(pair, num_resamples=num_resamples, seed=seed)


def row(label: str, found: Sequence[Difference]) -> str:
    """How often classes are said to differ, one by one."""
    share = np.mean([one.excluded for one in found])
    p_values = [one.estimate.p_value for one in found if one.estimate.p_value is not None]
    given = f"{np.mean(np.array(p_values) < ALPHA):.1%}" if p_values else "none"
    return f"| {label} | {len(found):,} | {share:.1%} | {given} |"


def families(data_sets: Sequence[Sequence[Difference]]) -> str:
    """How often any class of a data set is named, by the p-values adjusted for all of them."""
    adjusted = [
        [p for one in each if (p := one.estimate.adjusted_p_value) is not None]
        for each in data_sets
    ]
    smallest = [min(each) for each in adjusted if each]
    if not smallest:
        return "no class has an interval"
    rate = float(np.mean(np.array(smallest) < ALPHA))
    error = (rate * (1 - rate) / len(smallest)) ** 0.5
    return (
        f"any of {np.mean([len(each) for each in adjusted if each]):.0f} classes is named in "
        f"{rate:.1%} of {len(smallest)} data sets (standard error {error:.1%})"
    )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--numbers", type=int, nargs="*", default=NUMBERS, help="images of a class")
    parser.add_argument("--data-sets", type=int, default=300, help="of each number")
    parser.add_argument("--by-files", type=int, default=300, help="data sets through files")
    parser.add_argument("--images", type=int, default=200, help="of each of those")
    parser.add_argument("--classes", type=int, default=80, help="of a data set")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of data and resamples")
    return parser.parse_args()


def report(args: argparse.Namespace) -> None:
    """Print a table for classes in equally many images, and one for those of data sets."""
    options = dict(num_classes=args.classes, num_resamples=args.resamples)
    rng = np.random.default_rng(args.seed)
    for number in args.numbers:
        data_sets = _repeat(args.data_sets, lambda _, n=number: equal_classes(rng, n, **options))
        found = [one for each in data_sets for one in each]
        print(f"{_HEADER}\n{row(str(number), found)}\n\n{families(data_sets)}", flush=True)
    if not args.by_files:
        return
    with tempfile.TemporaryDirectory() as folder:
        data_sets = _repeat(
            args.by_files,
            lambda index: synthetic_results(
                Path(folder), args.seed + index, num_images=args.images, **options
            ),
        )
    print(f"{args.classes} classes in {args.images} images:\n{_HEADER}")
    for low, above in zip(FEWEST, (*FEWEST[1:], args.images + 1), strict=True):
        found = [one for each in data_sets for one in each if low <= one.num_images < above]
        if found:
            print(row(f"{low} to {above - 1}", found))
    print(families(data_sets))


def _repeat(total: int, compare: Callable[[int], list[Difference]]) -> list[list[Difference]]:
    return [compare(index) for index in tqdm(range(total), desc="data sets", disable=None)]


def main() -> None:
    report(parse_args())


if __name__ == "__main__":
    run(main)
