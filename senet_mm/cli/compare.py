"""Compare detectors, the baseline first: senet-mm compare RUN RUN ..."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..coco.engines import ENGINES
from ..coco.metrics import METRICS
from ..coco.processes import usable_cpus
from ..coco.slices import read_slices
from ..comparison import classifiers
from ..comparison.comparison import compare
from ..comparison.inputs import resolve
from ..comparison.report import classifiers as report_of_classifiers
from ..comparison.report.sentences import about_power, notes, verdicts
from ..comparison.report.tables import difference_tables, metrics_table, power_table
from ..comparison.report.why import why_sentences
from ..comparison.report.write import prepare_report, write_report
from ..comparison.worse import Limit, worse
from ..io.files import make_writable
from . import common as cli
from .arguments import Parser, integer, number
from .compare_train import add_training_arguments, check_training_arguments, train

WORSE = 3  # exit code of --fail-if-worse

_POWER = (0.5, 1.0, 2.0)  # AP
_MOST_WORKERS = 8  # bounds the memory


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm compare",
        description="Compare detectors by COCO mAP, with confidence intervals, and by cost; or "
        "classifiers by top-1 and top-5 error",
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a work dir, CONFIG,CHECKPOINT, or a COCO results file (.bbox.json, .segm.json); the "
        "baseline first; of classifiers a work dir, CONFIG,CHECKPOINT, or the scores (.npz) that "
        "senet-mm test --out wrote",
    )
    parser.add_argument(
        "--names", nargs="+", help="one per run; runs of one name are seeds of one detector"
    )
    parser.add_argument(
        "--data-root", help="where the data set is, if not where it was in training"
    )
    parser.add_argument("--ann-file", help="annotations, if not those of the runs' test sets")
    parser.add_argument("--image-dir", help="their images, if not those of the runs' test sets")
    parser.add_argument("--iou-type", choices=("bbox", "segm"), default="bbox")
    parser.add_argument("--out-dir", default="work_dirs/comparison", help="for the report")
    parser.add_argument("--num-resamples", type=integer(2), default=1000, help="of the bootstrap")
    parser.add_argument(
        "--confidence", type=number(0, 1, inside=True), default=0.95, help="of the intervals"
    )
    parser.add_argument("--seed", type=integer(0), default=0, help="of the bootstrap")
    parser.add_argument(
        "--num-images", type=integer(0), default=8, help="of the gallery, per detector"
    )
    parser.add_argument(
        "--fail-if-worse",
        nargs="*",
        metavar=("METRIC", "MARGIN"),
        help="exit with 3 if a detector is shown to be worse than the baseline by more than MARGIN "
        "points (0 by default) of METRIC (AP by default)",
    )
    parser.add_argument(
        "--power",
        nargs="*",
        type=number(0, 100, inside=True),
        metavar="AP",
        help="also tell how many trainings of each detector, and images, would show differences "
        "of so many points (0.5, 1 and 2 if none is given)",
    )
    parser.add_argument(
        "--slices",
        metavar="FILE",
        help="also compare on parts of the images: JSON, a list of image ids or file names per "
        "part, or CSV with a column file_name or image_id and others, whose values are the parts",
    )
    parser.add_argument(
        "--score-threshold",
        type=number(0, 1),
        default=0.3,
        help="from which on detections count, for precision, recall, F1 and confusions",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="what matches detections to objects; vernier is faster and gives the same numbers",
    )
    cli.add_tta_argument(parser)
    cli.add_picture_argument(parser)
    add_training_arguments(parser)
    args = parser.parse_args(argv)
    check_training_arguments(parser, args)
    if args.fail_if_worse is not None:
        args.fail_if_worse = _limit(parser, args.fail_if_worse)
    if len(args.runs) < 2:
        parser.error("expected two runs or more, the baseline first")
    return args


def _limit(parser: Parser, given: Sequence[str]) -> Limit:
    metric, margin, *more = *given, *("AP", "0")[len(given) :]
    if more or metric not in METRICS:
        parser.error(
            f"argument --fail-if-worse: {' '.join(given)}: expected one of {', '.join(METRICS)}, "
            "then a number of points; runs stand before it"
        )
    try:
        return Limit(metric, number(0)(margin))
    except argparse.ArgumentTypeError as error:
        parser.error(f"argument --fail-if-worse: {error}")


def _differences(power: Sequence[float] | None) -> list[float]:
    """Differences in AP, 0..1; none where the power was not asked for."""
    if power is None:
        return []
    return [points / 100 for points in power or _POWER]


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    out_dir = Path(args.out_dir)
    if not args.train and classifiers.are_classifiers(args.runs):
        compare_classifiers(args, out_dir)
        return
    prepare_report(out_dir, num_images=args.num_images)
    if args.train:
        train(args, argv)
    inputs = resolve(
        args.runs,
        args.names,
        out_dir=out_dir,
        data_root=args.data_root,
        ann_file=args.ann_file,
        image_dir=args.image_dir,
        iou_type=args.iou_type,
        pictures=args.check_images,
        tta=args.tta,
    )
    comparison, evaluation = compare(
        inputs,
        num_resamples=args.num_resamples,
        confidence=args.confidence,
        seed=args.seed,
        power=_differences(args.power),
        threshold=args.score_threshold,
        slices=read_slices(args.slices, inputs.annotations) if args.slices else None,
        engine=args.engine,
        workers=min(usable_cpus(), _MOST_WORKERS),
    )
    print("", metrics_table(comparison), difference_tables(comparison), sep="\n\n")
    if comparison.needed:
        print("", about_power(), "", power_table(comparison), sep="\n")
    print(
        "",
        *notes(comparison),
        "",
        *verdicts(comparison),
        *why_sentences(comparison),
        "",
        sep="\n",
        flush=True,
    )
    files = write_report(
        comparison, evaluation, out_dir, image_dir=inputs.image_dir, num_images=args.num_images
    )
    print(f"\nReport: {', '.join(map(str, files))}")
    if args.fail_if_worse:
        found = worse(comparison.bootstrap, comparison.names, args.fail_if_worse)
        if found:
            print(*found, sep="\n", file=sys.stderr)
            sys.exit(WORSE)


def compare_classifiers(args: argparse.Namespace, out_dir: Path) -> None:
    if args.fail_if_worse:
        raise ValueError("--fail-if-worse works on detectors; these runs are of classifiers")
    make_writable(out_dir, f"--out-dir {out_dir}", "choose another --out-dir")
    runs = classifiers.resolve(
        args.runs,
        args.names,
        out_dir=out_dir,
        data_root=args.data_root,
        pictures=args.check_images,
        tta=args.tta,
    )
    comparison = classifiers.compare(
        runs,
        num_resamples=args.num_resamples,
        confidence=args.confidence,
        seed=args.seed,
        tta=args.tta,
    )
    print(f"\n{report_of_classifiers.report(comparison)}")
    files = report_of_classifiers.write_report(comparison, out_dir)
    print(f"Report: {', '.join(map(str, files))}")
