"""Replace the gates of an SE block by constants, folded into the layers around it."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.cnn.bricks.wrappers import Conv2d
from torch import Tensor, nn

from ..layers import SEResidualMixin


def check_foldable(unit: SEResidualMixin) -> None:
    """Check that there are parameters that a constant gate can be multiplied into.

    Raises:
        ValueError: Saying why not.
    """
    _scaled_parameters(unit)


@torch.no_grad()
def fold_gates(unit: SEResidualMixin, gates: Tensor) -> None:
    """Scale by constants instead of by SE, exactly, and remove the SE block.

    Args:
        unit: A residual unit with SE; changed in place.
        gates: One constant per gate, shape (C,).

    Raises:
        ValueError: If the unit has no parameters to fold into, or a gate is
            negative and would have to pass the branch's last ReLU.
    """
    parameters, dimension = _scaled_parameters(unit)
    if unit.se_cfg.branch_relu and gates.min() < 0:
        raise ValueError(
            f"{int((gates < 0).sum())} of {len(gates)} gates are negative on average: they do not "
            "commute with the ReLU of branch_relu=True"
        )
    for parameter in parameters:
        shape = [1] * parameter.ndim
        shape[dimension] = -1
        parameter.copy_(parameter.double() * gates.double().to(parameter.device).reshape(shape))
    unit.remove_se()


def _scaled_parameters(unit: SEResidualMixin) -> tuple[list[nn.Parameter], int]:
    """Parameters that scale the gated map, and the dimension of its channels in them."""
    bottleneck = unit.expansion > 1
    placement = unit.se_cfg.placement
    if placement == "pre":
        return _inputs(unit.conv1)
    if placement == "conv2" and bottleneck:
        # not the norm before the gate: ReLU and plugins lie between
        return _inputs(unit.conv3)
    if placement in ("standard", "conv2"):
        if unit.has_plugins_before_se:
            raise ValueError(
                f"the plugins {unit.after_conv3_plugin_names} lie between its last norm and SE"
            )
        return _outputs(unit.norm3 if bottleneck else unit.norm2)
    if placement == "identity":
        if unit.downsample is None:
            raise ValueError("its shortcut has no layer that could take the constants")
        *_, last = unit.downsample.children()
        return _outputs(last)
    raise ValueError(
        "placement='post' gates the sum, after its ReLU: no single layer before it gives the sum"
    )


def _inputs(conv: Any) -> tuple[list[nn.Parameter], int]:
    if type(conv) not in (nn.Conv2d, Conv2d) or conv.groups > 1:
        raise ValueError(
            f"the {type(conv).__name__} (groups={getattr(conv, 'groups', 1)}) after SE is no plain "
            "convolution, linear in its weights"
        )
    return [conv.weight], 1


def _outputs(norm: nn.Module) -> tuple[list[nn.Parameter], int]:
    weight, bias = (getattr(norm, name, None) for name in ("weight", "bias"))
    if weight is None or bias is None:
        raise ValueError(f"the {type(norm).__name__} before SE has no weight and bias")
    return [weight, bias], 0
