"""Average the scores of classifiers: senet-mm average A.npz B.npz ..."""

import argparse
from collections.abc import Sequence

from ..classification.errors import TOP, top_errors
from ..classification.scores import Scores, mean_of, read_scores, write_scores
from ..io.outputs import check_output, whole_output
from ..io.tables import markdown
from .arguments import Parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm average",
        description="Top-1 and top-5 error of classifiers and of the mean of their scores",
    )
    parser.add_argument("files", nargs="+", help="what `senet-mm test ... --out FILE.npz` wrote")
    parser.add_argument("--out", help="write the mean to this .npz file")
    args = parser.parse_args(argv)
    if len(args.files) < 2:
        parser.error("expected two files or more")
    if args.out and not args.out.endswith(".npz"):
        parser.error(f"--out {args.out}: expected an .npz file")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.out:
        check_output(args.out, "--out")
    listed = [read_scores(path) for path in args.files]
    mean = mean_of(listed)
    print(f"{len(mean.labels):,} images, {len(mean.classes):,} classes; errors in %\n")
    print(error_table([*listed, mean]))
    if args.out:
        with whole_output(args.out) as unfinished:
            write_scores(unfinished, mean)
        print(f"\nThe mean: {args.out}")


def error_table(listed: Sequence[Scores]) -> str:
    rows = [["scores", *(f"top-{k}" for k in TOP)], ["---"] * 3]
    for one in listed:
        errors = top_errors(one.scores, one.labels)
        rows.append([one.source, *(f"{errors[k]:.2f}" if k in errors else "-" for k in TOP)])
    return markdown(rows)
