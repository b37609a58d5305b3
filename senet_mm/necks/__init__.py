"""Necks with SE, registered in mmdet's MODELS."""

from .se_fpn import SEFPN
from .se_neck import SENeck

__all__ = ["SEFPN", "SENeck"]
