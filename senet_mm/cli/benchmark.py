"""Time SE against the plain net and against others: senet-mm benchmark [--quick] ..."""

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from ..profiling.executions import EAGER, EXECUTIONS, GRAPH, ONNX
from ..profiling.report import as_json, machine, plot_ratios, speed_table
from ..profiling.speed import measure
from ..profiling.steps import LAYOUTS, PARTS, PRECISIONS, TASKS, Setting
from .arguments import Parser, device, integer

_EXPORTED = ("backbone", "float32")  # what onnxruntime is timed on


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm benchmark",
        description="Time and memory of SE-ResNet against ResNet and other SE, taking turns",
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["backbone"])
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=["float32"])
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=["nchw"])
    parser.add_argument(
        "--executions",
        nargs="+",
        choices=EXECUTIONS,
        default=[EAGER],
        help="compiled: by torch.compile; cuda-graph: of inference, kernels without Python; onnx: "
        "inference of the exported backbone by onnxruntime, on the CPU",
    )
    parser.add_argument(
        "--onnx", action="store_true", help=f"the same as --executions {ONNX} --tasks inference"
    )
    parser.add_argument(
        "--bn",
        nargs="+",
        choices=("frozen", "training"),
        default=["frozen"],
        help="statistics of batch norm in training: fixed, as in mmdet's detectors, or not",
    )
    parser.add_argument("--depth", type=int, default=50, choices=(18, 34, 50, 101, 152))
    parser.add_argument("--batch", type=integer(1), help="images; 1 in inference, 2 in training")
    parser.add_argument(
        "--size", type=integer(1), nargs=2, metavar=("H", "W"), help="480 640; in training 320 320"
    )
    parser.add_argument(
        "--device", type=device, default="cuda" if torch.cuda.is_available() else "cpu"
    )
    nets = parser.add_mutually_exclusive_group()
    nets.add_argument("--variants", nargs="+", help="names as in the table, plain among them")
    nets.add_argument(
        "--configs",
        nargs="+",
        default=[],
        help="time the nets of config files instead, the baseline first",
    )
    parser.add_argument("--rounds", type=integer(2), default=20, help="passes of each variant")
    parser.add_argument("--quick", action="store_true", help="small images and few rounds")
    parser.add_argument("--out-dir", default="work_dirs/benchmark", help="for JSON and plot")
    args = parser.parse_args(argv)
    if args.quick:
        args.size, args.rounds = args.size or [128, 128], 5
    if args.onnx:
        args.executions, args.tasks = [ONNX], ["inference"]
    if ONNX in args.executions:
        if torch.device(args.device).type != "cpu":
            parser.error(f"--executions {ONNX}: --device is {args.device}, expected cpu")
        others = [one for one in (*args.parts, *args.precisions) if one not in _EXPORTED]
        if others:
            parser.error(f"--executions {ONNX}: {others[0]}: expected {' and '.join(_EXPORTED)}")
    if GRAPH in args.executions and torch.device(args.device).type != "cuda":
        parser.error(f"--executions {GRAPH}: --device is {args.device}, expected a CUDA device")
    return args


def settings(args: argparse.Namespace) -> list[Setting]:
    found = []
    for execution, task, part, precision, layout, norm in itertools.product(
        args.executions, args.tasks, args.parts, args.precisions, args.layouts, args.bn
    ):
        inference = task == "inference"
        if inference and norm != args.bn[0]:
            continue  # batch norm has fixed statistics in inference in any case
        if execution in (GRAPH, ONNX) and not inference:
            continue
        found.append(
            Setting(
                task=task,
                part=part,
                frozen=inference or norm == "frozen",
                precision=precision,
                layout=layout,
                batch=args.batch or (1 if inference else 2),
                size=tuple(args.size or ((480, 640) if inference else (320, 320))),
                depth=args.depth,
                device=args.device,
                configs=tuple(args.configs),
                execution=execution,
            )
        )
    return found


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    out_dir = Path(args.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    where = machine(args.device)
    results = {}
    for setting in settings(args):
        print(f"\n{setting.title}; {where}", flush=True)
        results[setting] = measure(setting, rounds=args.rounds, names=args.variants)
        print(f"\n{speed_table(results[setting])}", flush=True)
    (out_dir / "speed.json").write_text(json.dumps(as_json(results, where), indent=1))
    plot_ratios(results, out_dir / "speed.png")
    print(f"\nNumbers: {out_dir / 'speed.json'}, plot: {out_dir / 'speed.png'}")
