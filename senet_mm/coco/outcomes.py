"""What became of each detection and each object at an IoU of 0.5, classes crossed.

Other than COCO's matching, the rules of :mod:`.assignment` need the overlap of a detection with the
objects of all classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.cocoeval import Params
from tqdm import tqdm

from .annotations import Annotations
from .assignment import FOREGROUND, Columns, assign
from .masks import compress
from .results import Detections

SIZES = ("small", "medium", "large")
_SIZE_LIMITS = tuple(high for _, high in Params("bbox").areaRng[1:3])  # pixels
_MOST = 100  # detections of an image, the best ones


@dataclass(frozen=True, eq=False)
class Outcomes:
    """One results file: its D detections, image by image by falling score, and the N objects.

    The 100 best detections of an image count; crowds are no objects.

    Attributes:
        num_images: Number of images.
        num_classes: Number K of classes.
        image: (D,) image of each detection.
        category: (D,) its class.
        score: (D,) its score.
        found: (D,) the object that it found, of its class; -1 for none.
        iou: (D,) IoU with that object, 0 for none.
        is_ignored: (D,) whether it found none and lies in a crowd of its class.
        error: (D,) index into :data:`.assignment.ERRORS` of one that found none, else -1.
        error_size: (D,) index into :data:`SIZES`: of the object that it should have found, of the
            detection itself where there is none.
        fixed_class: (D,) the class in which it finds an object once its error is mended; -1 where
            it would be removed instead.
        confused: (D,) the object of another class that it overlaps most, by 0.5 or more; else -1.
        object_image: (N,) image of each object.
        object_category: (N,) its class.
        object_size: (N,) index into :data:`SIZES`.
        is_missed: (N,) whether none found it, and none would if its error were mended.
    """

    num_images: int
    num_classes: int
    image: np.ndarray
    category: np.ndarray
    score: np.ndarray
    found: np.ndarray
    iou: np.ndarray
    is_ignored: np.ndarray
    error: np.ndarray
    error_size: np.ndarray
    fixed_class: np.ndarray
    confused: np.ndarray
    object_image: np.ndarray
    object_category: np.ndarray
    object_size: np.ndarray
    is_missed: np.ndarray

    @property
    def hits(self) -> np.ndarray:
        """(D,) whether it found an object."""
        return self.found >= 0

    @property
    def counts(self) -> np.ndarray:
        """(D,) whether it counts: it is a hit or a false positive."""
        return self.hits | ~self.is_ignored


def find_outcomes(
    annotations: Annotations, detections: Detections, *, progress: bool = False
) -> Outcomes:
    """Take each detection to its object, and say what is wrong with those that have none.

    Args:
        annotations: The annotations, with their masks where masks were detected.
        detections: What was found.
        progress: Whether to show a bar on stderr.
    """
    objects = annotations.objects
    chosen = _best(detections)
    bounds = np.searchsorted(detections.image[chosen], np.arange(len(annotations.image_ids) + 1))
    counted = np.flatnonzero(~objects.is_crowd)
    place = np.full(len(objects.ids), -1, dtype=np.int32)
    place[counted] = np.arange(len(counted))
    columns = Columns.empty(len(chosen))
    for index in tqdm(range(len(bounds) - 1), desc="error types", disable=not progress):
        rows = slice(bounds[index], bounds[index + 1])
        inside = annotations.objects_in(index, index + 1)
        if rows.start == rows.stop or not inside.size:
            continue
        own, truths = chosen[rows], _shapes(annotations, detections.iou_type, inside)
        overlaps = mask_utils.iou(
            _take(detections.shapes, own, detections.iou_type),
            truths,
            objects.is_crowd[inside].astype(np.uint8),
        )
        crowds = objects.is_crowd[inside]
        same = detections.category[own][:, None] == objects.category[inside]
        columns.is_ignored[rows] = ((overlaps > FOREGROUND) & same)[:, crowds].any(axis=1)
        assign(columns, rows, overlaps[:, ~crowds], same[:, ~crowds], place[inside[~crowds]])
    columns.is_ignored[columns.found >= 0] = False
    return _outcomes(annotations, detections, chosen, counted, columns)


def size_of(area: np.ndarray) -> np.ndarray:
    """Index into :data:`SIZES` of areas in pixels; what lies on a limit is of the smaller one."""
    return np.searchsorted(_SIZE_LIMITS, area).astype(np.int8)


def _best(detections: Detections) -> np.ndarray:
    """Indices of the best detections of each image, image by image by falling score."""
    order = np.lexsort((-detections.score, detections.image))
    starts = np.searchsorted(detections.image[order], detections.image[order])
    return order[np.arange(len(order)) - starts < _MOST]


def _take(shapes: Sequence[Any], rows: np.ndarray, iou_type: str) -> Any:
    chosen = [shapes[row] for row in rows]
    return np.array(chosen, dtype=float).reshape(-1, 4) if iou_type == "bbox" else chosen


def _shapes(annotations: Annotations, iou_type: str, rows: np.ndarray) -> Any:
    objects = annotations.objects
    if iou_type == "bbox":
        return objects.boxes[rows]
    if objects.masks is None:
        raise ValueError(f"the masks of {annotations.path} were not read")
    width, height = annotations.image_sizes[objects.image[rows[0]]].astype(int).tolist()
    return [compress(objects.masks[row], height, width) for row in rows]


def _outcomes(
    annotations: Annotations,
    detections: Detections,
    chosen: np.ndarray,
    counted: np.ndarray,
    columns: Columns,
) -> Outcomes:
    objects = annotations.objects
    is_found = np.zeros(len(counted), dtype=bool)
    is_found[columns.found[columns.found >= 0]] = True
    # of those that should have found an object that nobody found, the best one is mended
    aimed = np.flatnonzero(columns.aim >= 0)
    aimed = aimed[~is_found[columns.aim[aimed]]]
    _, first = np.unique(columns.aim[aimed], return_index=True)
    winners = aimed[first]
    category = detections.category[chosen]
    own_size, object_size = (
        size_of(area) for area in (detections.area[chosen], objects.area[counted])
    )
    fixed_class = np.full(len(chosen), -1, dtype=np.int32)
    fixed_class[winners] = objects.category[counted][columns.aim[winners]]
    is_missed = ~is_found
    is_missed[columns.aim[aimed]] = False
    return Outcomes(
        num_images=len(annotations.image_ids),
        num_classes=len(annotations.category_ids),
        image=detections.image[chosen],
        category=category,
        score=detections.score[chosen],
        found=columns.found,
        iou=columns.iou,
        is_ignored=columns.is_ignored,
        error=columns.error,
        error_size=np.where(columns.aim >= 0, object_size[columns.aim], own_size)
        if len(counted)
        else own_size,
        fixed_class=fixed_class,
        confused=columns.confused,
        object_image=objects.image[counted],
        object_category=objects.category[counted],
        object_size=object_size,
        is_missed=is_missed,
    )
