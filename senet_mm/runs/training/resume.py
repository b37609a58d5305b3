"""Go on with a training that was interrupted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.logging import print_log

from ...weights.read.file import SCHEMES, read_file
from ..hooks import hooks_of_config
from .config_changes import changes
from .last_checkpoint import find_checkpoint


def check_resume(cfg: Config) -> str | None:
    """With ``resume`` set, find the newest whole checkpoint and compare it with the config.

    Returns:
        The checkpoint that is resumed, if there is one.

    Raises:
        FileNotFoundError, ValueError: If a checkpoint that is named cannot be read, or the
            training cannot go on with this config.
    """
    if not cfg.get("resume"):
        return None
    given = cfg.get("load_from")
    if given:
        source, checkpoint = given, None if given.startswith(SCHEMES) else read_file(given)
    else:
        found = find_checkpoint(cfg)
        if found is None:
            return None
        source, checkpoint = found
    if checkpoint is not None:  # on this machine
        check_resumable(cfg, checkpoint, Path(source))
    return source


def check_resumable(cfg: Config, checkpoint: Mapping[str, Any], path: Path) -> None:
    """Check that a training can go on from a checkpoint with a config.

    Raises:
        ValueError: Saying what is in the way.
    """
    meta = checkpoint.get("meta")
    if not isinstance(meta, Mapping) or not {"epoch", "iter"} <= meta.keys():
        raise ValueError(
            f"{path} is no checkpoint of a training (it has no meta.epoch and meta.iter), so it "
            "cannot be resumed; to start from its weights: --cfg-options "
            f"load_from={shlex.quote(str(path))}"
        )
    if "ema_state_dict" in checkpoint and not hooks_of_config(cfg, EMAHook):
        raise ValueError(
            f"{path} was trained with EMAHook and holds averaged weights; the config has no "
            "EMAHook in custom_hooks to go on with"
        )
    _check_length(cfg, meta, path)
    if not meta.get("cfg"):  # of a runner that was made without a config
        return
    try:
        refused = [c for c in changes(str(meta["cfg"]), cfg.pretty_text) if c.refused]
    except (SyntaxError, ValueError):  # what cannot be read cannot be compared
        return
    if refused:
        raise ValueError(
            f"{'; '.join(map(str, refused))}. To train on from its weights with another optimizer "
            f"and schedule, start a new run with --cfg-options load_from={shlex.quote(str(path))}"
        )


def _check_length(cfg: Config, meta: Mapping[str, Any], path: Path) -> None:
    """Refuse a checkpoint of a longer training; say so if there is nothing left to train."""
    for kind, unit in (("epoch", "epochs"), ("iter", "iters")):
        end = cfg.get("train_cfg", {}).get(f"max_{unit}")
        done = meta[kind]
        if end is None or done < end:
            continue
        if done > end:
            raise ValueError(
                f"{path} has {done} {unit} of training, more than train_cfg.max_{unit}={end}"
            )
        print_log(
            f"{path} is of a finished run ({done} of {end} {unit}); to train on, raise "
            f"train_cfg.max_{unit}",
            "current",
        )
