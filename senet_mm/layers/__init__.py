"""The SE block, its options and its place in a residual unit."""

from .attach import attach_se, detach_se
from .attention import AttentionConfig
from .fuse import fuse_for_inference
from .residual import SEResidualMixin
from .se_block import SEBlock
from .se_config import SEConfig
from .timm_attention import TimmAttention

__all__ = [
    "AttentionConfig",
    "SEBlock",
    "SEConfig",
    "SEResidualMixin",
    "TimmAttention",
    "attach_se",
    "detach_se",
    "fuse_for_inference",
]
