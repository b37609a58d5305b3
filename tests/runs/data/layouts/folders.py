"""YOLO and VOC folders made of COCO's files, and the numbers that a fixed detector has on each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SPLITS = ("train", "val")


def coco_data(root: Path, split: str) -> dict[str, Any]:
    return json.loads((root / "annotations" / f"instances_{split}2017.json").read_text())


def write_yolo(coco: Path, root: Path, *, decimals: int = 6, polygons: bool = False) -> Path:
    """A YOLO folder of the pictures of a folder as of COCO's."""
    for split in SPLITS:
        data = coco_data(coco, split)
        numbers = {one["id"]: number for number, one in enumerate(data["categories"])}
        (root / "labels" / split).mkdir(parents=True)
        (root / "images" / split).mkdir(parents=True)
        for image in data["images"]:
            name, sides = image["file_name"], (image["width"], image["height"])
            (root / "images" / split / name).symlink_to((coco / f"{split}2017" / name).resolve())
            lines = []
            for one in data["annotations"]:
                if one["image_id"] == image["id"]:
                    x, y, w, h = one["bbox"]
                    values = [(x + w / 2), (y + h / 2), w, h]
                    if polygons:
                        values = one["segmentation"][0]
                    parts = [value / sides[place % 2] for place, value in enumerate(values)]
                    written = " ".join(f"{part:.{decimals}f}" for part in parts)
                    lines.append(f"{numbers[one['category_id']]} {written}\n")
            if lines:
                (root / "labels" / split / f"{Path(name).stem}.txt").write_text("".join(lines))
    names = [one["name"] for one in data["categories"]]
    write_yaml(root, names=names, train="images/train", val="images/val")
    return root


def write_yaml(root: Path, **data: object) -> Path:
    (root / "data.yaml").write_text(yaml.safe_dump(data))
    return root / "data.yaml"


def xml(boxes: Mapping[str, tuple] | list, *, size: tuple[int, int], more: str = "") -> str:
    """A VOC label file; ``boxes`` are (name, corners)."""
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax>"
        f"<ymax>{y2}</ymax></bndbox>{more}</object>"
        for name, (x1, y1, x2, y2) in boxes
    )
    return (
        f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>"
        f"{objects}</annotation>"
    )


def write_voc(coco: Path, root: Path) -> Path:
    """A VOC folder of the pictures of a folder as of COCO's."""
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    for split in SPLITS:
        data = coco_data(coco, split)
        names = {one["id"]: one["name"] for one in data["categories"]}
        stems = []
        for image in data["images"]:
            file, stem = image["file_name"], Path(image["file_name"]).stem
            stems.append(f"{split}_{stem}")
            picture = root / "JPEGImages" / f"{split}_{file}"
            picture.symlink_to((coco / f"{split}2017" / file).resolve())
            boxes = [
                (names[one["category_id"]], (x, y, x + w, y + h))
                for one in data["annotations"]
                if one["image_id"] == image["id"]
                for x, y, w, h in [one["bbox"]]
            ]
            content = xml(boxes, size=(image["width"], image["height"]))
            (root / "Annotations" / f"{split}_{stem}.xml").write_text(content)
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(stems) + "\n")
    return root


def detections(data: Mapping[str, Any], seed: int = 0) -> list[dict[str, Any]]:
    """What a poor detector finds: the objects, moved, some missed, some in another class."""
    rng = np.random.default_rng(seed)
    names = [one["name"] for one in data["categories"]]
    files = {one["id"]: Path(one["file_name"]).stem for one in data["images"]}
    own = {one["id"]: one["name"] for one in data["categories"]}
    found = []
    for one in data["annotations"]:
        if rng.random() < 0.1:
            continue
        # whole pixels: then IoU and area lie on thresholds often
        box = (np.array(one["bbox"]) + rng.integers(-6, 7, 4)).clip(1).tolist()
        name = own[one["category_id"]] if rng.random() < 0.9 else names[rng.integers(len(names))]
        found.append(dict(stem=files[one["image_id"]], bbox=box, name=name, score=rng.random()))
    return found


def metrics(ann_file: Path, found: list[dict[str, Any]]) -> np.ndarray:
    """pycocotools' 12 numbers."""
    coco = COCO(str(ann_file))
    images = {
        Path(one["file_name"]).stem.removeprefix("train_").removeprefix("val_"): one["id"]
        for one in coco.dataset["images"]
    }
    names = {one["name"]: one["id"] for one in coco.dataset["categories"]}
    results = [
        dict(
            image_id=images[one["stem"]],
            category_id=names[one["name"]],
            bbox=one["bbox"],
            score=one["score"],
        )
        for one in found
    ]
    evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats
