"""Detect objects with an exported file: senet-mm infer --onnx FILE IMAGE [IMAGE ...]

Neither mmdet nor mmengine is imported here, so that it works where they are not installed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np

from ..export.runtime import Detections, OnnxDetector
from ..io.files import make_writable, write_whole
from ..io.outputs import spread

FLAG = "--onnx"


class _Parser(argparse.ArgumentParser):
    """As :class:`senet_mm.cli.arguments.Parser`, which needs the stack."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help shows the arguments)\n")


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog=f"senet-mm infer {FLAG}",
        description="Draw the detections of an exported file on pictures",
    )
    parser.add_argument(FLAG, required=True, metavar="FILE", help="what senet-mm export wrote")
    parser.add_argument("images", nargs="+", help="picture files")
    parser.add_argument("--out-dir", default="outputs", help="where drawings and JSON go")
    parser.add_argument("--score-thr", type=float, default=0.3, help="lowest score drawn")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    run(parse_args(argv))


def run(args: argparse.Namespace) -> None:
    """Detect, draw and write, as the arguments say."""
    make_writable(Path(args.out_dir), args.out_dir, "choose another --out-dir")
    detector = OnnxDetector(args.onnx)
    if not detector.description["nms"]:
        raise ValueError(f"{args.onnx} was exported with --no-nms: expected one that ends in NMS")
    names = [Path(Path(path).name) for path in args.images]
    left_out = []
    for path, name, folder in zip(args.images, names, spread(names, args.out_dir), strict=True):
        picture = cv2.imread(path)
        if picture is None:
            left_out.append(f"{path} is missing, or no picture that OpenCV reads")
            continue
        for kind in ("vis", "preds"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        found = detector(picture)
        write_whole(folder / "preds" / f"{name.stem}.json", json.dumps(as_json(found)))
        drawn = draw(picture, found, detector.classes, args.score_thr)
        cv2.imwrite(str(folder / "vis" / name), drawn)
    done = len(names) - len(left_out)
    print(f"{done} drawings in {args.out_dir}/vis, boxes in {args.out_dir}/preds")
    if done < len(names):
        raise ValueError(
            f"{len(left_out)} of {len(names)} pictures were left out: {'; '.join(left_out)}"
        )


def as_json(found: Detections) -> dict[str, Any]:
    """Detections in the layout of mmdet's inferencer; masks in COCO's uncompressed RLE."""
    content: dict[str, Any] = dict(
        labels=found.labels.tolist(), scores=found.scores.tolist(), bboxes=found.boxes.tolist()
    )
    if found.masks is not None:
        content["masks"] = [run_lengths(mask) for mask in found.masks]
    return content


def run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """A mask of shape (H, W) as COCO's uncompressed RLE: column by column, background first."""
    values = np.concatenate(([0], mask.T.ravel().astype(np.int8), [1 - mask.T.ravel()[-1]]))
    changes = np.flatnonzero(np.diff(values))
    return dict(size=list(mask.shape), counts=np.diff(changes, prepend=0).tolist())


def draw(
    picture: np.ndarray, found: Detections, classes: Sequence[str], threshold: float
) -> np.ndarray:
    """A picture with the boxes, and masks if there are any, of a score and more."""
    drawn = picture.copy()
    rng = np.random.default_rng(0)
    colors = rng.integers(64, 256, (max(len(classes), 1), 3)).tolist()
    for place in np.flatnonzero(found.scores >= threshold)[::-1]:
        label = int(found.labels[place])
        color = colors[label % len(colors)]
        if found.masks is not None:
            inside = found.masks[place]
            drawn[inside] = (drawn[inside] * 0.5 + np.array(color) * 0.5).astype(np.uint8)
        left, top, right, bottom = found.boxes[place].round().astype(int).tolist()
        cv2.rectangle(drawn, (left, top), (right, bottom), color, 2)
        name = classes[label] if label < len(classes) else str(label)
        text = f"{name} {found.scores[place]:.2f}"
        cv2.putText(drawn, text, (left, max(top - 4, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1)
    return drawn
