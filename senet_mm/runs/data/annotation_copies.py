"""Copies of annotation files with their defaults filled in, for mmdet and its evaluation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS
from mmengine.config import Config

from ...coco.annotations import Annotations
from ...coco.mended import mended
from ...io.files import write_whole

# where a config keeps what copies stand for, so that it can be run again elsewhere
ORIGINALS = "original_annotations"


def located_metrics(cfg: Config, loader: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the COCO metrics that read an annotation file, each with its key in the config."""
    evaluator = loader.replace("_dataloader", "_evaluator")
    stack: list[tuple[str, Any]] = [(evaluator, cfg.get(evaluator))]
    while stack:
        key, node = stack.pop()
        if isinstance(node, (list, tuple)):
            stack += [(f"{key}.{place}", part) for place, part in enumerate(node)]
        elif isinstance(node, Mapping):
            if _is_coco_metric(node):
                yield key, node
            stack += [(f"{key}.{name}", part) for name, part in node.items() if part]


def _is_coco_metric(node: Mapping[str, Any]) -> bool:
    kind = node.get("type")
    kind = METRICS.get(kind) if isinstance(kind, str) else kind
    if not isinstance(kind, type) or not issubclass(kind, CocoMetric):
        return False
    lvis = any(parent.__name__.startswith("LVIS") for parent in kind.__mro__)
    return bool(node.get("ann_file")) and not lvis and not node.get("backend_args")


def evaluates_masks(metric: Mapping[str, Any]) -> bool:
    """Whether a COCO metric evaluates masks."""
    names = metric.get("metric", "bbox")
    return "segm" in ([names] if isinstance(names, str) else names)


def write_copy(annotations: Annotations, sizes: np.ndarray, work_dir: Path) -> Path:
    """Write a copy of a file into the work dir; returns its path.

    The same file, unchanged, has the same copy.
    """
    stat = annotations.path.stat()
    version = [str(annotations.path.resolve()), stat.st_mtime_ns, stat.st_size]
    number = hashlib.sha256(json.dumps(version).encode()).hexdigest()[:8]
    folder = work_dir.resolve() / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{annotations.path.stem}-{number}.json"
    return write_whole(folder / name, mended(annotations, sizes))


def apply(cfg: Config, changes: Mapping[str, Any]) -> None:
    """Set keys of a config; files that copies take the place of are kept under ``ORIGINALS``."""
    for key, value in changes.items():
        node, name = _node(cfg, key)
        if name == "ann_file":
            cfg[ORIGINALS] = [*cfg.get(ORIGINALS, []), dict(key=key, file=node[name])]
        node[name] = value


def restore(cfg: Config) -> None:
    """Name the original annotation files again in a config that names copies of them."""
    for entry in cfg.pop(ORIGINALS, None) or []:
        try:
            node, name = _node(cfg, entry["key"])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            continue  # the config has changed since
        node[name] = entry["file"]


def _node(cfg: Config, key: str) -> tuple[Any, str]:
    *path, name = key.split(".")
    node: Any = cfg
    for part in path:
        node = node[int(part)] if isinstance(node, Sequence) else _member(node, part)
    return node, name


def _member(node: Any, name: str) -> Any:
    if node.get(name) is None:
        node[name] = {}
    return node[name]
