"""Pretrained weights: where they come from, whether they fit, how images are fed to them."""

from .load import hub_scheme, timm_scheme  # noqa: F401 (registers them)
from .load.match import load_weights
from .load.report import LoadReport
from .lookup import preprocessing

__all__ = ["LoadReport", "load_weights", "preprocessing"]
