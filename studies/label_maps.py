"""Write COCO's instance masks as label maps: python -m studies.label_maps DATA_ROOT

For each ``annotations/instances_SPLIT.json`` below the root, ``labels/SPLIT/NAME.png`` of each
image ``NAME.jpg``: 0 is the background, then come the categories in the order of the file. Where
objects overlap, the smaller one is seen; 255, which counts nowhere, are crowds.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils
from tqdm import tqdm

from senet_mm.cli.errors import run

BACKGROUND, IGNORED = 0, 255
_PREFIX = "instances_"


def label_map(
    height: int, width: int, annotations: list[dict[str, Any]], labels: dict[int, int]
) -> np.ndarray:
    """The label of each pixel of an image.

    Args:
        height: Of the image.
        width: Of the image.
        annotations: Its objects, as COCO has them.
        labels: By category id, 1 to 254.

    Returns:
        (height, width) of uint8.
    """
    result = np.full((height, width), BACKGROUND, np.uint8)
    for annotation in sorted(annotations, key=lambda a: (not a["iscrowd"], -a["area"])):
        crowd = annotation["iscrowd"]
        mask = _decode(annotation["segmentation"], height, width)
        result[mask] = IGNORED if crowd else labels[annotation["category_id"]]
    return result


def _decode(segmentation: Any, height: int, width: int) -> np.ndarray:
    if isinstance(segmentation, list):
        rle = mask_utils.merge(mask_utils.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = mask_utils.frPyObjects(segmentation, height, width)
    else:
        rle = segmentation
    return mask_utils.decode(rle).astype(bool)


def write_label_maps(root: Path) -> dict[str, int]:
    """Write the label maps of every split of a folder in COCO's layout.

    Returns:
        The number of images by split.

    Raises:
        FileNotFoundError: If there is no annotation file.
        ValueError: If a file has more categories than a label map can hold.
    """
    files = sorted((root / "annotations").glob(f"{_PREFIX}*.json"))
    if not files:
        raise FileNotFoundError(f"{root} has no annotations/{_PREFIX}SPLIT.json")
    written = {}
    for file in files:
        split, content = file.stem.removeprefix(_PREFIX), json.loads(file.read_text())
        labels = {category["id"]: i for i, category in enumerate(content["categories"], 1)}
        if len(labels) >= IGNORED:
            raise ValueError(
                f"{file} has {len(labels)} categories: expected {IGNORED - 1} or fewer"
            )
        objects = defaultdict(list)
        for annotation in content["annotations"]:
            objects[annotation["image_id"]].append(annotation)
        folder = root / "labels" / split
        folder.mkdir(parents=True, exist_ok=True)
        for image in tqdm(content["images"], desc=split, unit="image"):
            labelled = label_map(image["height"], image["width"], objects[image["id"]], labels)
            cv2.imwrite(str((folder / image["file_name"]).with_suffix(".png")), labelled)
        written[split] = len(content["images"])
    return written


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, metavar="DATA_ROOT", help="a folder in COCO's layout")
    return parser.parse_args()


def main() -> None:
    for split, number in write_label_maps(parse_args().root).items():
        print(f"{split}: {number} label maps")


if __name__ == "__main__":
    run(main)
