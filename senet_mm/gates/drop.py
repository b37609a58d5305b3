"""Write a checkpoint and its config without some SE blocks, their gates folded as constants."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.config import Config
from torch import Tensor, nn

from ..io.files import whole_file, write_whole
from ..layers import AttentionConfig, SEBlock, SEResidualMixin
from ..profiling.complexity import build_detector, count_parameters
from ..weights.load.complete import check_complete
from ..weights.read.sources import fetch
from .fold import check_foldable, fold_gates
from .statistics import Block, find_blocks

SUGGESTED = "suggested"


@dataclass(frozen=True)
class Dropped:
    """A detector without some of its SE blocks, as a work dir.

    Attributes:
        config: The config file.
        checkpoint: The checkpoint.
        parameters: Parameters of the whole model that are left.
    """

    config: Path
    checkpoint: Path
    parameters: int


def find_obstacles(model: nn.Module, blocks: Mapping[str, Block]) -> dict[str, str]:
    """Why blocks cannot be dropped, by name, for those that cannot."""
    obstacles = {}
    for name, block in blocks.items():
        try:
            check_foldable(_unit_of(model, block))
        except ValueError as error:
            obstacles[name] = str(error)
        else:
            if not cast(SEBlock, block.module).pools:
                # their mean, which is what is recorded, tells nothing of that
                obstacles[name] = "squeeze='none': its gates differ from position to position"
    return obstacles


def select_blocks(
    names: Sequence[str],
    blocks: Mapping[str, Block],
    obstacles: Mapping[str, str],
    suggested: Collection[str] = (),
) -> list[str]:
    """The blocks that ``--drop`` names, in the model's order.

    Args:
        names: Blocks (``SE_5_3``), stages (``stage5`` or ``5``), or ``suggested``.
        blocks: The model's blocks by name.
        obstacles: As :func:`find_obstacles` gives them.
        suggested: What ``suggested`` stands for.

    Raises:
        ValueError: If a name is unknown, or a block cannot be dropped; says why.
    """
    stages = sorted({block.stage for block in blocks.values() if block.stage is not None})
    chosen: set[str] = set()
    for name in names:
        stage = re.fullmatch(r"(?:stage)?(\d+)", name)
        if name == SUGGESTED:
            chosen.update(suggested)
        elif name in blocks:
            chosen.add(name)
        elif stage and int(stage[1]) in stages:
            chosen.update(key for key, block in blocks.items() if block.stage == int(stage[1]))
        else:
            raise ValueError(
                f"--drop {name}: expected {SUGGESTED!r}, a stage ("
                f"{', '.join(f'stage{known}' for known in stages) or 'none here'}) or a block "
                f"({', '.join(blocks)})"
            )
    refused = [f"{name}: {obstacles[name]}" for name in blocks if name in chosen & set(obstacles)]
    if refused:
        raise ValueError(f"cannot be dropped: {'; '.join(refused)}")
    return [name for name in blocks if name in chosen]


def drop(
    cfg: Config,
    checkpoint: str | Path,
    gates: Mapping[str, Tensor],
    work_dir: Path,
    *,
    force: bool = False,
) -> Dropped:
    """Replace the gates of some blocks by constants; write config and checkpoint.

    Args:
        cfg: The config, which is not changed.
        checkpoint: The checkpoint, whose metadata the new one keeps.
        gates: The constants, shape (C,), by the name of the block.
        work_dir: Where both go, as a work dir that can be compared with others.
        force: Replace what an earlier call wrote there.

    Raises:
        FileExistsError: If there is something, and not ``force``.
        ValueError: If a block is not there or cannot be dropped.
    """
    if not gates:
        raise ValueError(
            f"there is no gate to drop: {SUGGESTED!r} names no block here (raise --max-deviation, "
            "or name blocks or stages)"
        )
    check_replaceable(work_dir, force=force)
    model = build_detector(cfg)
    loaded = fetch(str(checkpoint))
    check_complete(loaded.state_dict, model.state_dict(), str(checkpoint))
    model.load_state_dict(loaded.state_dict, strict=False)
    blocks = find_blocks(model)
    for name in select_blocks(list(gates), blocks, find_obstacles(model, blocks)):
        try:
            fold_gates(_unit_of(model, blocks[name]), gates[name])
        except ValueError as error:
            raise ValueError(f"{name} cannot be dropped: {error}") from error
    new_cfg = copy.deepcopy(cfg)
    new_cfg.model.backbone.se_cfg = _se_cfg_without(cfg, model, [blocks[name] for name in gates])
    new_cfg.pop("work_dir", None)  # of the original run
    new_model = build_detector(new_cfg)
    new_model.load_state_dict(model.state_dict())
    meta = dict(loaded.meta, cfg=new_cfg.pretty_text, folded_gates=list(gates))
    name = Path(new_cfg.filename).name if new_cfg.filename else "config.py"
    dropped = Dropped(
        work_dir / name, work_dir / f"{Path(checkpoint).stem}.pth", count_parameters(new_model)
    )
    _write(dropped, new_cfg.pretty_text, dict(meta=meta, state_dict=new_model.state_dict()))
    return dropped


def check_replaceable(work_dir: Path, *, force: bool) -> None:
    """Check that nothing of an earlier call is lost.

    Raises:
        FileExistsError: If there is a config or checkpoint, and not ``force``.
    """
    present = _written(work_dir)
    if present and not force:
        raise FileExistsError(
            f"{present[0]} exists: give --force to replace it, or another --out-dir"
        )


def _unit_of(model: nn.Module, block: Block) -> SEResidualMixin:
    """The residual unit that an SE block of ``se_cfg`` belongs to."""
    kind = type(block.module)
    if not isinstance(block.module, SEBlock):
        library = kind.__module__.partition(".")[0]
        raise ValueError(f"{block.path} is a {kind.__name__} of {library}, whose code gates")
    if block.behind is not None:
        raise ValueError(f"{block.path} is attached behind a unit: leave that out of units instead")
    parent, _, attribute = block.path.rpartition(".")
    unit = model.get_submodule(parent)
    if not isinstance(unit, SEResidualMixin):
        raise ValueError(f"{block.path} is in no residual unit of a backbone with se_cfg")
    if attribute != "se":
        raise ValueError(f"{block.path} is a plugin: set its `stages` in `plugins` instead")
    if not block.path.startswith("backbone."):
        raise ValueError(f"{block.path} is not in model.backbone, whose se_cfg would change")
    return unit


def _se_cfg_without(cfg: Config, model: nn.Module, dropped: Sequence[Block]) -> list[dict | None]:
    """The backbone's ``se_cfg``, per stage, without some blocks."""
    backbone: Any = model.backbone
    stages = AttentionConfig.parse(cfg.model.backbone.get("se_cfg", {}), backbone.num_stages)
    changed = {block.path.split(".")[1] for block in dropped}
    new: list[dict | None] = []
    for stage, config in enumerate(stages, start=1):
        if config is not None and f"layer{stage}" in changed:
            # fold_gates has removed those that were dropped
            units = enumerate(getattr(backbone, f"layer{stage}"))
            left = tuple(index for index, unit in units if unit.se is not None)
            config = replace(config, blocks=left) if left or config.branch_relu else None
        new.append(None if config is None else config.changed())
    return new


def _write(dropped: Dropped, config: str, checkpoint: dict[str, Any]) -> None:
    """Write both files, each whole or not at all, then remove those of an earlier call."""
    work_dir = dropped.config.parent
    work_dir.mkdir(parents=True, exist_ok=True)
    with whole_file(dropped.checkpoint) as unfinished:
        torch.save(checkpoint, unfinished)
    write_whole(dropped.config, config)
    (work_dir / "last_checkpoint").write_text(dropped.checkpoint.name)
    for path in _written(work_dir):
        if path not in (dropped.config, dropped.checkpoint):
            path.unlink()


def _written(work_dir: Path) -> list[Path]:
    return [path for pattern in ("*.py", "*.pth") for path in sorted(work_dir.glob(pattern))]
