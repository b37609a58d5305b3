"""The checkpoint that a training goes on from.

mmengine names it in the file ``last_checkpoint``, which it rewrites in place: a kill can leave the
file empty, and a moved work dir leaves it naming a file that is elsewhere.
"""

from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from ...io.files import write_whole
from ...weights.read.file import CorruptError, read_file

POINTER = "last_checkpoint"
_REMOTE = ("http://", "https://", "s3://", "petrel://")
_RESUMABLE = {"meta", "state_dict", "message_hub", "optimizer"}
_Found = tuple[Path, dict[str, Any]]


def find_checkpoint(cfg: Config) -> _Found | None:
    """The checkpoint of a work dir to resume from, and what it holds.

    That is the one that ``last_checkpoint`` names, else the newest whole one. What is taken
    otherwise than mmengine would is said, and ``last_checkpoint`` is corrected.

    Returns:
        None if there is none, or on another machine.

    Raises:
        ValueError: If the file that is named holds more than tensors and plain data, or is
            damaged and there is no other.
    """
    pointer = Path(cfg.work_dir, POINTER)
    text = pointer.read_text(errors="replace").strip() if pointer.is_file() else None
    if text and text.startswith(_REMOTE):
        return None
    named = _named(text, pointer.parent) if text else None
    content = _read_whole(named)
    if named is not None and content is not None:
        found: _Found | None = (named, content)
    else:
        found = _newest(_folders(cfg))
        if found is None and named is not None:
            read_file(named)  # raises what is wrong with it: not to be trained over
        _say(pointer, text, named, found)
    if is_main_process():
        _correct(pointer, text, found)
    return found


def _named(text: str, work_dir: Path) -> Path | None:
    """The file that a pointer means: beside it, if the work dir has moved."""
    beside = work_dir / Path(text).name
    return next((path for path in (beside, Path(text)) if path.is_file()), None)


def _read_whole(path: Path | None) -> dict[str, Any] | None:
    try:
        return None if path is None else read_file(path)
    except CorruptError:
        return None


def _folders(cfg: Config) -> Iterator[Path]:
    """Where the checkpoints of a training are."""
    work_dir = Path(cfg.work_dir)
    yield work_dir
    hook = (cfg.get("default_hooks") or {}).get("checkpoint") or {}
    out_dir = hook.get("out_dir") if isinstance(hook, dict) else None
    if out_dir and "://" not in str(out_dir):
        yield Path(out_dir, work_dir.absolute().name)


def _newest(folders: Iterator[Path]) -> _Found | None:
    """The whole checkpoint of the most iterations.

    Read are only the last of each kind (``epoch_3.pth``, ``iter_500.pth``) and, of what is
    half, the one before it.
    """
    kinds: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for folder in folders:
        for path in folder.glob("*.pth"):
            number = re.search(r"(\d+)(?=\D*$)", path.name)
            if number and not path.name.startswith("best_"):
                kind = str(path).replace(path.name, path.name[: number.start()])
                kinds[kind].append((int(number[1]), path))
    found: list[tuple[int, _Found]] = []
    for paths in kinds.values():
        for _, path in sorted(paths, reverse=True):
            content = _read_resumable(path)
            if content is not None:
                found.append((content["meta"].get("iter", 0), (path, content)))
                break
    return max(found, key=lambda item: item[0])[1] if found else None


def _read_resumable(path: Path) -> dict[str, Any] | None:
    """What a checkpoint holds, if it is a whole one of a training."""
    try:
        content = read_file(path)
    except (ValueError, OSError):
        return None
    return content if content.keys() >= _RESUMABLE else None


def _say(pointer: Path, text: str | None, named: Path | None, found: _Found | None) -> None:
    if text is None:
        wrong = f"there is no {pointer}"
    elif not text:
        wrong = f"{pointer} is empty"
    elif named is None:
        wrong = f"{pointer} names {text}, which is not there"
    else:
        wrong = f"{named} is damaged or cut off"
    if found is not None:
        remedy = f"resuming from the newest whole checkpoint, {found[0]}"
    else:
        remedy = "without a whole checkpoint, training starts from the beginning"
    print_log(f"{wrong}: {remedy}", "current", logging.WARNING)


def _correct(pointer: Path, text: str | None, found: _Found | None) -> None:
    """Have mmengine, which reads the pointer, find the same."""
    if found is None:
        pointer.unlink(missing_ok=True)
    elif not (text and os.path.isabs(text) and Path(text).is_file() and found[0].samefile(text)):
        write_whole(pointer, str(found[0].absolute()))
