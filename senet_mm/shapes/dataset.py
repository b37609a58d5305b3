"""The embedded data set: generated scenes with COCO boxes and instance masks.

The classes, in the order of their category ids (from 1):

- ``square``, ``triangle``, ``star``, ``ring``, ``cross``: the outline decides. Most objects of a
  kind are near its usual hue, the rest have any.
- ``sun``, ``moon``: the same disc, painted by the same rule. It is a sun in a picture under warm
  light and a moon in one under cool light. The light is the hue that most of the background is
  tinted with (reds to yellows, or blues to greens); brightness, objects and part of the clutter
  do not depend on it. Telling the two apart takes a statistic of the whole picture, which is what
  a channel gate computes.

Every picture has textured clutter and unlabelled distractors (bars, ellipses, half discs, rings
with a gap, corners); objects occlude each other, and their masks are what remains visible. Every
16th picture has no object.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from .masks import mask_fields
from .render import LIGHTS, Scene, render_scene
from .scratch import remove_leftovers, scratch_folder

CLASSES: tuple[str, ...] = ("square", "triangle", "star", "ring", "cross", "sun", "moon")
SPLITS: tuple[str, ...] = ("train2017", "val2017")

MARKER = "shapes.json"
# Raise it with every change that alters a picture or an annotation.
GENERATOR_VERSION = 1

_EMPTY_EVERY = 16
_JPEG_QUALITY = 92
_SHORT = 200  # pictures without a progress bar


def generate_shapes(
    root: str | Path,
    *,
    num_train: int = 200,
    num_val: int = 100,
    image_size: int | tuple[int, int] = 256,
    max_objects: int = 8,
    seed: int = 0,
    force: bool = False,
) -> Path:
    """Writes the set in COCO's layout, or reuses the one that is there.

    Writes ``train2017/``, ``val2017/`` (JPEG), ``annotations/instances_{split}.json`` and the
    marker ``shapes.json``. The set is built beside ``root`` and renamed at the end, so ``root``
    holds a whole set or none. Each picture depends on ``seed``, its split and its index, so a
    longer set begins with the shorter one.

    Args:
        root: Directory to create; missing parents are made.
        num_train: Training pictures, at least 1.
        num_val: Validation pictures, at least 1.
        image_size: Side in pixels, or (height, width); at least 64 each.
        max_objects: Most objects in a picture, at least 1.
        seed: At least 0.
        force: Replace what ``root`` holds, if that is a shapes set and nothing more.

    Returns:
        The resolved ``root``.

    Raises:
        ValueError: An argument is out of range.
        FileExistsError: ``root`` holds anything else, and ``force`` does not apply.
    """
    size = tuple(image_size) if isinstance(image_size, tuple | list) else (image_size,) * 2
    if len(size) != 2:
        raise ValueError(f"image_size={image_size!r}: expected a side or (height, width)")
    _check_least(num_train=num_train, num_val=num_val, max_objects=max_objects, least=1)
    for side in size:
        _check_least(image_size=side, least=64)
    _check_least(seed=seed, least=0)

    root = Path(root).resolve()
    counts = dict(zip(SPLITS, (num_train, num_val), strict=True))
    options = {
        "generator_version": GENERATOR_VERSION,
        "num_images": counts,
        "image_size": list(size),
        "max_objects": max_objects,
        "seed": seed,
    }
    if _holds(root, options):
        print(f"Reusing the shapes set in {root}")
        return root
    _check_replaceable(root, force)

    root.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(root)
    with scratch_folder(root) as scratch:
        built = Path(scratch, "new")
        built.mkdir()
        summary = {
            split: _write_split(built, split, counts[split], size, max_objects, seed)
            for split in SPLITS
        }
        (built / MARKER).write_text(json.dumps({"options": options, "splits": summary}, indent=2))
        if _holds(root, options):  # another process was faster
            return root
        _check_replaceable(root, force)
        if root.exists():
            root.rename(Path(scratch, "old"))
        built.rename(root)
    return root


def describe_shapes(root: str | Path) -> dict[str, dict[str, Any]]:
    """Reads the counts of a written set.

    Returns:
        For each split: ``images``, ``annotations`` and ``per_class`` (class name to count).

    Raises:
        FileNotFoundError: ``root`` holds no shapes set.
    """
    marker = _read_marker(Path(root))
    if marker is None:
        raise FileNotFoundError(f"{root} holds no shapes set (no readable {MARKER})")
    return marker["splits"]


def sample_scene(
    split: str,
    index: int,
    *,
    image_size: tuple[int, int] = (256, 256),
    max_objects: int = 8,
    seed: int = 0,
) -> Scene:
    """Renders picture ``index`` (from 0) of a split, as ``generate_shapes`` writes it."""
    rng = np.random.Generator(np.random.PCG64([seed, SPLITS.index(split), index]))
    light = LIGHTS[rng.integers(len(LIGHTS))]
    num_objects = int(rng.integers(1, max_objects + 1))
    if index % _EMPTY_EVERY == _EMPTY_EVERY - 1:
        num_objects = 0
    height, width = image_size
    return render_scene(rng, height=height, width=width, num_objects=num_objects, light=light)


def _check_least(*, least: int, **values: object) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name}={value!r}: expected an integer of at least {least}")


def _write_split(
    root: Path, split: str, num_images: int, size: tuple[int, int], max_objects: int, seed: int
) -> dict[str, Any]:
    """Writes one split's pictures and annotation file; returns its counts."""
    image_dir = root / split
    image_dir.mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    # a short set is there at once
    quiet = num_images < _SHORT or not sys.stderr.isatty()
    for index in tqdm(range(num_images), desc=split, unit="picture", disable=quiet):
        scene = sample_scene(split, index, image_size=size, max_objects=max_objects, seed=seed)
        image_id = index + 1
        file_name = f"{image_id:012d}.jpg"
        _, jpeg = cv2.imencode(".jpg", scene.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        (image_dir / file_name).write_bytes(jpeg.tobytes())
        image = {"id": image_id, "file_name": file_name, "height": size[0], "width": size[1]}
        images.append(image | {"license": 1})
        for instance in scene.instances:
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": CLASSES.index(instance.category) + 1,
                "iscrowd": 0,
            }
            annotations.append(annotation | mask_fields(instance.mask))
    coco = {
        "info": {"description": "senet_mm shapes", "version": str(GENERATOR_VERSION)},
        "licenses": [{"id": 1, "name": "generated", "url": ""}],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": i, "name": name, "supercategory": "shape"} for i, name in enumerate(CLASSES, 1)
        ],
    }
    path = root / "annotations" / f"instances_{split}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(coco, separators=(",", ":")))
    found = Counter(CLASSES[a["category_id"] - 1] for a in annotations)
    return {
        "images": num_images,
        "annotations": len(annotations),
        "per_class": {name: found[name] for name in CLASSES},
    }


