"""An SE block inside a residual unit (arXiv 1709.01507, Fig. 3 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mmengine.model import BaseModule
from torch import Tensor, fx, nn
from torch.utils.checkpoint import checkpoint

from .attention import AttentionConfig, build_attention
from .fast_path import Path, Tail, choose, run
from .padding import ValidPart, current, within
from .se_config import SEConfig


class SEResidualMixin(BaseModule):
    """Give mmdet's ``BasicBlock`` or ``Bottleneck`` an SE block ``se``.

    A subclass names the mixin before mmdet's block and implements
    :meth:`first` and :attr:`has_plugins_before_se`. The placements, with F the
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
    maps and with less stored for backward; see ``senet_mm.layers.fast_path.choose``
    for when it is taken. ``fused=False`` rules it out.

    Args:
        se_cfg: Options of SE, of which ``blocks`` is the stage's; None leaves the
            plain unit.
        *args: As mmdet's block takes them.
        **kwargs: As mmdet's block takes them.

    Raises:
        TypeError, ValueError: If an option is not accepted.
    """

    # what mmdet's blocks bring
    conv1: nn.Conv2d
    conv2: nn.Conv2d
    conv3: nn.Conv2d
    norm2: nn.Module
    norm3: nn.Module
    relu: nn.Module
    downsample: nn.Module | None
    expansion: int
    with_cp: bool

    padding = "ignore"  # the backbone's to say: what padding is to something inside
    se: nn.Module | None

    def __init__(
        self, *args: Any, se_cfg: SEConfig | Mapping[str, Any] | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.se_cfg = AttentionConfig.of({} if se_cfg is None else se_cfg)
        self.se = None
        if se_cfg is not None:
            self.se = build_attention(self.se_cfg, self._se_channels())

    @property
    def has_plugins_before_se(self) -> bool:
        """Whether plugins lie between the last norm and SE."""
        raise NotImplementedError

    def first(self, x: Tensor) -> Tensor:
        """The residual branch F up to its last convolution: (N, C_in, H, W) -> (N, C, ...)."""
        raise NotImplementedError

    def last(self, h: Tensor) -> Tensor:
        """The rest of F: the last convolution, its norm and what follows."""
        return self.last_norm(self.last_conv(h))

    @property
    def last_conv(self) -> nn.Conv2d:
        """The last convolution of F."""
        return self.conv2 if self.expansion == 1 else self.conv3

    @property
    def last_norm(self) -> nn.Module:
        """The norm after it."""
        return self.norm2 if self.expansion == 1 else self.norm3

    def se_at(self, placement: str, x: Tensor) -> Tensor:
        """Apply SE to a map if this is where it sits, else return the map."""
        return x if self.se is None or self.se_cfg.placement != placement else self.se(x)

    def remove_se(self) -> None:
        """Leave the unit without SE, but with its ``branch_relu``."""
        del self.se  # setting None over it would let load_state_dict ignore its weights in silence
        self.se = None

    def tail(self) -> Tail:
        """What the unit does from its last convolution on, for the fast path."""
        return Tail(
            config=self.se_cfg,
            branch=self.last,
            conv=self.last_conv,
            norm=self.last_norm,
            plugins=self.has_plugins_before_se,
            se=self.se,
            relu=self.relu,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C_in, H, W) -> (N, C_out, H / stride, W / stride)."""
        again = self.with_cp and x.requires_grad
        # read in any case: torch.compile tells units by it, not by hooks
        if self.padding != "ignore" and again:
            return checkpoint(self._unit_within, x, current(), use_reentrant=False)
        if self.se is None and not self.se_cfg.branch_relu:
            return super().forward(x)
        return checkpoint(self._unit, x, use_reentrant=False) if again else self._unit(x)

    def _unit_within(self, x: Tensor, valid: ValidPart) -> Tensor:
        """The unit in a pass of which backward, by then outside of it, needs a part again."""
        with within(valid):
            return self._unit(x)

    def _unit(self, x: Tensor) -> Tensor:
        h = self.first(self.se_at("pre", x))
        shortcut = x if self.downsample is None else self.downsample(x)
        in_branch = self.se_cfg.placement == "standard" and not self.se_cfg.branch_relu
        if self.se is not None and in_branch:
            return _gate_and_sum(self, h, shortcut)
        out = self.last(h)
        if self.se_cfg.branch_relu:
            return self.relu(_sum(self.se_at("standard", self.relu(out)), shortcut))
        out += self.se_at("identity", shortcut)
        return self.se_at("post", self.relu(out))

    def _se_channels(self) -> int:
        if self.se_cfg.placement == "pre":
            return self.conv1.in_channels
        return (self.conv2 if self.se_cfg.placement == "conv2" else self.last_conv).out_channels


def _gate_and_sum(unit: SEResidualMixin, h: Tensor, shortcut: Tensor) -> Tensor:
    """What a unit with SE before the sum does from its last convolution on."""
    path = Path.REFERENCE
    if not isinstance(h, fx.Proxy):  # a graph of torch.fx holds the modules as they are
        tail = unit.tail()
        path, _ = choose(tail, h, shortcut)
    if path is Path.REFERENCE:
        return unit.relu(_sum(cast(nn.Module, unit.se)(unit.last(h)), shortcut))
    return run(path, tail, h, shortcut)


def _sum(out: Tensor, shortcut: Tensor) -> Tensor:
    """In the type of the first, as a sum in place, over what backward may need, would be."""
    if isinstance(out, fx.Proxy):  # it has no type
        return out + shortcut
    return (out + shortcut).to(out.dtype)
