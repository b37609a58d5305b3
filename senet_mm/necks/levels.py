"""One SE block per level, shared by the necks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmengine.model import ModuleList
from torch import Tensor, nn

from ..layers.attention import AttentionConfig, build_attention


def check_positions(positions: Sequence[str], accepted: Sequence[str]) -> tuple[str, ...]:
    """Check the places where a neck is to have SE.

    Raises:
        ValueError: If one is unknown or named twice.
        TypeError: If it is a string: ('input') is one, ('input',) is not.
    """
    if isinstance(positions, str):
        raise TypeError(f"positions={positions!r}: expected a sequence, such as [{positions!r}]")
    unknown = [position for position in positions if position not in accepted]
    if unknown or len(set(positions)) != len(positions):
        raise ValueError(
            f"positions={list(positions)}: expected each of {list(accepted)} at most once"
        )
    return tuple(positions)


def level_gates(
    channels: Iterable[int | None], se_cfg: Mapping[str, Any], position: str
) -> ModuleList:
    """Build one SE block per level.

    Args:
        channels: Channels of each level; None where there is to be no SE.
        se_cfg: Options of SEBlock, or of another module, which ``type`` names.
        position: Named in errors.

    Raises:
        TypeError, ValueError: If an option is not accepted, or does not suit a
            level; names position and level.
    """
    config = AttentionConfig.of(se_cfg, f"se_cfg of SE at {position!r}", owners=["block"])
    gates = ModuleList()
    for level, count in enumerate(channels):
        if count is None:
            gates.append(nn.Identity())
            continue
        try:
            gates.append(build_attention(config, count))
        except ValueError as error:
            raise ValueError(f"SE at {position!r}, level {level}: {error}") from error
    return gates


def apply_gates(gates: ModuleList, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Gate each level's map (N, C, H, W).

    Raises:
        ValueError: If there is not one map per gate.
    """
    if len(maps) != len(gates):
        raise ValueError(
            f"{len(maps)} maps: expected {len(gates)}, one per level of the neck; which maps a "
            "backbone gives is its out_indices"
        )
    # torch.compile of torch 2.1 knows no strict zip
    return tuple([gate(level) for gate, level in zip(gates, maps)])  # noqa: B905
