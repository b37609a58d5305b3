"""The last checkpoint of a training.

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
from ...weights.read.sources import check

POINTER = "last_checkpoint"
_REMOTE = ("http://", "https://", "s3://", "petrel://")
_RESUMABLE = {"meta", "state_dict", "message_hub", "optimizer"}


def find_checkpoint(cfg: Config) -> tuple[str, dict[str, Any] | None] | None:
    """The checkpoint of a work dir to resume from.

    That is :func:`last_whole`. What is taken otherwise than mmengine would is said, and
    ``last_checkpoint`` is corrected.

    Returns:
        Its name and what it holds, unless it is on another machine; None if there is none.

    Raises:
        ValueError: If the file that is named holds more than tensors and plain data, or is
            damaged and there is no other.
    """
    pointer = Path(cfg.work_dir, POINTER)
    text = _read(pointer)
    if text and text.startswith(_REMOTE):
        return text, None
    found, wrong = last_whole(pointer.parent, cfg)
    if wrong:
        if found is not None:
            remedy = f"resuming from the newest whole checkpoint, {found}"
        else:
            remedy = "without a whole checkpoint, training starts from the beginning"
        print_log(f"{wrong}: {remedy}", "current", logging.WARNING)
    if is_main_process():
        _correct(pointer, text, found)
    return None if found is None else (str(found), read_file(found))


def last_whole(work_dir: Path, cfg: Config) -> tuple[Path | None, str]:
    """The checkpoint that ``last_checkpoint`` names, else the newest whole one.

    Args:
        work_dir: Work dir of the training; it may have moved since.
        cfg: Its config, which may save checkpoints elsewhere.

    Returns:
        The file, if there is one; what is wrong with ``last_checkpoint``, or "".

    Raises:
        ValueError: As :func:`find_checkpoint`.
    """
    pointer = work_dir / POINTER
    text = _read(pointer)
    named = _named(text, work_dir)
    damage: CorruptError | None = None
    if named is not None:
        try:
            check(str(named))
            return named, ""
        except CorruptError as error:
            damage = error
    found = _newest(_folders(work_dir, cfg))
    if found is None and damage is not None:
        raise damage  # not to be trained over
    return found, _wrong(pointer, text, named)


def _read(pointer: Path) -> str | None:
    return pointer.read_text(errors="replace").strip() if pointer.is_file() else None


def _named(text: str | None, work_dir: Path) -> Path | None:
    """The file that a pointer means: beside it, if the work dir has moved."""
    if not text:
        return None
    beside = work_dir / Path(text).name
    return next((path for path in (beside, Path(text)) if path.is_file()), None)


def _folders(work_dir: Path, cfg: Config) -> Iterator[Path]:
    """Where the checkpoints of a training are."""
    yield work_dir
    hook = (cfg.get("default_hooks") or {}).get("checkpoint") or {}
    out_dir = hook.get("out_dir") if isinstance(hook, dict) else None
    if out_dir and "://" not in str(out_dir):
        yield Path(out_dir, work_dir.absolute().name)


def _newest(folders: Iterator[Path]) -> Path | None:
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
    found: list[tuple[int, Path]] = []
    for paths in kinds.values():
        for _, path in sorted(paths, reverse=True):
            content = _read_resumable(path)
            if content is not None:
                found.append((content["meta"].get("iter", 0), path))
                break
    return max(found, key=lambda item: item[0])[1] if found else None


def _read_resumable(path: Path) -> dict[str, Any] | None:
    """What a checkpoint holds, if it is a whole one of a training."""
    try:
        content = read_file(path)
    except (ValueError, OSError):
        return None
    return content if content.keys() >= _RESUMABLE else None


def _wrong(pointer: Path, text: str | None, named: Path | None) -> str:
    if text is None:
        return f"there is no {pointer}"
    if not text:
        return f"{pointer} is empty"
    if named is None:
        return f"{pointer} names {text}, which is not there"
    return f"{named} is damaged or cut off"


def _correct(pointer: Path, text: str | None, found: Path | None) -> None:
    """Have mmengine, which reads the pointer, find the same."""
    if found is None:
        pointer.unlink(missing_ok=True)
    elif not (text and os.path.isabs(text) and Path(text).is_file() and found.samefile(text)):
        write_whole(pointer, str(found.absolute()))
