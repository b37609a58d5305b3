"""Pictures of the embedded shapes set: textures, outlines, and the scenes made of them.

A scene is painted back to front in YCrCb. The light of a scene ("warm" or "cool") tints the
background's chroma and touches nothing else: no random draw, no luma and no object depends on it.
Two scenes from the same generator state under different lights therefore hold the same objects in
the same places with the same pixels, and only the name of a disc tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .draw import fill, ngon, outline, paint

LIGHTS = ("warm", "cool")
DISC_NAMES = {"warm": "sun", "cool": "moon"}
# Direction of the background's tint in the plane (Cr - 128, Cb - 128), in radians.
_TINT_ANGLES = {"warm": -np.pi / 4, "cool": 3 * np.pi / 4}

# "disc" stands twice, so that sun and moon are each as common as any other class.
_OBJECTS = ("square", "triangle", "star", "ring", "cross", "disc", "disc")
_DISTRACTORS = ("bar", "ellipse", "half", "arc", "corner")

_MIN_VISIBLE = 0.6  # smallest share of an object that those above it may leave
_MIN_DIAMETER = 14.0  # pixels
_DIAMETER_RANGE = (0.12, 0.65)  # of the shorter image side
_MAX_TILT = 0.5  # radians
# Each kind of object has a usual hue, which most of its kind are near; the outline decides.
_USUAL_HUES = {kind: 2 * np.pi * i / 6 for i, kind in enumerate(_OBJECTS[:6])}
_USUAL_HUE_SHARE = 0.85
_PLACEMENT_TRIES = 12
_NEIGHBOUR_SHARE = 0.25  # items put against an earlier one, for occlusion


@dataclass(frozen=True)
class Instance:
    """One visible object: its class name and the (H, W) bool mask of its visible part."""

    category: str
    mask: np.ndarray


@dataclass(frozen=True)
class Scene:
    """One picture: (H, W, 3) uint8 BGR image, its light, and its objects, back to front."""

    image: np.ndarray
    light: str
    instances: tuple[Instance, ...]


@dataclass
class _Layer:
    """A painted item; ``mask`` shrinks as later items cover it."""

    kind: str
    centre: np.ndarray
    radius: float
    mask: np.ndarray
    min_area: float


def render_scene(
    rng: np.random.Generator,
    *,
    height: int,
    width: int,
    num_objects: int,
    light: str,
) -> Scene:
    """Paints one cluttered scene.

    Args:
        rng: Source of every random choice.
        height: Image height in pixels.
        width: Image width in pixels.
        num_objects: Objects to try to place; one that finds no place where enough of the objects
            below it stays visible is left out. With 0 the scene has background and distractors.
        light: One of ``LIGHTS``.
    """
    canvas = _paint_background(rng, height, width, _TINT_ANGLES[light])
    kinds = [str(kind) for kind in rng.choice(_OBJECTS, num_objects)]
    kinds += [str(kind) for kind in rng.choice(_DISTRACTORS, rng.integers(0, 3))]
    rng.shuffle(kinds)

    layers: list[_Layer] = []
    for kind in kinds:
        layer = _place(rng, kind, layers, height, width)
        if layer is None:
            continue
        for below in layers:
            below.mask &= ~layer.mask
        layers.append(layer)
        _paint_item(rng, canvas, layer)

    instances = tuple(
        Instance(DISC_NAMES[light] if layer.kind == "disc" else layer.kind, layer.mask)
        for layer in layers
        if layer.kind in _OBJECTS
    )
    return Scene(_develop(rng, canvas), light, instances)


def _place(
    rng: np.random.Generator, kind: str, layers: list[_Layer], height: int, width: int
) -> _Layer | None:
    """Finds a place that leaves enough of every earlier object visible, or returns None."""
    side = min(height, width)
    low, high = max(_MIN_DIAMETER, _DIAMETER_RANGE[0] * side), _DIAMETER_RANGE[1] * side
    radius = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / 2
    angle = rng.uniform(-_MAX_TILT, _MAX_TILT)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = rng.uniform(0.85, 1.0, 2)
    contours = [radius * (c * stretch) @ turn.T for c in outline(kind)]

    # The picture's edge may cut off up to 15 % of the diameter.
    inside = np.array([[0.7 * radius] * 2, [width - 0.7 * radius, height - 0.7 * radius]])
    for _ in range(_PLACEMENT_TRIES):
        centre = rng.uniform(*inside)
        if layers and rng.random() < _NEIGHBOUR_SHARE:
            other = layers[rng.integers(len(layers))]
            direction = ngon(32)[rng.integers(32)]
            centre = other.centre + rng.uniform(0.5, 1.0) * (radius + other.radius) * direction
            centre = np.clip(centre, *inside)
        mask = fill([c + centre for c in contours], height, width)
        if all(np.count_nonzero(below.mask & ~mask) >= below.min_area for below in layers):
            min_area = _MIN_VISIBLE * np.count_nonzero(mask) if kind in _OBJECTS else 0.0
            return _Layer(kind, centre, radius, mask, min_area)
    return None


def _paint_background(rng: np.random.Generator, height: int, width: int, tint: float) -> np.ndarray:
    """(H, W, 3) float32 YCrCb canvas: one texture, patches and strokes, mostly in the tint."""
    canvas = np.empty((height, width, 3), np.float32)
    side = min(height, width)
    everywhere = np.ones((height, width), bool)
    paint(rng, canvas, everywhere, rng.uniform(70, 180), tint + rng.uniform(-0.6, 0.6))

    # Some clutter has a hue of its own: the surroundings of a disc alone may mislead about the
    # light, the whole picture does not.
    for _ in range(rng.integers(2, 5)):
        radii = rng.uniform(0.08, 0.3) * side * rng.uniform(0.4, 1.0, (rng.integers(7, 12), 1))
        centre = rng.uniform([0, 0], [width, height])
        mask = fill([radii * ngon(len(radii)) + centre], height, width)
        paint(rng, canvas, mask, rng.uniform(60, 190), _clutter_hue(rng, tint))
    for _ in range(rng.integers(0, 4)):
        mask = np.zeros((height, width), np.uint8)
        start, stop = rng.uniform([0, 0], [width, height], (2, 2)).astype(int).tolist()
        cv2.line(mask, start, stop, 1, int(rng.integers(1, 4)))
        paint(rng, canvas, mask.astype(bool), rng.uniform(40, 210), _clutter_hue(rng, tint))
    return canvas


def _clutter_hue(rng: np.random.Generator, tint: float) -> float:
    own, tinted = rng.uniform(0, 2 * np.pi), tint + rng.uniform(-0.6, 0.6)
    return own if rng.random() < 0.35 else tinted


def _paint_item(rng: np.random.Generator, canvas: np.ndarray, layer: _Layer) -> None:
    """Paints an object or distractor, set off from what lies under it by luma."""
    under = float(canvas[..., 0][layer.mask].mean())
    step = rng.uniform(60, 110) * rng.choice([-1.0, 1.0])
    luma = under + step if 20 <= under + step <= 235 else under - step
    hue = rng.uniform(0, 2 * np.pi)
    if layer.kind in _USUAL_HUES and rng.random() < _USUAL_HUE_SHARE:
        hue = _USUAL_HUES[layer.kind] + rng.uniform(-0.4, 0.4)
    paint(rng, canvas, layer.mask, luma, hue, chroma=(45, 75))


def _develop(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """Turns the canvas into a BGR picture: soft edges, uneven brightness, sensor noise."""
    height, width = canvas.shape[:2]
    picture: np.ndarray = cv2.GaussianBlur(canvas, (3, 3), 0.7)
    ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slope = rng.uniform(-0.18, 0.18, 2)
    picture[..., 0] *= 1 + slope[0] * ys + slope[1] * xs
    picture[..., 0] += rng.uniform(2, 8) * rng.standard_normal((height, width), np.float32)
    return cv2.cvtColor(np.clip(np.rint(picture), 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2BGR)