def _read_marker(root: Path) -> dict[str, Any] | None:
    try:
        marker = json.loads((root / MARKER).read_text())
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) and {"options", "splits"} <= set(marker) else None


def _holds(root: Path, options: dict[str, Any]) -> bool:
    """Whether ``root`` is a whole set made with these options."""
    marker = _read_marker(root)
    return (
        marker is not None
        and marker["options"] == options
        and all(
            (root / "annotations" / f"instances_{split}.json").is_file()
            and sum(1 for _ in (root / split).glob("*.jpg")) == num_images
            for split, num_images in options["num_images"].items()
        )
    )


def _check_replaceable(root: Path, force: bool) -> None:
    """Raises FileExistsError unless ``root`` is absent, empty, or a mere set and ``force``."""
    if not root.exists():
        return
    if not root.is_dir():
        raise FileExistsError(f"{root} exists and is no directory; name another path")
    if not any(root.iterdir()):
        return
    known = {*SPLITS, "annotations", MARKER}
    if _read_marker(root) is None or any(entry.name not in known for entry in root.iterdir()):
        raise FileExistsError(
            f"{root} exists and holds other things than a shapes set; "
            "name a new or an empty directory"
        )
    if not force:
        raise FileExistsError(
            f"{root} holds a shapes set made with other options, or with files missing; "
            "name another directory, or replace it with force=True (--force)"
        )
