"""How many channels the units of a network put out, found without a change to the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


def channels_of(
    net: nn.Module, units: Mapping[str, nn.Module], input_shape: Sequence[int]
) -> dict[str, int]:
    """The channels of each unit's output, from one forward pass.

    The pass runs in eval mode on shapes alone, or, where an operator cannot do
    that, on zeros.

    Args:
        net: The network.
        units: Some of its sub-modules by name.
        input_shape: Of the network's input, (N, C, H, W).

    Raises:
        ValueError: If the network cannot be run on such an input, or a unit is
            not called once or returns something other than one map (N, C, H, W).
    """
    outputs: dict[str, list[Any]] = {name: [] for name in units}
    hooks = [
        unit.register_forward_hook(partial(_record, outputs[name])) for name, unit in units.items()
    ]
    try:
        _run(net, tuple(input_shape), outputs)
    finally:
        for hook in hooks:
            hook.remove()
    square = input_shape[-1] == input_shape[-2]
    return {
        name: _channels(name, returned, type(net).__name__, square=square)
        for name, returned in outputs.items()
    }


def map_shapes(net: nn.Module, input_shape: Sequence[int]) -> list[tuple[int, ...]]:
    """The shapes of the maps that a network returns, from one forward pass as above.

    Raises:
        ValueError: If the network cannot be run on such an input, or returns other than maps
            (N, C, H, W).
    """
    returned: list[Any] = []
    with net.register_forward_hook(lambda net, inputs, maps: returned.append(maps)):
        _run(net, tuple(input_shape), {"": returned})
    maps = returned[0] if isinstance(returned[0], tuple | list) else [returned[0]]
    if not all(isinstance(map_, Tensor) and map_.ndim == 4 for map_ in maps):
        raise ValueError(f"{type(net).__name__} returns something other than maps (N, C, H, W)")
    return [tuple(map_.shape) for map_ in maps]


def _record(outputs: list[Any], unit: nn.Module, inputs: Any, output: Any) -> None:
    outputs.append(tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__)


def _run(net: nn.Module, shape: tuple[int, ...], outputs: Mapping[str, list[Any]]) -> None:
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    with torch.no_grad(), torch.random.fork_rng(devices=[]), _in_eval_mode(net):
        try:
            tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
            shapes = {name: torch.empty_like(t, device="meta") for name, t in tensors.items()}
            with torch.device("meta"):
                functional_call(net, shapes, (torch.empty(shape, dtype=like.dtype),))
        except Exception:  # an operator that knows no shapes, or that needs values
            for calls in outputs.values():
                calls.clear()
            try:
                net(torch.zeros(shape, device=like.device, dtype=like.dtype))
            except Exception as error:
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise ValueError(
                    f"{type(net).__name__} does not run on an input of shape {shape} "
                    f"({reason}): give another input_shape"
                ) from error


@contextmanager
def _in_eval_mode(net: nn.Module) -> Iterator[None]:
    # not by eval(), which networks override, to freeze what they freeze
    modes = {module: module.training for module in net.modules()}
    try:
        for module in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _channels(name: str, returned: Sequence[Any], net: str, *, square: bool) -> int:
    if not returned:
        raise ValueError(
            f"units: {name} is never called in a forward pass of {net}, so SE behind it would "
            "never run; name a module that is called"
        )
    if len(returned) > 1:
        raise ValueError(
            f"units: {name} is called {len(returned)} times in a forward pass of {net}: its block "
            "would serve several maps; name modules that are called once"
        )
    shape = returned[0]
    # a map of a square picture is square, unless its channels come last
    if isinstance(shape, str) or len(shape) != 4 or (square and shape[2] != shape[3]):
        found = shape if isinstance(shape, str) else f"a tensor of shape {shape}"
        raise ValueError(f"units: {name} returns {found}: expected one map (N, C, H, W)")
    return int(shape[1])
