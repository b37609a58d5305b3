"""Detect objects in pictures: senet-mm infer CONFIG CHECKPOINT IMAGE [IMAGE ...]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdet.apis import DetInferencer
from mmengine.config import Config
from torch import nn

from ..io.files import make_writable
from ..io.outputs import spread
from ..runs.config import read_config
from ..runs.data.class_names import named_meta
from ..runs.data.pictures import readable, reader_of
from ..runs.preflight import prepare
from ..runs.task import Task, expect_task
from ..weights.load.complete import check_complete
from ..weights.load.detector import match_detector
from ..weights.read.checkpoint import Checkpoint
from ..weights.read.sources import fetch
from . import infer_onnx
from .arguments import Parser, device, number
from .launch import runs_exported


class CheckedInferencer(DetInferencer):
    """mmdet's inferencer, with the tensors that were checked; no file is read a second time."""

    def __init__(self, cfg: Config, checkpoint: Checkpoint, device: str | None) -> None:
        self._checkpoint = checkpoint
        super().__init__(cfg, None, device, palette="random")

    def _load_weights_to_model(self, model: nn.Module, checkpoint: None, cfg: Config) -> None:
        weights, _ = match_detector(model, self._checkpoint)
        check_complete(weights, model.state_dict(), self._checkpoint.source)
        content = {"state_dict": weights, "meta": named_meta(self._checkpoint, cfg)}
        super()._load_weights_to_model(model, content, cfg)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    if runs_exported(sys.argv[1:] if argv is None else argv):
        return infer_onnx.parse_args(argv)
    parser = Parser(prog="senet-mm infer", description="Draw the detections of a model on pictures")
    parser.add_argument("config", help="config file, best the one saved in the work dir")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("images", nargs="+", help="picture files")
    parser.add_argument("--out-dir", default="outputs", help="where drawings and JSON go")
    parser.add_argument("--score-thr", type=number(0, 1), default=0.3, help="lowest score drawn")
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
    make_writable(Path(args.out_dir), args.out_dir, "choose another --out-dir")
    cfg = read_config(args.config)
    expect_task(cfg, Task.DETECTION, "senet-mm infer")
    pictures, problems = readable(args.images, reader_of(cfg))
    if not pictures:
        raise ValueError(f"no such picture: {'; '.join(problems)}")
    cfg.work_dir = args.out_dir
    cfg.load_from, cfg.resume = None, False  # the inferencer is given what is read here
    checkpoint = fetch(args.checkpoint)
    prepare(cfg, "infer")
    inferencer = CheckedInferencer(cfg, checkpoint, args.device)
    folders = spread(pictures, args.out_dir)
    for folder, images in folders.items():
        inferencer(images, out_dir=str(folder), pred_score_thr=args.score_thr, no_save_pred=False)
        print(f"{len(images)} drawings in {folder}/vis, boxes in {folder}/preds")
    if len(folders) > 1:
        print("Pictures whose name was taken are in folders of their own, in the order given")
    if problems:
        raise ValueError(
            f"{len(problems)} of {len(args.images)} pictures were left out: {'; '.join(problems)}"
        )
