"""COCO's matching of detections to objects, done once by a COCOeval."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from .annotations import Annotations
from .engines import evaluator_of
from .matches import ClassMatches, Matches
from .processes import in_processes
from .results import Detections

_IMAGES_AT_ONCE = 100  # bounds the memory of COCOeval, which keeps a dict per image and class
_WORTH_PROCESSES = 50_000  # detections; fewer are matched in seconds


def match(
    annotations: Annotations,
    detections: Detections,
    *,
    engine: str = "pycocotools",
    progress: bool = False,
) -> Matches:
    """:func:`match_runs` for one results file."""
    return match_runs(annotations, [detections], engine=engine, progress=progress)[0]


def match_runs(
    annotations: Annotations,
    runs: Sequence[Detections],
    *,
    engine: str = "pycocotools",
    workers: int = 1,
    progress: bool = False,
) -> list[Matches]:
    """Match detections to objects by ``COCOeval.evaluate``.

    Args:
        annotations: The annotations, with their masks where masks are matched.
        runs: What was found, each from :func:`..results.read_results` with the same annotations.
        engine: Whose COCOeval, one of :data:`.engines.ENGINES`; all give the same matches.
        workers: How many processes; one run, or few detections, are matched in this one. The
            matches are the same.
        progress: Whether to show a bar on stderr.

    Raises:
        ChildProcessError: If one of several processes was killed.
        ImportError: If the engine is not installed.
        ValueError: If masks are to be matched and those of the annotations were not read, or
            there is no such engine.
    """
    evaluator_of(engine)
    for run in runs:
        if run.iou_type == "segm" and annotations.objects.masks is None:
            raise ValueError(
                f"{run.path} holds masks, but those of {annotations.path} were not read: "
                "read_annotations(..., masks=True)"
            )
    if len(runs) < 2 or sum(len(run.score) for run in runs) < _WORTH_PROCESSES:
        workers = 1
    num_images = len(annotations.image_ids)
    num_blocks = -(-num_images // _IMAGES_AT_ONCE)
    blocks = (block for run in runs for block in _blocks(annotations, run, engine))
    bar = tqdm(total=len(runs) * num_blocks, desc="matching", disable=not progress)
    matches = []
    with bar, closing(in_processes(_match_block, blocks, workers=workers)) as found:
        for _ in runs:
            parts: list[list[_Part]] = [[] for _ in annotations.category_ids]
            for _ in range(num_blocks):
                for matched, part in zip(parts, next(found), strict=True):
                    matched.extend(part)
                bar.update()
            classes = tuple(map(_join, parts))
            matches.append(Matches(num_images, annotations.evaluated_classes, classes))
    return matches


@dataclass(frozen=True)
class _Block:
    """Some images with their objects and detections, as COCOeval takes them.

    Attributes:
        engine: Whose COCOeval.
        iou_type: 'bbox' or 'segm'.
        start: Index of the first image.
        sizes: Width and height of each.
        num_classes: Number of classes.
        objects: Its objects.
        detections: Its detections.
    """

    engine: str
    iou_type: str
    start: int
    sizes: list[tuple[int, int]]
    num_classes: int
    objects: list[dict[str, Any]]
    detections: list[dict[str, Any]]


def _blocks(annotations: Annotations, detections: Detections, engine: str) -> Iterator[_Block]:
    num_images = len(annotations.image_ids)
    order = np.argsort(detections.image, kind="stable")
    bounds = np.searchsorted(detections.image[order], np.arange(num_images + 1))
    for start in range(0, num_images, _IMAGES_AT_ONCE):
        stop = min(start + _IMAGES_AT_ONCE, num_images)
        # sizes are read for masks alone, and then they are known
        sizes = np.nan_to_num(annotations.image_sizes[start:stop], posinf=0).astype(int).tolist()
        yield _Block(
            engine=engine,
            iou_type=detections.iou_type,
            start=start,
            sizes=sizes,
            num_classes=len(annotations.category_ids),
            objects=_objects(annotations, start, stop),
            detections=_detections(detections, order[bounds[start] : bounds[stop]]),
        )


@dataclass(frozen=True)
class _Part:
    """Matches of one class in some images, before sorting by score."""

    score: np.ndarray
    matches: ClassMatches


def _match_block(block: _Block) -> list[list[_Part]]:
    """For each class, the matches in the images of a block."""
    evaluation = evaluator_of(block.engine)(
        _as_coco(block, block.objects), _as_coco(block, block.detections), block.iou_type
    )
    with redirect_stdout(io.StringIO()):
        evaluation.evaluate()
    areas, images = len(evaluation.params.areaRng), len(block.sizes)
    parts = []
    for at in range(0, len(evaluation.evalImgs), areas * images):
        by_area = [
            evaluation.evalImgs[at + a * images : at + (a + 1) * images] for a in range(areas)
        ]
        present = [i for i in range(images) if by_area[0][i] is not None]
        parts.append([_read(by_area, present, block.start)] if present else [])
    return parts


def _objects(annotations: Annotations, start: int, stop: int) -> list[dict[str, Any]]:
    """The objects of some images as COCOeval takes them, images and categories by their index."""
    objects = annotations.objects
    return [
        {
            "id": int(objects.ids[index]),
            "image_id": int(objects.image[index]),
            "category_id": int(objects.category[index]),
            "area": float(objects.area[index]),
            "iscrowd": int(objects.is_crowd[index]),
            "bbox": objects.boxes[index].tolist(),
            "segmentation": objects.masks and objects.masks[index],
        }
        for index in annotations.objects_in(start, stop).tolist()
    ]


def _detections(detections: Detections, chosen: np.ndarray) -> list[dict[str, Any]]:
    """The chosen detections as ``COCO.loadRes`` would make them."""
    shape = "bbox" if detections.iou_type == "bbox" else "segmentation"
    return [
        {
            "id": index + 1,
            "image_id": int(detections.image[index]),
            "category_id": int(detections.category[index]),
            "score": float(detections.score[index]),
            "area": float(detections.area[index]),
            "iscrowd": 0,
            "bbox": (0.0, 0.0, 0.0, 0.0),  # of masks it is asked for, and not used
            shape: detections.shapes[index],
        }
        for index in chosen.tolist()
    ]


def _as_coco(block: _Block, entries: list[dict[str, Any]]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "images": [
            {"id": image, "width": width, "height": height, "file_name": ""}
            for image, (width, height) in enumerate(block.sizes, start=block.start)
        ],
        "categories": [{"id": place, "name": ""} for place in range(block.num_classes)],
        "annotations": entries,
    }
    with redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def _read(by_area: Sequence[Sequence[dict]], present: Sequence[int], start: int) -> _Part:
    """Reads COCOeval's records of one class, as ``COCOeval.accumulate`` does."""
    rows = [[records[i] for i in present] for records in by_area]
    lengths = [len(record["dtScores"]) for record in rows[0]]
    matched, ignored = (
        np.stack([np.concatenate([r[key] for r in records], axis=1) for records in rows]) != 0
        for key in ("dtMatches", "dtIgnore")
    )
    objects = [
        np.repeat(
            np.array(present, dtype=np.int32) + start,
            [len(r["gtIgnore"]) - np.count_nonzero(r["gtIgnore"]) for r in records],
        )
        for records in rows
    ]
    return _Part(
        score=np.concatenate([record["dtScores"] for record in rows[0]]),
        matches=ClassMatches(
            image=np.repeat(np.array(present, dtype=np.int32) + start, lengths),
            rank=np.concatenate([np.arange(length, dtype=np.int16) for length in lengths]),
            hits=matched & ~ignored,
            counted=~ignored,
            objects=tuple(objects),
        ),
    )


def _join(parts: Sequence[_Part]) -> ClassMatches:
    """Joins one class' parts in the order of images, and sorts as COCOeval does."""
    if not parts:
        nothing = COCOeval(iouType="bbox").params
        shape = (len(nothing.areaRng), len(nothing.iouThrs), 0)
        return ClassMatches(
            image=np.zeros(0, np.int32),
            rank=np.zeros(0, np.int16),
            hits=np.zeros(shape, bool),
            counted=np.zeros(shape, bool),
            objects=(np.zeros(0, np.int32),) * shape[0],
        )
    order = np.argsort(-np.concatenate([part.score for part in parts]), kind="stable")
    matches = [part.matches for part in parts]
    return ClassMatches(
        image=np.concatenate([m.image for m in matches])[order],
        rank=np.concatenate([m.rank for m in matches])[order],
        hits=np.concatenate([m.hits for m in matches], axis=2)[:, :, order],
        counted=np.concatenate([m.counted for m in matches], axis=2)[:, :, order],
        objects=tuple(map(np.concatenate, zip(*(m.objects for m in matches), strict=True))),
    )
