"""Detect objects in pictures and videos: senet-mm infer CONFIG CHECKPOINT INPUT [INPUT ...]"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from ..io.files import make_writable
from ..runs.config import read_config
from ..runs.data.pictures import reader_of
from ..runs.inference.detector import Detector
from ..runs.inference.frames import count_frames, read_frames
from ..runs.inference.results import IMAGES, RESULTS
from ..runs.inference.run import LeftOut, Outputs, detect
from ..runs.inference.sources import ACCEPTED, find_sources
from ..runs.preflight import prepare
from ..runs.task import Task, expect_task
from ..runs.tta import use_tta
from ..weights.read.sources import fetch
from . import common as cli
from . import infer_onnx
from .arguments import Parser, device, integer, number
from .launch import runs_exported


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    if runs_exported(sys.argv[1:] if argv is None else argv):
        return infer_onnx.parse_args(argv)
    parser = Parser(
        prog="senet-mm infer", description="Draw the detections of a model on pictures and videos"
    )
    parser.add_argument("config", help="config file, best the one saved in the work dir")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("inputs", nargs="+", metavar="input", help=ACCEPTED)
    parser.add_argument("--out-dir", default="outputs", help="where drawings and JSON go")
    parser.add_argument("--score-thr", type=number(0, 1), default=0.3, help="lowest score drawn")
    parser.add_argument(
        "--classes", nargs="+", metavar="NAME", help="draw and write objects of these classes alone"
    )
    parser.add_argument(
        "--batch-size", type=integer(1), default=1, help="pictures that the model sees at once"
    )
    cli.add_tta_argument(parser)
    parser.add_argument(
        "--no-draw", dest="draw", action="store_false", help="write JSON alone, which is faster"
    )
    parser.add_argument(
        "--device", type=device, help="such as cpu or cuda:0; CUDA where there is one"
    )
    parser.add_argument(
        "--onnx",
        metavar="FILE",
        help="run this file of senet-mm export instead of CONFIG and CHECKPOINT; it needs no mmdet",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.onnx:
        return infer_onnx.run(args)
    out_dir = Path(args.out_dir)
    make_writable(out_dir, args.out_dir, "choose another --out-dir")
    cfg = read_config(args.config)
    expect_task(cfg, Task.DETECTION, "senet-mm infer")
    left_out = LeftOut()
    found = find_sources(args.inputs, leave_out=out_dir)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    for problem in found.problems:
        left_out(problem)
    outputs = Outputs(found.sources, out_dir)
    # the first is read before the model, so that a run with nothing to look at ends here
    frames = read_frames(found.sources, reader_of(cfg), left_out)
    first = list(itertools.islice(frames, 1))
    if not first:
        raise ValueError(f"there is no picture to look at: {left_out}")
    cfg.work_dir = args.out_dir
    cfg.load_from, cfg.resume = None, False  # the detector is given what is read here
    checkpoint = fetch(args.checkpoint)
    prepare(cfg, "infer")
    if args.tta:
        use_tta(cfg)
    done = detect(
        Detector(cfg, checkpoint, args.device, args.classes),
        itertools.chain(first, frames),
        outputs,
        left_out,
        batch_size=args.batch_size,
        score_thr=args.score_thr,
        draw=args.draw,
        total=count_frames(found.sources),
    )
    print(done)
    print(f"results in {out_dir / RESULTS}, the images that they are of in {out_dir / IMAGES}")
    if args.draw:
        print(f"drawings in {outputs}")
    if left_out.phrases:
        total = len(left_out.phrases)
        what = "1 input was" if total == 1 else f"{total} inputs were"
        raise ValueError(f"{what} left out: {left_out}")
