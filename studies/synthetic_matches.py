"""Matches of detectors of known quality, made without files: fast, for simulations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from senet_mm.coco.accumulate import AREA, IOU_THRESHOLDS
from senet_mm.coco.matches import ClassMatches, Matches


@dataclass(frozen=True, eq=False)
class Scene:
    """Images with objects of one class.

    Attributes:
        num_images: Number of images.
        image: (N,) the image of each object.
        hardness: (N,) how hard each is to locate; 1 on average.
    """

    num_images: int
    image: np.ndarray
    hardness: np.ndarray


def make_scene(rng: np.random.Generator, *, num_images: int, num_with_class: int) -> Scene:
    """Images of which some hold one object or more."""
    holding = np.sort(rng.choice(num_images, num_with_class, replace=False))
    image = np.repeat(holding, 1 + rng.poisson(0.5, num_with_class))
    return Scene(num_images, image.astype(np.int32), rng.gamma(3, 1 / 3, len(image)))


def detect(rng: np.random.Generator, scene: Scene, *, quality: float = 0.0) -> Matches:
    """What a detector finds; from one quality to the next whole number errors shrink by a third.

    15 % of the objects are missed. The overlap with the others falls with their hardness, and
    scores rise with it. False positives are there mostly in images with objects.
    """
    scale = (2 / 3) ** quality
    found = rng.random(len(scene.image)) > 0.15 * scale
    overlap = 1 - rng.gamma(2, 0.08 * scale, len(scene.image)) * scene.hardness
    has_objects = np.isin(np.arange(scene.num_images), scene.image)
    number = rng.poisson(np.where(has_objects, 1.0, 0.15))
    false = np.repeat(np.arange(scene.num_images, dtype=np.int32), number)
    image = np.concatenate([scene.image[found], false])
    overlap = np.concatenate([overlap[found], np.zeros(len(false))])
    score = np.where(overlap > 0, 3 * overlap - 1, -1.2) + rng.normal(0, 0.8, len(image))
    order = np.argsort(-score)
    hits = np.zeros((len(AREA), len(IOU_THRESHOLDS), len(image)), dtype=bool)
    hits[AREA["a"]] = overlap[order] >= IOU_THRESHOLDS[:, None]
    counted = np.zeros_like(hits)
    counted[AREA["a"]] = True
    nothing = np.zeros(0, dtype=np.int32)
    one = ClassMatches(
        image=image[order],
        rank=np.zeros(len(image), dtype=np.int16),  # read for recall of few detections alone
        hits=hits,
        counted=counted,
        objects=tuple(scene.image if area == "a" else nothing for area in AREA),
    )
    return Matches(scene.num_images, ("class",), (one,))
