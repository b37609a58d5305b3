"""SE behind any unit of any network, whose code and state-dict keys stay as they are (Fig. 1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from .attention import AttentionConfig, build_attention, near_names
from .unit_outputs import channels_of

Units = str | list[str] | tuple[str, ...] | Callable[[str, nn.Module], bool]
_CHILD = "se"  # what a block is called in its unit


def attach_se(
    net: nn.Module,
    units: Units,
    se_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]] = {},
    *,
    input_shape: Sequence[int] = (1, 3, 224, 224),
) -> dict[str, nn.Module]:
    """Put an SE block behind some units of a network, whatever network it is (section 3.3).

    A unit is a sub-module that is called once in a forward pass and returns one
    map; from now on it returns the gated map. The block is the unit's child
    ``se`` (``features.2.se.fc1.weight``), and no other key changes: weights of
    the plain network load as before. In an ``nn.Sequential`` the block is the
    last child, elsewhere a forward hook runs it.

    Attach after what exchanges modules (SyncBN) and after ``init_weights()`` of
    OpenMMLab's networks, which would initialize the block like the rest;
    :class:`senet_mm.backbones.SEBackbone` sees to both.

    Args:
        net: The network; changed in place.
        units: A regular expression that the whole name of a unit matches (of
            ``named_modules()``), a list of names, or a function of name and module
            that tells whether it is one.
        se_cfg: Options of SE, those of :class:`senet_mm.layers.SEConfig` that
            are the block's; one dict for all units, or one per unit, in the
            order of the names given or of the network. ``type`` names another
            registered module that takes ``in_channels``, with its own options.
        input_shape: What the network is run on once to find the channels, as a
            rule without computing anything: (N, C, H, W).

    Returns:
        The blocks by the name of their unit.

    Raises:
        ValueError: If a unit or an option is not accepted, or the network
            cannot be run on such an input; nothing is attached then.
        TypeError: If an argument has another type.

    Example:
        >>> net = torchvision.models.vgg16_bn()
        >>> list(attach_se(net, [f"features.{index}" for index in (2, 5)]))
        ['features.2', 'features.5']
    """
    if not isinstance(net, nn.Module):
        raise TypeError(f"attach_se net={net!r}: expected a network, a torch.nn.Module")
    chosen = _select(net, units)
    options = _per_unit(se_cfg, list(chosen))
    for name, unit in chosen.items():
        if hasattr(unit, _CHILD):
            raise ValueError(
                f"units: {name} has a member {_CHILD!r} already, a "
                f"{type(getattr(unit, _CHILD)).__name__} (detach_se(net) takes attached SE away)"
            )
    channels = channels_of(net, chosen, input_shape)
    blocks = {name: _build(name, options[name], channels[name]) for name in chosen}
    for name, block in blocks.items():
        _attach(net, chosen[name], block)
    return blocks


def detach_se(net: nn.Module) -> nn.Module:
    """Take away all SE that :func:`attach_se` has put into a network, and return the plain one."""
    for name, block in attached_se(net).items():
        unit = net.get_submodule(name)
        if block.attach_hook is not None:
            block.attach_hook.remove()
        delattr(unit, _CHILD)
    return net


def attached_se(net: nn.Module) -> dict[str, Any]:
    """The blocks that :func:`attach_se` has put into a network, by the name of their unit."""
    return {
        name: block
        for name, unit in net.named_modules()
        if hasattr(block := unit._modules.get(_CHILD), "attach_hook")
    }


def plain_of(backbone: nn.Module) -> Any:
    """The network inside an ``SEBackbone``, which has the same parts; any other one itself."""
    return vars(backbone).get("plain", backbone)


def keep_attached(net: nn.Module) -> None:
    """Let blocks run again whose unit was exchanged for another, as SyncBN is for batch norm."""
    for name, block in attached_se(net).items():
        unit = net.get_submodule(name)
        if block.attach_hook is not None and _gate not in unit._forward_hooks.values():
            block.attach_hook = unit.register_forward_hook(_gate)


@contextmanager
def set_aside(net: nn.Module) -> Iterator[dict[str, Any]]:
    """Take the blocks out, for what goes over the parts of a network: its initialization.

    mmdet sets a whole norm to zero, children included, and SE of zeros would never learn.
    """
    blocks = attached_se(net)
    for name in blocks:
        del net.get_submodule(name)._modules[_CHILD]
    try:
        yield blocks
    finally:
        for name, block in blocks.items():
            net.get_submodule(name).add_module(_CHILD, block)


def _gate(unit: Any, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
    return unit.se(output)


def _attach(net: nn.Module, unit: nn.Module, block: nn.Module) -> None:
    of_unit = next(unit.parameters(), None)
    like = next(net.parameters(), None) if of_unit is None else of_unit
    if like is not None:
        block.to(like.device, like.dtype)
    block.train(unit.training)
    is_sequential = type(unit).forward is nn.Sequential.forward and "forward" not in vars(unit)
    # kept in the block: a pickled handle keeps its number from being given to another hook
    hook = None if is_sequential else unit.register_forward_hook(_gate)
    vars(block)["attach_hook"] = hook
    unit.add_module(_CHILD, block)


def _build(name: str, options: Mapping[str, Any], channels: int) -> nn.Module:
    try:
        config = AttentionConfig.of(options, "se_cfg", owners=("block",))
        return build_attention(config, channels)
    except (TypeError, ValueError) as error:
        raise type(error)(f"se_cfg of {name}: {error}") from error


def _select(net: nn.Module, units: Units) -> dict[str, nn.Module]:
    """The units by name, in the order of the names given or of the network."""
    modules = dict(net.named_modules(remove_duplicate=False))
    del modules[""]
    kind = type(net).__name__
    if isinstance(units, str):
        try:
            pattern = re.compile(units)
        except re.error as error:
            raise ValueError(f"units='{units}' is no regular expression ({error})") from None
        names = [name for name in modules if pattern.fullmatch(name)]
    elif callable(units):
        names = [name for name, module in modules.items() if units(name, module)]
    elif isinstance(units, list | tuple) and all(isinstance(name, str) for name in units):
        names = list(units)
        unknown = [name for name in names if name not in modules]
        if unknown:
            near = near_names(unknown[0], list(modules))
            raise ValueError(f"units: {kind} has no module {unknown[0]!r}{near}")
    else:
        raise TypeError(
            f"units={units!r}: expected a regular expression, a list of names, or a function of "
            "name and module"
        )
    if not names:
        if isinstance(units, str):
            near = near_names(units, list(modules))
            raise ValueError(f"units: '{units}' matches no module of {kind}{near}")
        told = "the function matches" if callable(units) else "an empty list names"
        raise ValueError(f"units: {told} no module of {kind}")
    chosen: dict[nn.Module, str] = {}
    for name in names:
        if modules[name] in chosen and isinstance(units, list | tuple):
            same = chosen[modules[name]]
            raise ValueError(f"units: {name} is named twice ({same} is the same module)")
        chosen.setdefault(modules[name], name)
    return {name: module for module, name in chosen.items()}


def _per_unit(se_cfg: Any, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    if isinstance(se_cfg, Mapping):
        se_cfg = [se_cfg] * len(names)
    listed = isinstance(se_cfg, Sequence) and not isinstance(se_cfg, str)
    if not listed or not all(isinstance(options, Mapping) for options in se_cfg):
        raise TypeError(f"se_cfg={se_cfg!r}: expected a dict for all units, or one dict per unit")
    if len(se_cfg) != len(names):
        raise ValueError(
            f"se_cfg has {len(se_cfg)} entries: expected {len(names)}, one dict per unit "
            f"({names[0]} to {names[-1]})"
        )
    return dict(zip(names, se_cfg, strict=True))
