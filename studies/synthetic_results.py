"""Synthetic annotations and results of known quality: python -m studies.synthetic_results DIR"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from senet_mm.cli.errors import run

# val2017: image and object counts, and about its shares of small, medium and large objects
VAL2017_IMAGES, VAL2017_OBJECTS, VAL2017_CLASSES = 5000, 36_781, 80
_SIZE_SHARES = (0.41, 0.34, 0.25)
_SIDES = ((6, 32), (32, 96), (96, 320))  # pixels
_CROWD_SHARE = 0.01
_WIDTH, _HEIGHT = 640, 480


def make_truth(
    *,
    num_images: int = VAL2017_IMAGES,
    num_objects: int = VAL2017_OBJECTS,
    num_classes: int = VAL2017_CLASSES,
    seed: int = 0,
) -> dict:
    """Make annotations: few classes are frequent, few images are full, 1 % of objects are crowds.

    Returns:
        A COCO instances data set with boxes, no masks.
    """
    rng = np.random.default_rng(seed)
    fullness = rng.gamma(1.0, size=num_images) + 0.02
    image = np.sort(rng.choice(num_images, num_objects, p=fullness / fullness.sum()))
    frequency = 1 / np.arange(1, num_classes + 1)
    category = rng.choice(num_classes, num_objects, p=frequency / frequency.sum())
    low, high = np.array(_SIDES)[rng.choice(3, num_objects, p=_SIZE_SHARES)].T
    side = np.exp(rng.uniform(np.log(low), np.log(high)))
    aspect = np.exp(rng.normal(0, 0.3, num_objects))
    width, height = np.minimum(side * aspect, _WIDTH), np.minimum(side / aspect, _HEIGHT)
    x, y = rng.uniform(0, _WIDTH - width), rng.uniform(0, _HEIGHT - height)
    boxes = np.stack([x, y, width, height], axis=1).round(2)
    crowd = rng.random(num_objects) < _CROWD_SHARE
    return {
        "images": [
            {"id": i + 1, "width": _WIDTH, "height": _HEIGHT, "file_name": f"{i + 1:012d}.jpg"}
            for i in range(num_images)
        ],
        "categories": [{"id": c + 1, "name": f"class {c + 1}"} for c in range(num_classes)],
        "annotations": [
            {
                "id": index + 1,
                "image_id": int(image[index]) + 1,
                "category_id": int(category[index]) + 1,
                "bbox": boxes[index].tolist(),
                "area": float(boxes[index, 2] * boxes[index, 3]),
                "iscrowd": int(crowd[index]),
            }
            for index in range(num_objects)
        ],
    }


def make_results(
    truth: dict, *, quality: float = 0.0, per_image: int = 100, seed: int = 0
) -> list[dict]:
    """Perturb the ground truth into the boxes of a detector.

    Objects are missed or found with jittered boxes, and the images filled up with false
    positives, most of them of classes that the image has. Scores rise with the true overlap,
    with noise.

    Args:
        truth: COCO instances data set, whose images have width and height.
        quality: How good the detector is; from one to the next whole number, misses and jitter
            shrink by a third.
        per_image: Most detections in an image.
        seed: Seed of every choice.

    Returns:
        A COCO results list.
    """
    rng = np.random.default_rng(seed)
    scale = (2 / 3) ** quality
    objects: dict[int, list[dict]] = {}
    for annotation in truth["annotations"]:
        objects.setdefault(annotation["image_id"], []).append(annotation)
    categories = [category["id"] for category in truth["categories"]]
    results = []
    for image in truth["images"]:
        present = [a for a in objects.get(image["id"], []) if rng.random() > 0.15 * scale]
        present = present[:per_image]
        spare = per_image - len(present)
        extent = np.array([image["width"], image["height"]])
        truths = np.array([a["bbox"] for a in present], dtype=float).reshape(-1, 4)
        jitter = rng.normal(0, 1, (len(present), 4)) * rng.gamma(2, 0.06 * scale, (len(present), 1))
        found = truths.copy()
        found[:, :2] += jitter[:, :2] * truths[:, 2:]
        found[:, 2:] *= np.exp(jitter[:, 2:])
        overlap = np.exp(-2 * np.abs(jitter).sum(axis=1))
        side = np.exp(rng.uniform(np.log(8), np.log(300), (spare, 2)))
        false = np.concatenate([rng.uniform(0, extent - 8, (spare, 2)), side], axis=1)
        boxes = np.concatenate([found, false])
        corners = np.clip(
            np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1), 0, np.tile(extent, 2)
        )
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).round(2)
        true_score = 3 * overlap - 0.5 + rng.normal(0, 0.8, len(present))
        false_score = -2.5 + rng.normal(0, 1.2, spare)
        scores = 1 / (1 + np.exp(-np.concatenate([true_score, false_score])))
        near = [a["category_id"] for a in present] or categories
        labels = [a["category_id"] for a in present] + [
            near[rng.integers(len(near))]
            if rng.random() < 0.5
            else categories[rng.integers(len(categories))]
            for _ in range(spare)
        ]
        results += [
            {"image_id": image["id"], "category_id": label, "bbox": box, "score": score}
            for label, box, score in zip(labels, boxes.tolist(), scores.tolist(), strict=True)
        ]
    return results


def write_data_set(
    folder: str | Path,
    *,
    ann_file: str | Path | None = None,
    num_images: int = VAL2017_IMAGES,
    num_objects: int = VAL2017_OBJECTS,
    num_classes: int = VAL2017_CLASSES,
    per_image: int = 100,
    gain: float = 0.1,
    seed: int = 0,
) -> tuple[Path, tuple[Path, Path]]:
    """Write results of two detectors, and annotations unless there are some.

    Args:
        folder: Where the files go.
        ann_file: Annotations to perturb; by default :func:`make_truth` makes them.
        num_images: Images to make.
        num_objects: Objects to make.
        num_classes: Classes to make.
        per_image: Most detections in an image.
        gain: By how much the second detector's quality is above the first's 0.
        seed: Seed of every choice.

    Returns:
        The annotation file, and the two results files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if ann_file is None:
        truth = make_truth(
            num_images=num_images, num_objects=num_objects, num_classes=num_classes, seed=seed
        )
        ann_file = folder / "annotations.json"
        ann_file.write_text(json.dumps(truth))
    else:
        truth = json.loads(Path(ann_file).read_bytes())
    paths = (folder / "first.bbox.json", folder / "second.bbox.json")
    for index, (path, quality) in enumerate(zip(paths, (0.0, gain), strict=True), start=1):
        results = make_results(truth, quality=quality, per_image=per_image, seed=seed + index)
        path.write_text(json.dumps(results))
    return Path(ann_file), paths


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("folder", help="where the files go")
    parser.add_argument("--ann-file", help="annotations to perturb; made if not given")
    parser.add_argument("--images", type=int, default=VAL2017_IMAGES, help="to make")
    parser.add_argument("--objects", type=int, default=VAL2017_OBJECTS, help="to make")
    parser.add_argument("--classes", type=int, default=VAL2017_CLASSES, help="to make")
    parser.add_argument("--gain", type=float, default=0.1, help="of the second detector's quality")
    parser.add_argument("--seed", type=int, default=0, help="of every choice")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    ann_file, results_files = write_data_set(
        args.folder,
        ann_file=args.ann_file,
        num_images=args.images,
        num_objects=args.objects,
        num_classes=args.classes,
        gain=args.gain,
        seed=args.seed,
    )
    print(ann_file, *results_files, sep="\n")


if __name__ == "__main__":
    run(main)
