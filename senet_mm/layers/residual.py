"""An SE block inside a residual unit (arXiv 1709.01507, Fig. 3 and 5)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .fast_path.autograd import gate_and_sum
from .se_block import SEBlock

# where the block may sit: Fig. 5, Tables 14 and 15
PLACEMENTS = ("standard", "pre", "post", "identity", "conv2")
# what a stage's se_cfg may say: options of its units, and SEBlock's but for its channels
SE_OPTIONS = (
    "blocks",
    "placement",
    "branch_relu",
    "fused",
    *(
        name
        for name in inspect.signature(SEBlock).parameters
        if name not in ("in_channels", "init_cfg")
    ),
)


class SEResidualMixin:
    """Give mmdet's ``BasicBlock`` or ``Bottleneck`` an SE block ``se``.

    A subclass names the mixin before mmdet's block and implements
    :meth:`first` and :attr:`plugins_before_se`. The placements, with F the
    residual branch up to and with its last norm (and plugins), and S the
    shortcut:

    - ``standard``: relu(SE(F(x)) + S(x))
    - ``pre``: relu(F(SE(x)) + S(x))
    - ``post``: SE(relu(F(x) + S(x)))
    - ``identity``: relu(F(x) + SE(S(x)))
    - ``conv2``: inside F, after the second convolution, its norm and, in a
      bottleneck, its ReLU (SE_3x3); in a basic block this is ``standard``.

    With ``branch_relu`` the branch ends in one more ReLU, SE(relu(F(x))), as in
    timm's legacy_seresnet18 and legacy_seresnet34.

    ``standard`` has a fast path, the same function in fewer passes over the
    maps and with less stored for backward; see :mod:`senet_mm.layers.fast_path.autograd`
    for when it is taken. ``fused=False`` rules it out.

    Args:
        se_cfg: Options of :class:`SEBlock`, ``placement``, ``branch_relu`` and
            ``fused``; None leaves the plain unit.
        *args, **kwargs: As mmdet's block takes them.

    Raises:
        ValueError: If the placement is unknown, or an option of SEBlock is wrong.
    """

    def __init__(self, *args: Any, se_cfg: dict | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.se = None
        self.branch_relu = False
        if se_cfg is None:
            return
        options = dict(se_cfg)
        self.placement = options.pop("placement", "standard")
        self.branch_relu = options.pop("branch_relu", False)
        self.fused = options.pop("fused", True)
        if self.placement not in PLACEMENTS:
            raise ValueError(f"placement={self.placement!r}: expected one of {list(PLACEMENTS)}")
        if self.branch_relu and self.placement != "standard":
            raise ValueError(
                f"branch_relu=True with placement={self.placement!r}: expected 'standard'"
            )
        if not isinstance(self.fused, bool):
            raise ValueError(f"fused={self.fused!r}: expected True or False")
        self.se = SEBlock(self._se_channels(), **options)

    def first(self, x: Tensor) -> Tensor:
        """The residual branch F up to its last convolution: (N, C_in, H, W) -> (N, C, ...)."""
        raise NotImplementedError

    def last(self, h: Tensor) -> Tensor:
        """The rest of F: the last convolution, its norm and what follows."""
        return self.last_norm(self.last_conv(h))

    @property
    def last_conv(self) -> nn.Module:
        """The last convolution of F."""
        return self.conv2 if self.expansion == 1 else self.conv3

    @property
    def last_norm(self) -> nn.Module:
        """The norm after it."""
        return self.norm2 if self.expansion == 1 else self.norm3

    def se_at(self, placement: str, x: Tensor) -> Tensor:
        """Apply SE to a map if this is where it sits, else return the map."""
        return self.se(x) if self.placement == placement else x

    def remove_se(self) -> None:
        """Leave the unit without SE, but with its ``branch_relu``."""
        del self.se  # setting None over it would let load_state_dict ignore its weights in silence
        self.se = self.placement = None

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C_in, H, W) -> (N, C_out, H / stride, W / stride)."""
        if self.se is None and not self.branch_relu:
            return super().forward(x)
        if self.with_cp and x.requires_grad:
            return checkpoint(self._unit, x, use_reentrant=False)
        return self._unit(x)

    def _unit(self, x: Tensor) -> Tensor:
        h = self.first(self.se_at("pre", x))
        shortcut = x if self.downsample is None else self.downsample(x)
        if self.placement == "standard" and not self.branch_relu:
            return gate_and_sum(self, h, shortcut)
        out = self.last(h)
        if self.branch_relu:
            out = self.se_at("standard", self.relu(out))
        out += self.se_at("identity", shortcut)
        return self.se_at("post", self.relu(out))

    def _se_channels(self) -> int:
        if self.placement == "pre":
            return self.conv1.in_channels
        return (self.conv2 if self.placement == "conv2" else self.last_conv).out_channels


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


def units_with_se(blocks: Sequence[int] | None, num_blocks: int, *, empty: bool) -> set[int]:
    """Check ``blocks`` of a stage's se_cfg: the residual units that have SE, counted from 0.

    Args:
        blocks: Indices of units; None for all.
        num_blocks: Units of the stage.
        empty: Whether no unit at all is accepted.

    Raises:
        TypeError: If it is no sequence of integers.
        ValueError: If it is empty, or an index is out of range or named twice.
    """
    if blocks is None:
        return set(range(num_blocks))
    if not isinstance(blocks, Sequence) or not all(type(index) is int for index in blocks):
        raise TypeError(f"blocks={blocks!r}: expected a sequence of integers, such as (0, 2)")
    if not blocks and not empty:
        raise ValueError(f"blocks={blocks!r}: expected one or more; no SE in a stage is None")
    units = set(blocks)
    if len(units) < len(blocks) or not units <= set(range(num_blocks)):
        raise ValueError(f"blocks={blocks!r}: expected each of 0 to {num_blocks - 1} at most once")
    return units
