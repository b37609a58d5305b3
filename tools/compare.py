"""Compare trained runs, the baseline first: python tools/compare.py WORK_DIR WORK_DIR ..."""

import argparse
from pathlib import Path

import senet_mm  # noqa: F401 (makes mmdet importable)
from senet_mm.evaluation.comparison import evaluate_run, markdown_table
from senet_mm.evaluation.pictures import draw_side_by_side
from senet_mm.evaluation.runs import read_run
from senet_mm.utils import cli


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare trained runs by COCO mAP and cost")
    parser.add_argument("work_dirs", nargs="+", help="work dirs of the runs, the baseline first")
    parser.add_argument(
        "--data-root", help="where the data set is, if not where it was in training"
    )
    parser.add_argument("--out-dir", default="work_dirs/comparison", help="for table and pictures")
    args = parser.parse_args()
    if len(args.work_dirs) < 2:
        parser.error("expected two work dirs or more, the baseline first")
    return args


def main() -> None:
    args = parse_args()
    runs = [read_run(work_dir, args.data_root) for work_dir in args.work_dirs]
    results = [evaluate_run(run) for run in runs]
    table = markdown_table(results)
    out_dir = Path(args.out_dir)
    pictures = draw_side_by_side(runs[0], results, out_dir)
    (out_dir / "comparison.md").write_text(table + "\n", encoding="utf-8")
    print(f"\n{table}\n\nTable: {out_dir / 'comparison.md'}")
    print("Pictures: " + ", ".join(map(str, pictures)))


if __name__ == "__main__":
    cli.run(main)
