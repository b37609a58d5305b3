"""Lay BCCD out as COCO files: python -m studies.bccd SOURCE DATA_ROOT

SOURCE is ``BCCD`` of a clone of https://github.com/Shenggan/BCCD_Dataset (MIT), in VOC's layout:
``Annotations/*.xml``, ``JPEGImages/*.jpg``, and the splits in ``ImageSets/Main/*.txt``. DATA_ROOT
gets its ``train`` (205 pictures) and ``val`` (87) under COCO's names; pictures are copied.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from senet_mm.cli.errors import run

CLASSES = ("RBC", "WBC", "Platelets")


def coco_of(folder: Path, names: list[str]) -> dict[str, Any]:
    """The objects of some pictures, as COCO has them.

    Args:
        folder: Of the XML files.
        names: Of the pictures, without a suffix.

    Returns:
        COCO's dict. A box is from corner to corner: its width is xmax - xmin, in pixels. Boxes
        without an area, of which each split has one, are left out.

    Raises:
        ValueError: If an object is of another class.
    """
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for name in names:
        file = folder / f"{name}.xml"
        root = ElementTree.parse(file).getroot()
        width, height = (int(root.findtext(f"size/{side}", "")) for side in ("width", "height"))
        images.append(dict(id=len(images) + 1, file_name=f"{name}.jpg", width=width, height=height))
        for element in root.iter("object"):
            label = element.findtext("name", "")
            if label not in CLASSES:
                raise ValueError(f"{file}: name {label!r}: expected one of {', '.join(CLASSES)}")
            x1, y1, x2, y2 = (
                int(element.findtext(f"bndbox/{edge}", ""))
                for edge in ("xmin", "ymin", "xmax", "ymax")
            )
            if x2 > x1 and y2 > y1:
                annotations.append(
                    dict(
                        id=len(annotations) + 1,
                        image_id=len(images),
                        category_id=CLASSES.index(label) + 1,
                        bbox=[x1, y1, x2 - x1, y2 - y1],
                        area=(x2 - x1) * (y2 - y1),
                        iscrowd=0,
                    )
                )
    categories = [dict(id=index, name=name) for index, name in enumerate(CLASSES, 1)]
    return dict(images=images, annotations=annotations, categories=categories)


def write(source: Path, data_root: Path) -> dict[str, int]:
    """Write annotation files and copy the pictures; the number of pictures by split."""
    written = {}
    (data_root / "annotations").mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        names = (source / f"ImageSets/Main/{split}.txt").read_text().split()
        content = coco_of(source / "Annotations", names)
        pictures = data_root / f"{split}2017"
        pictures.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(source / f"JPEGImages/{name}.jpg", pictures)
        file = data_root / f"annotations/instances_{split}2017.json"
        file.write_text(json.dumps(content))
        written[split] = len(names)
    return written


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "source", type=Path, metavar="SOURCE", help="BCCD in a clone of the data set"
    )
    parser.add_argument(
        "data_root", type=Path, metavar="DATA_ROOT", help="where the COCO layout goes"
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    for split, number in write(args.source, args.data_root).items():
        print(f"{split}: {number} pictures")


if __name__ == "__main__":
    run(main)
