"""A trained model for the Hugging Face hub: its weights, its config and its card, in a folder."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mmengine.config import Config

from ..weights.convert import plain_data
from ..weights.read.hub import CHECKPOINT, import_hub, told
from ..weights.read.sources import fetch
from ..weights.recognize.backbone import check_finite
from .model_card import model_card
from .work_dir import Run, read_logs

CONFIG = "config.py"
_REPO = re.compile(r"[\w.-]+/[\w.-]+")


def write_model(run: Run, repo: str, folder: Path, *, license: str | None = None) -> list[Path]:
    """Write what will stand on the hub: ``model.pth``, ``config.py`` and ``README.md``.

    The weights go without the optimizer's state, and nothing says where files lay on this machine.

    Args:
        run: The training.
        repo: Where it will stand, ``OWNER/REPO``.
        folder: Where the files go.
        license: The licence's identifier on the hub, such as ``apache-2.0``.

    Returns:
        The files.

    Raises:
        ValueError: If the repository's name is not accepted, or the checkpoint cannot be read or
            is not finite.
        ImportError: If huggingface_hub is missing.
        OSError: If a file cannot be written.
    """
    check_repo(repo)
    import_hub()
    cfg = portable(run.config)
    checkpoint = fetch(str(run.checkpoint))
    check_finite(checkpoint.state_dict, checkpoint.source)
    said = _without_paths(plain_data(checkpoint.meta), [])
    meta: dict[str, Any] = {**said, "cfg": cfg.pretty_text}
    card = model_card(repo, cfg, meta, metrics_of(run, checkpoint.meta), license=license)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"meta": meta, "state_dict": checkpoint.state_dict}, folder / CHECKPOINT)
    (folder / CONFIG).write_text(cfg.pretty_text, encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    return [folder / name for name in (CHECKPOINT, CONFIG, "README.md")]


def push(run: Run, repo: str, *, private: bool = False, license: str | None = None) -> str:
    """Put a trained model on the hub, which makes the repository if it is not there.

    Args:
        run, repo, license: As for :func:`write_model`.
        private: Whether a new repository is seen by its owner alone.

    Returns:
        Its address.

    Raises:
        ValueError: As :func:`write_model`, or if the hub does not allow it.
        ConnectionError: If the hub cannot be reached.
        ImportError, OSError: As :func:`write_model`.
    """
    with TemporaryDirectory() as folder:
        write_model(run, repo, Path(folder), license=license)
        with told(f"push to {repo}"):
            api = import_hub().HfApi()
            place = api.create_repo(repo, private=private, exist_ok=True)
            said = f"{run.checkpoint.name} of {run.name}"
            api.upload_folder(repo_id=repo, folder_path=folder, commit_message=said)
    return str(place)


def check_repo(repo: str) -> None:
    """Check the name of a repository.

    Raises:
        ValueError: If it is not of the form ``OWNER/REPO``.
    """
    if not _REPO.fullmatch(repo):
        raise ValueError(f"repository {repo!r}: expected OWNER/REPO")


def metrics_of(run: Run, meta: Mapping[str, Any]) -> dict[str, float]:
    """What the training's validation has measured of its checkpoint; nothing if it did not.

    Args:
        run: The training.
        meta: What the checkpoint says of itself: after which epoch and iteration it was saved.
    """
    by_epoch = (run.config.get("train_cfg") or {}).get("by_epoch", True)
    step = meta.get("epoch" if by_epoch else "iter")
    for log in reversed(read_logs(run)):
        for entry in reversed(log):
            found = {key: value for key, value in entry.items() if "/" in key}
            if found and "loss" not in entry and entry.get("step") == step:
                return found
    return {}


def portable(cfg: Config) -> Config:
    """A config as it may be shown: without work dir and without absolute paths.

    What lies in a data set's folder is found in ``data/NAME/`` then, other files by their names.
    """
    content = cfg.to_dict()
    for key in ("work_dir", "load_from", "resume"):
        content.pop(key, None)
    roots = sorted(_data_roots(content), key=len, reverse=True)
    return Config(_without_paths(copy.deepcopy(content), roots))


def _data_roots(node: Any) -> set[str]:
    if isinstance(node, Mapping):
        own = {value for key, value in node.items() if key == "data_root" and _is_absolute(value)}
        return own.union(*map(_data_roots, node.values()))
    return set().union(*map(_data_roots, node)) if isinstance(node, (list, tuple)) else set()


def _without_paths(node: Any, roots: list[str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _without_paths(value, roots) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_without_paths(value, roots) for value in node)
    if not _is_absolute(node):
        return node
    for root in roots:
        if node.startswith(root):
            return f"data/{PurePath(root).name}/{node.removeprefix(root).lstrip('/')}"
    return PurePath(node).name


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("/", "~/")) and len(value) > 1
