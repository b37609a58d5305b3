"""Compare detectors, the baseline first: senet-mm compare RUN RUN ..."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..coco.engines import ENGINES
from ..coco.slices import read_slices
from ..comparison.comparison import compare
from ..comparison.inputs import resolve
from ..comparison.report.tables import difference_tables, metrics_table, notes, verdicts
from ..comparison.report.why import why_sentences
from ..comparison.report.write import prepare_report, write_report
from . import common as cli
from .arguments import Parser, integer, number


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm compare",
        description="Compare detectors by COCO mAP, with confidence intervals, and by cost",
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a work dir, CONFIG,CHECKPOINT, or a COCO results file (.bbox.json, .segm.json); the "
        "baseline first",
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
    cli.add_picture_argument(parser)
    args = parser.parse_args(argv)
    if len(args.runs) < 2:
        parser.error("expected two runs or more, the baseline first")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    out_dir = Path(args.out_dir)
    prepare_report(out_dir, num_images=args.num_images)
    inputs = resolve(
        args.runs,
        args.names,
        out_dir=out_dir,
        data_root=args.data_root,
        ann_file=args.ann_file,
        image_dir=args.image_dir,
        iou_type=args.iou_type,
        pictures=args.check_images,
    )
    comparison, evaluation = compare(
        inputs,
        num_resamples=args.num_resamples,
        confidence=args.confidence,
        seed=args.seed,
        threshold=args.score_threshold,
        slices=read_slices(args.slices, inputs.annotations) if args.slices else None,
        engine=args.engine,
    )
    print("", metrics_table(comparison), difference_tables(comparison), sep="\n\n")
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
