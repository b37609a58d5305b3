"""The SE block, its options and its place in a residual unit."""

from .attach import attach_se, detach_se
from .residual import SEResidualMixin
from .se_block import SEBlock
from .se_config import SEConfig

__all__ = ["SEBlock", "SEConfig", "SEResidualMixin", "attach_se", "detach_se"]
