"""An SE block inside a residual unit (arXiv 1709.01507, Fig. 3 and 5)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .se_block import SEBlock

# what a stage's se_cfg may say: SEBlock's options, its channels being the unit's
SE_OPTIONS = tuple(
    name
    for name in inspect.signature(SEBlock).parameters
    if name not in ("in_channels", "init_cfg")
)


class SEResidualMixin:
    """Give mmdet's ``BasicBlock`` or ``Bottleneck`` an SE block ``se`` before the sum.

    A subclass names the mixin before mmdet's block and implements
    :meth:`branch`, the residual branch up to and with its last norm.

    Args:
        se_cfg: Options of :class:`SEBlock`; None leaves the plain unit.
        *args, **kwargs: As mmdet's block takes them.
    """

    def __init__(self, *args: Any, se_cfg: dict | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.se = None if se_cfg is None else SEBlock(self._out_channels(), **se_cfg)

    def branch(self, x: Tensor) -> Tensor:
        """The residual branch: (N, C_in, H, W) -> (N, C_out, H / stride, W / stride)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C_in, H, W) -> (N, C_out, H / stride, W / stride)."""
        if self.se is None:
            return super().forward(x)
        if self.with_cp and x.requires_grad:
            return checkpoint(self._unit, x, use_reentrant=False)
        return self._unit(x)

    def _unit(self, x: Tensor) -> Tensor:
        out = self.se(self.branch(x))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)

    def _out_channels(self) -> int:
        last_conv = self.conv2 if self.expansion == 1 else self.conv3
        return last_conv.out_channels


def stage_se_cfgs(se_cfg: Mapping | Sequence[Mapping | None], num_stages: int) -> list[dict | None]:
    """Spread a backbone's ``se_cfg`` over its stages and check its keys.

    Args:
        se_cfg: One dict for all stages, or one dict or None (no SE) per stage.
        num_stages: Number of stages of the backbone.

    Returns:
        One dict or None per stage.

    Raises:
        TypeError: If se_cfg or an entry is neither a dict nor (entry) None.
        ValueError: If the length is not ``num_stages`` or a key is unknown.
    """
    if isinstance(se_cfg, Mapping):
        se_cfg = [se_cfg] * num_stages
    elif not isinstance(se_cfg, Sequence) or isinstance(se_cfg, str):
        raise TypeError(
            f"se_cfg={se_cfg!r}: expected a dict for all stages or a sequence with one dict or "
            "None per stage (for a plain net use mmdet's ResNet or ResNeXt)"
        )
    if len(se_cfg) != num_stages:
        raise ValueError(
            f"se_cfg has {len(se_cfg)} entries: expected {num_stages}, one dict or None per stage"
        )
    for stage, cfg in enumerate(se_cfg, start=1):
        if cfg is None:
            continue
        if not isinstance(cfg, Mapping):
            raise TypeError(f"se_cfg of stage {stage} is {cfg!r}: expected a dict or None")
        unknown = sorted(set(cfg) - set(SE_OPTIONS))
        if unknown:
            raise ValueError(
                f"se_cfg of stage {stage} has unknown keys {unknown}: "
                f"accepted are {list(SE_OPTIONS)}"
            )
    return [None if cfg is None else dict(cfg) for cfg in se_cfg]
