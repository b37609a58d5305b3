"""Detections of several runs side by side with the ground truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..utils.data_root import palette
from .comparison import Result
from .runs import Run

_SCORE_THRESHOLD = 0.3
_MIN_SIDE = 384  # small pictures are enlarged, so that labels can be read
_CAPTION_HEIGHT = 28


def draw_side_by_side(
    run: Run, results: Sequence[Result], out_dir: Path, *, num_pictures: int = 3
) -> list[Path]:
    """Draw ground truth and each run's detections (score 0.3 or more) next to each other.

    Takes the images with the most annotated objects.

    Args:
        run: The run that names the test set's files.
        results: What to draw, from left to right.
        out_dir: Where the pictures go.
        num_pictures: How many images to draw.

    Returns:
        Paths of the pictures.
    """
    truth = json.loads(run.ann_file.read_bytes())
    names = {category["id"]: category["name"] for category in truth["categories"]}
    colors = dict(zip(names, palette(len(names)), strict=True))
    panels = {"ground truth": _by_image(truth["annotations"])}
    for result in results:
        found = json.loads(result.results_file.read_bytes())
        panels[result.name] = _by_image(d for d in found if d["score"] >= _SCORE_THRESHOLD)
    images = sorted(
        truth["images"], key=lambda image: -len(panels["ground truth"].get(image["id"], []))
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    paths = []
    for image in images[:num_pictures]:
        picture = cv2.imread(str(run.image_dir / image["file_name"]))
        drawn = [
            _draw(picture, boxes.get(image["id"], []), names, colors, caption)
            for caption, boxes in panels.items()
        ]
        path = out_dir / f"{Path(image['file_name']).stem}.png"
        cv2.imwrite(str(path), np.hstack(drawn))
        paths.append(path)
    return paths


def _by_image(boxes: Sequence[dict]) -> dict[int, list[dict]]:
    grouped: dict[int, list[dict]] = {}
    for box in boxes:
        grouped.setdefault(box["image_id"], []).append(box)
    return grouped


def _draw(
    picture: np.ndarray, boxes: list[dict], names: dict, colors: dict, caption: str
) -> np.ndarray:
    scale = max(1.0, _MIN_SIDE / min(picture.shape[:2]))
    canvas = cv2.resize(picture, None, fx=scale, fy=scale)
    canvas = cv2.copyMakeBorder(canvas, _CAPTION_HEIGHT, 0, 2, 2, cv2.BORDER_CONSTANT)
    offset = np.array([2, _CAPTION_HEIGHT])
    cv2.putText(
        canvas, caption, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA
    )
    for box in boxes:
        x, y, width, height = np.multiply(box["bbox"], scale)
        first = np.add((x, y), offset).round().astype(int).tolist()
        second = np.add((x + width, y + height), offset).round().astype(int).tolist()
        color = colors[box["category_id"]]
        label = names[box["category_id"]]
        if "score" in box:
            label += f" {box['score']:.2f}"
        cv2.rectangle(canvas, first, second, color, 2)
        at = (first[0] + 2, first[1] + 12)
        cv2.putText(canvas, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(
            canvas, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA
        )
    return canvas
