"""Necks, registered in mmdet's MODELS."""

from .se_fpn import SEFPN
from .se_neck import SENeck
from .vector import VectorNeck

__all__ = ["SEFPN", "SENeck", "VectorNeck"]
