"""Data: the embedded COCO-format set for demos and tests."""

from .dataset import CLASSES, generate_shapes

__all__ = ["CLASSES", "generate_shapes"]
