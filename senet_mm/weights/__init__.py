"""Pretrained weights: where they come from, whether they fit, how images are fed to them."""

from .hook import WeightsHook
from .loader import load_weights
from .lookup import preprocessing
from .report import LoadReport

__all__ = ["LoadReport", "WeightsHook", "load_weights", "preprocessing"]
