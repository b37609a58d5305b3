"""Fold batch norm with fixed statistics into the convolutions before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mmcv.cnn import ConvModule
from mmcv.cnn.bricks.wrappers import Conv2d
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .calls import runs_only_forward
from .fast_path import Path, choose
from .padding import zero_outside
from .residual import SEResidualMixin
from .se_block import SEBlock

_CONVS = (nn.Conv2d, Conv2d)
_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def fuse_for_inference(model: nn.Module) -> nn.Module:
    """Fold every batch norm that follows a convolution alone, exactly.

    Works on any net: a detector, a backbone, a classifier. It is put into eval mode and changed in
    place: the convolution gets other weights and a bias, and the norm becomes an ``nn.Identity``,
    so its state dict is none to train from or to load into its config's model.

    The last norm of a residual unit with SE stays where the unit itself makes one step of norm,
    gate and sum (``senet_mm.layers.fast_path``): nothing is left to be saved there.

    Args:
        model: What will only run forward.

    Returns:
        The model itself.

    Example:
        >>> from senet_mm import SEResNet
        >>> net = fuse_for_inference(SEResNet(18))
        >>> net.bn1
        Identity()
    """
    model.eval()
    names = Counter(map(id, (module for _, module in model.named_modules(remove_duplicate=False))))
    kept = {
        unit.last_norm
        for unit in model.modules()
        if isinstance(unit, SEResidualMixin) and _folds_itself(unit)
    }
    for conv_name, norm_name in list(_pairs(model, "")):
        conv: Any = model.get_submodule(conv_name)
        norm: Any = model.get_submodule(norm_name)
        # heads share convolutions among levels
        if norm not in kept and names[id(conv)] == names[id(norm)] == 1:
            _replace(model, conv_name, fuse_conv_bn_eval(conv, norm))
            _replace(model, norm_name, nn.Identity())
    return model


def _folds_itself(unit: SEResidualMixin) -> bool:
    """Whether a unit in eval mode makes one step of its last norm, gate and sum."""
    conv = unit.last_conv
    weight = conv.weight
    h, shortcut = (weight.new_empty(1, n, 1, 1) for n in (conv.in_channels, conv.out_channels))
    return choose(unit.tail(), h, shortcut).path in (Path.CONV, Path.NORM)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        # what a block asks of a pass, a trace cannot tell
        return isinstance(module, (*_CONVS, SEBlock)) or super().is_leaf_module(module, name)


def _pairs(module: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Names of convolutions and of the norms that alone read what they give."""
    if type(module) is ConvModule:  # torch.fx does not follow it
        in_order = "conv,norm" in ",".join(module.order)
        if in_order and module.with_norm and _folds(module.conv, module.norm):
            yield f"{prefix}conv", prefix + module.norm_name
        return
    try:
        graph = _Tracer().trace(module)
    except Exception:  # what torch.fx cannot follow raises anything; its parts may be simpler
        for name, child in module.named_children():
            yield from _pairs(child, f"{prefix}{name}.")
        return
    calls = [node for node in graph.nodes if node.op == "call_module"]
    times = Counter(node.target for node in calls)
    for node in calls:
        source: Any = node.args[0] if node.args else None
        if source not in calls or len(source.users) > 1:
            continue
        if times[node.target] > 1 or times[source.target] > 1:
            continue
        if _folds(module.get_submodule(source.target), module.get_submodule(node.target)):
            yield prefix + source.target, prefix + node.target


def _folds(conv: nn.Module, norm: nn.Module) -> bool:
    """Whether the two are what their names say, and nobody has hooked them."""
    known = type(conv) in _CONVS and type(norm) in _NORMS
    return (
        known
        and norm.running_mean is not None
        and runs_only_forward(conv, besides=zero_outside)
        and runs_only_forward(norm)
    )


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, own = name.rpartition(".")
    model.get_submodule(parent).register_module(own, module)
