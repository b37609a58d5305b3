"""Time the bootstrap and compare with COCOeval: python -m studies.bootstrap_benchmark"""

from __future__ import annotations

import argparse
import contextlib
import io
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from senet_mm.cli.errors import run
from senet_mm.coco.accumulate import ALL_METRICS
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.bootstrap import Bootstrap, bootstrap
from senet_mm.coco.explanation import explain
from senet_mm.coco.matching import match
from senet_mm.coco.outcomes import find_outcomes
from senet_mm.coco.results import read_results
from studies.synthetic_results import write_data_set


@dataclass(frozen=True)
class Benchmark:
    """What was measured.

    Attributes:
        result: The bootstrap.
        num_images: Number of images.
        num_objects: Number of annotated objects.
        num_detections: Number of detections of each result set.
        read_seconds: Wall time of reading and checking all files.
        match_seconds: Wall time of pycocotools' matching of all result sets.
        bootstrap_seconds: Wall time of all resamples of all result sets.
        explain_seconds: Wall time of error types and all else that explains a difference.
        peak_gigabytes: Peak resident memory of the process (10^9 bytes), before COCOeval.
        max_difference: Largest difference of any of the 12 numbers to COCOeval's.
    """

    result: Bootstrap
    num_images: int
    num_objects: int
    num_detections: tuple[int, ...]
    read_seconds: float
    match_seconds: float
    bootstrap_seconds: float
    explain_seconds: float
    peak_gigabytes: float
    max_difference: float

    @property
    def summary(self) -> str:
        """The measurements, one per line."""
        result, ap = self.result, self.result.differences[0]["AP"]
        detections = " and ".join(map(str, self.num_detections))
        told = "too few images for an interval"
        if ap.interval is not None:
            low, high = (100 * end for end in ap.interval)
            told = (
                f"{result.confidence:.0%} interval {low:+.2f} to {high:+.2f}, p = {ap.p_value:.3f}"
            )
        return "\n".join(
            [
                f"{self.num_images} images, {self.num_objects} objects, {detections} detections",
                f"reading and checking: {self.read_seconds:.1f} s",
                f"matching by pycocotools: {self.match_seconds:.1f} s",
                f"bootstrap, {result.num_resamples} resamples of {len(result.metrics)} result "
                f"sets: {self.bootstrap_seconds:.1f} s",
                f"error types, slices and all else that explains: {self.explain_seconds:.1f} s",
                f"peak memory: {self.peak_gigabytes:.2f} GB",
                f"largest difference to COCOeval's 12 numbers: {self.max_difference:.1e}",
                f"AP difference: {100 * ap.value:+.2f}, {told}",
            ]
        )


def benchmark_bootstrap(
    ann_file: str | Path,
    results_files: Sequence[str | Path],
    *,
    num_resamples: int = 1000,
    seed: int = 0,
    progress: bool = False,
) -> Benchmark:
    """Time reading, matching and resampling, then evaluate the same files with COCOeval.

    Raises:
        ValueError: If the annotation file has no object.
    """
    times = [time.perf_counter()]
    annotations = read_annotations(ann_file)
    if not annotations.num_annotations:
        raise ValueError(f"{ann_file} has no object; a benchmark needs some")
    detections = [read_results(path, annotations) for path in results_files]
    times.append(time.perf_counter())
    matches = [match(annotations, one, progress=progress) for one in detections]
    times.append(time.perf_counter())
    result = bootstrap(
        [[one] for one in matches], num_resamples=num_resamples, seed=seed, progress=progress
    )
    times.append(time.perf_counter())
    outcomes = [find_outcomes(annotations, one, progress=progress) for one in detections]
    halves = np.array_split(np.arange(len(annotations.image_ids)), 2)
    explain(
        annotations,
        [[one] for one in matches],
        [[one] for one in outcomes],
        num_resamples=num_resamples,
        seed=seed,
        slices={"first half": halves[0], "second half": halves[1]},
        progress=progress,
    )
    times.append(time.perf_counter())
    peak = _gigabytes(resource.getrusage(resource.RUSAGE_SELF))
    reference = np.array([coco_eval(ann_file, path) for path in results_files])
    ours = np.array(
        [
            [-1 if values[name].value is None else values[name].value for name in ALL_METRICS]
            for values in result.metrics
        ]
    )
    read_seconds, match_seconds, bootstrap_seconds, explain_seconds = np.diff(times).tolist()
    return Benchmark(
        result=result,
        num_images=len(annotations.image_ids),
        num_objects=annotations.num_annotations,
        num_detections=tuple(len(one.score) for one in detections),
        read_seconds=read_seconds,
        match_seconds=match_seconds,
        bootstrap_seconds=bootstrap_seconds,
        explain_seconds=explain_seconds,
        peak_gigabytes=peak,
        max_difference=float(np.abs(ours - reference).max()),
    )


def time_command(
    ann_file: Path, results_files: Sequence[Path], out_dir: Path, *, num_resamples: int
) -> str:
    """Time `senet-mm compare` with all that it does by default, but for drawing pictures.

    Returns:
        Wall and CPU time, and the peak memory of its largest process.
    """
    command = [sys.executable, "-m", "senet_mm.cli", "compare", *map(str, results_files)]
    command += ["--ann-file", str(ann_file), "--out-dir", str(out_dir / "report")]
    # there are no pictures; which of them say most is found out all the same
    command += ["--image-dir", str(out_dir), "--num-resamples", str(num_resamples)]
    before, start = _children(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, _children()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (
        f"senet-mm compare, report included: {wall:.1f} s ({cpu:.1f} s of CPU), peak memory of a "
        f"process {_gigabytes(after):.2f} GB"
    )


def coco_eval(ann_file: str | Path, results_file: str | Path) -> np.ndarray:
    """(12,) numbers of pycocotools' COCOeval, for boxes."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(ann_file))
        evaluation = COCOeval(truth, truth.loadRes(str(results_file)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def _children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def _gigabytes(usage: resource.struct_rusage) -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit / 1e9


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--ann-file", help="annotations to perturb; made at the size of val2017 if not given"
    )
    parser.add_argument(
        "--out-dir", default="work_dirs/bootstrap_benchmark", help="for the files it makes"
    )
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples")
    parser.add_argument(
        "--gain", type=float, default=0.1, help="how much better the second detector is"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of data and resamples")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    ann_file, results_files = write_data_set(
        args.out_dir, ann_file=args.ann_file, gain=args.gain, seed=args.seed
    )
    # first: a process counts the memory of the one that started it
    whole = time_command(ann_file, results_files, Path(args.out_dir), num_resamples=args.resamples)
    benchmark = benchmark_bootstrap(
        ann_file, results_files, num_resamples=args.resamples, seed=args.seed, progress=True
    )
    print(benchmark.summary)
    print(whole)


if __name__ == "__main__":
    run(main)
