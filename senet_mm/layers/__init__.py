"""The SE block and its place in a residual unit."""

from .residual import SEResidualMixin, stage_se_cfgs, units_with_se
from .se_block import SEBlock

__all__ = ["SEBlock", "SEResidualMixin", "stage_se_cfgs", "units_with_se"]
