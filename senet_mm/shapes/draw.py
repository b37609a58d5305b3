"""What scenes are painted with: outlines, masks and textures."""

from __future__ import annotations

import cv2
import numpy as np

_TEXTURES = ("plain", "noise", "stripes", "checkers", "gradient", "dots")


def outline(kind: str) -> list[np.ndarray]:
    """Contours of a shape inside the unit circle, each (N, 2) as x, y; an inner one is a hole."""
    match kind:
        case "disc":
            return [ngon(48)]
        case "square":
            return [ngon(4)]
        case "triangle":
            return [ngon(3)]
        case "star":
            return [ngon(10) * np.tile([1.0, 0.42], 5)[:, None]]
        case "ring":
            return [ngon(48), 0.56 * ngon(48)]
        case "cross":
            arm = np.array([[0.28, 0.28], [0.28, 0.96], [-0.28, 0.96]])
            turns = [np.array([[0, -1], [1, 0]]), -np.eye(2), np.array([[0, 1], [-1, 0]])]
            return [np.concatenate([arm, *(arm @ turn.T for turn in turns)])]
        case "bar":
            return [np.array([[1, 0.2], [-1, 0.2], [-1, -0.2], [1, -0.2]])]
        case "ellipse":
            return [ngon(48) * [1.0, 0.42]]
        case "half":
            return [_arc(0.0, np.pi)]
        case "arc":  # a ring with a gap
            return [np.concatenate([_arc(0.8, 5.5), 0.56 * _arc(5.5, 0.8)])]
        case "corner":
            arm = np.array([[0.7, -0.7], [0.7, -0.3], [-0.3, -0.3]])
            return [np.concatenate([[[-0.7, -0.7]], arm, [[-0.3, 0.7], [-0.7, 0.7]]])]
        case _:
            raise ValueError(f"unknown shape {kind!r}")


def ngon(sides: int) -> np.ndarray:
    """(sides, 2) corners of a regular polygon on the unit circle."""
    angles = 2 * np.pi * np.arange(sides) / sides
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _arc(start: float, stop: float) -> np.ndarray:
    angles = np.linspace(start, stop, 32)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def fill(contours: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """(H, W) bool mask of contours in pixels, even-odd, with 1/16 pixel vertices."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(16 * c).astype(np.int32) for c in contours], 1, shift=4)
    return mask.astype(bool)


def paint(
    rng: np.random.Generator,
    canvas: np.ndarray,
    mask: np.ndarray,
    luma: float,
    hue: float,
    chroma: tuple[float, float] = (10, 30),
) -> None:
    """Fills a mask with a texture around one luma, between two chromas near one hue.

    ``chroma`` is the range of the distance from grey.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    texture = _texture(rng, height, width)
    hues = hue + np.array([0.0, rng.uniform(-0.5, 0.5)])
    chromas = rng.uniform(*chroma, (2, 1)) * np.stack([np.cos(hues), np.sin(hues)], axis=1)
    blend = (texture[..., None] + 1) / 2
    pixels = np.empty((height, width, 3), np.float32)
    pixels[..., 0] = luma + rng.uniform(4, 20) * texture
    pixels[..., 1:] = 128 + chromas[0] * blend + chromas[1] * (1 - blend)
    region = canvas[y : y + height, x : x + width]
    inside = mask[y : y + height, x : x + width]
    region[inside] = pixels[inside]


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(H, W) float32 pattern in [-1, 1] of a random family, angle and period."""
    family = str(rng.choice(_TEXTURES))
    if family == "plain":
        return np.zeros((height, width), np.float32)
    if family == "noise":
        cell = rng.integers(2, 12)
        grid = rng.uniform(-1, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
        return cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
    angle, period, phase = rng.uniform(0, np.pi), rng.uniform(6, 28), rng.uniform(0, 1, 2)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    along = xs * np.cos(angle) + ys * np.sin(angle)
    across = ys * np.cos(angle) - xs * np.sin(angle)
    if family == "gradient":
        return (2 * (along - along.min()) / max(np.ptp(along), 1) - 1).astype(np.float32)
    wave_u = np.sin(2 * np.pi * (along / period + phase[0]))
    wave_v = np.sin(2 * np.pi * (across / period + phase[1]))
    patterns = {
        "stripes": np.sign(wave_u),
        "checkers": np.sign(wave_u * wave_v),
        "dots": np.where(wave_u + wave_v > 0.9, 1.0, -1.0),
    }
    return patterns[family].astype(np.float32)
