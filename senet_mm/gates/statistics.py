"""Record the gates of SE blocks and sum them up (arXiv 1709.01507, section 7.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from ..layers import SEBlock
from ..layers.attach import attached_se
from .foreign import gate_of

# the first group of every statistic: all images, of whatever class
ALL = "all"
_IN_STAGE = re.compile(r"(?:.*\.)?layer(\d+)\.(\d+)\.(.+)")


@dataclass(frozen=True)
class Block:
    """An SE block and where it is.

    Attributes:
        name: ``SE_stage_block`` in a residual unit, as in the paper; a plugin of
            mmdet adds its own name (``SE_2_1_se_block``). Elsewhere the path in
            the model, such as ``neck_input_0``, or, of a block behind a unit or
            of another library, the unit's path (``features.2``).
        path: Path in the model, such as ``backbone.layer1.0.se``.
        module: The block: an :class:`senet_mm.layers.SEBlock`, or one of timm, torchvision or
            mmdet.
        stage: The paper's stage N, ``layer{N-1}``; None outside of stages.
        unit: Index of the residual unit in its stage, from 0; None outside.
        behind: The unit that it is attached behind, see :func:`senet_mm.layers.attach_se`;
            None if it is in its net's own code.
    """

    name: str
    path: str
    module: nn.Module
    stage: int | None
    unit: int | None
    behind: str | None = None

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.module.parameters())


def find_blocks(model: nn.Module) -> dict[str, Block]:
    """The SE blocks of a model by name, in the model's order.

    Raises:
        ValueError: If there is none.
    """
    attached = {id(block): unit for unit, block in attached_se(model).items()}
    blocks = [
        _block(path, module, attached.get(id(module)))
        for path, module in model.named_modules()
        if isinstance(module, SEBlock) or gate_of(module)
    ]
    if not blocks:
        raise ValueError(
            f"{type(model).__name__} has no SE block: there is no gate to look at. Expected is a "
            "model with an SE backbone or neck, with SEBlock as a plugin, or with SE of timm, "
            "torchvision or mmdet"
        )
    names = [block.name for block in blocks]
    # a model with two backbones, such as a teacher and a student
    return {block.name if names.count(block.name) == 1 else block.path: block for block in blocks}


def _block(path: str, module: nn.Module, behind: str | None) -> Block:
    place = _IN_STAGE.fullmatch(path)
    if place is not None:
        stage, unit, attribute = int(place[1]) + 1, int(place[2]), place[3]
        suffix = "" if attribute == "se" or behind else f"_{attribute}"
        return Block(f"SE_{stage}_{unit + 1}{suffix}", path, module, stage, unit, behind)
    if behind or not isinstance(module, SEBlock):
        name = path.removeprefix("backbone.").removesuffix(".se")
    else:
        name = path.replace("gates.", "").replace(".", "_")
    return Block(name, path, module, None, None, behind)


class GateRecorder:
    """Record the gates of every SE block of a model inside a ``with`` statement.

    The model computes what it computes without, but for rounding (its units take a
    slower path): the ``excite`` of each block is wrapped on the instance, so calls that
    bypass the block's ``forward`` are seen too, and unwrapped at the end, also after an
    exception. Of other libraries' blocks the module that returns the gates is hooked. A block that
    gates several maps in one pass counts with the mean of its calls, and one
    without a squeeze with the mean over H and W.

    Use it in eval mode and without gradients: with ``with_cp`` the backward
    pass runs a block again, and that would be recorded too. Of a compiled
    model record the one that it was compiled from: its graph has no ``excite``.

    Args:
        model: Any model with SE blocks.

    Raises:
        ValueError: If it has none.

    Example:
        >>> with GateRecorder(model) as recorder, torch.no_grad():
        ...     model(images)
        >>> recorder.take()["SE_2_1"].shape
        torch.Size([2, 256])
    """

    def __init__(self, model: nn.Module) -> None:
        self.blocks = find_blocks(model)
        self._calls: dict[str, list[Tensor]] = {}

    def __enter__(self) -> GateRecorder:
        self._hooks = []
        self._before = {name: vars(block.module).get("excite") for name, block in self._items()}
        for name, block in self._items():
            gate = gate_of(block.module)
            if gate is None:
                excite = cast(SEBlock, block.module).excite
                block.module.__dict__["excite"] = partial(self._excite, name, excite)
            else:
                hook = partial(self._hook, name)
                self._hooks.append(block.module.get_submodule(gate).register_forward_hook(hook))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
        for name, block in self._items():
            block.module.__dict__.pop("excite", None)
            if self._before[name] is not None:  # a recorder around this one
                block.module.__dict__["excite"] = self._before[name]

    def take(self) -> dict[str, Tensor]:
        """Gates since the last call, by block: (N, C) in float64 on the CPU.

        A block that did not run is left out.
        """
        calls, self._calls = self._calls, {}
        return {name: torch.stack(gates).mean(0).cpu() for name, gates in calls.items()}

    def _items(self) -> Collection[tuple[str, Block]]:
        return self.blocks.items()

    def _excite(self, name: str, excite: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
        gates = excite(z)
        self._record(name, gates)
        return gates

    def _hook(self, name: str, module: nn.Module, inputs: object, gates: Tensor) -> None:
        self._record(name, gates)

    def _record(self, name: str, gates: Tensor) -> None:
        if gates.ndim == 3:  # (N, 1, C), of ECA's convolution over the channels
            gates = gates.transpose(1, 2)[..., None]
        self._calls.setdefault(name, []).append(gates.detach().mean((2, 3), dtype=torch.float64))


class GateStatistics:
    """Mean and deviation of gates over images, in all and by the classes present.

    An image counts for each class that it shows. Only sums are stored: one
    number per group, block and channel.

    Args:
        classes: Names of the classes.

    Attributes:
        groups: ``ALL``, then the classes.
        counts: Images per group, shape (groups,).
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.groups = (ALL, *classes)
        self.counts = torch.zeros(len(self.groups), dtype=torch.float64)
        self._sums: dict[str, Tensor] = {}
        self._squares: dict[str, Tensor] = {}
        self._shifts: dict[str, Tensor] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks that ran."""
        return tuple(self._sums)

    def add(self, gates: Mapping[str, Tensor], present: Sequence[Collection[int]]) -> None:
        """Add a batch.

        Args:
            gates: Per block, shape (N, C), as :meth:`GateRecorder.take` gives them.
            present: Per image, the indices of the classes that it shows.

        Raises:
            ValueError: If a block has not one row per image, or a gate is not finite.
        """
        member = torch.zeros(len(present), len(self.groups), dtype=torch.float64)
        member[:, 0] = 1
        for row, labels in enumerate(present):
            member[row, [1 + label for label in labels]] = 1
        for name, values in gates.items():
            if len(values) != len(present):
                raise ValueError(
                    f"{name} gated {len(values)} maps for {len(present)} images: expected one map "
                    "per image (a block after RoI pooling belongs to no single image)"
                )
            if not values.isfinite().all():
                raise ValueError(f"{name} has gates that are not finite: did training diverge?")
            values = values.double()
            # sums of differences to some image: squares of near-constant gates cancel otherwise
            shift = self._shifts.setdefault(name, values[0])
            for sums, terms in (
                (self._sums, values - shift),
                (self._squares, (values - shift).square()),
            ):
                sums[name] = sums.get(name, 0) + member.T @ terms
        self.counts += member.sum(0)

    def mean(self, name: str) -> Tensor:
        """Mean gates of a block, shape (groups, C); NaN for a class in no image."""
        return self._shifts[name] + self._sums[name] / self.counts[:, None]

    def variance(self, name: str) -> Tensor:
        """Variance of a block's gates over the images of a group, shape (groups, C)."""
        count = self.counts[:, None]
        return (self._squares[name] / count - (self._sums[name] / count).square()).clamp(min=0)

    def between_and_within_classes(self, name: str) -> tuple[Tensor, Tensor]:
        """Split the variance of a block's gates over all pairs of image and class, shape (C,) each.

        Between: that of the class means, each weighted by the images of its
        class. Within: the mean of the variances inside the classes. Their sum
        is the variance over all pairs.
        """
        seen = self.counts[1:] > 0
        weight = (self.counts[1:][seen] / self.counts[1:].sum())[:, None]
        mean, variance = self.mean(name)[1:][seen], self.variance(name)[1:][seen]
        centre = (weight * mean).sum(0)
        return (weight * (mean - centre).square()).sum(0), (weight * variance).sum(0)
