"""Detect objects in pictures: python tools/infer.py CONFIG CHECKPOINT IMAGE [IMAGE ...]"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmdet.apis import DetInferencer
from mmengine.config import Config
from torch import nn

from ..io.files import make_writable
from ..io.outputs import spread
from ..runs.preflight import check_fit
from ..weights.load.match import fit_detector
from ..weights.read.sources import Checkpoint, fetch
from . import common as cli
from .arguments import Parser, device, number


class CheckedInferencer(DetInferencer):
    """mmdet's inferencer, with the tensors that were checked; no file is read a second time."""

    def __init__(self, cfg: Config, checkpoint: Checkpoint, device: str | None) -> None:
        self._checkpoint = checkpoint
        super().__init__(cfg, None, device, palette="random")

    def _load_weights_to_model(self, model: nn.Module, checkpoint: None, cfg: Config) -> None:
        weights, _ = fit_detector(model, self._checkpoint)
        check_fit(weights, model.state_dict(), self._checkpoint.source)
        content = {"state_dict": weights, "meta": self._checkpoint.meta}
        super()._load_weights_to_model(model, content, cfg)


def parse_args() -> argparse.Namespace:
    parser = Parser(description="Draw the detections of a model on pictures")
    parser.add_argument("config", help="config file, best the one saved in the work dir")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("images", nargs="+", help="picture files")
    parser.add_argument("--out-dir", default="outputs", help="where drawings and JSON go")
    parser.add_argument("--score-thr", type=number(0, 1), default=0.3, help="lowest score drawn")
    parser.add_argument(
        "--device", type=device, help="such as cpu or cuda:0; CUDA where there is one"
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    missing = [path for path in args.images if not Path(path).is_file()]
    if missing:
        raise FileNotFoundError(f"no such picture: {', '.join(missing)}")
    make_writable(Path(args.out_dir), args.out_dir, "choose another --out-dir")
    cfg = cli.read_config(args.config)
    checkpoint = fetch(args.checkpoint)
    inferencer = CheckedInferencer(cfg, checkpoint, args.device)
    folders = spread(args.images, args.out_dir)
    for folder, images in folders.items():
        inferencer(images, out_dir=str(folder), pred_score_thr=args.score_thr, no_save_pred=False)
        print(f"{len(images)} drawings in {folder}/vis, boxes in {folder}/preds")
    if len(folders) > 1:
        print("Pictures whose name was taken are in folders of their own, in the order given")
