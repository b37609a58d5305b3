"""Lists of classes, as configs, annotation files and checkpoints hold them."""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.fileio import list_from_file

from ...coco.annotations import Annotations
from ...weights.read.checkpoint import Checkpoint
from .datasets import dataset_class, located_datasets

_SHOWN = 5  # how many names a message shows


def classes_of_meta(meta: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The classes that a checkpoint's ``meta`` tells, as mmdet 3 or mmdet 2 writes them."""
    dataset = meta.get("dataset_meta")
    given = {str(k).lower(): v for k, v in dataset.items()} if isinstance(dataset, Mapping) else {}
    classes = given.get("classes", meta.get("CLASSES"))
    if not isinstance(classes, (list, tuple)) or not all(isinstance(c, str) for c in classes):
        return None
    return tuple(classes)


def classes_of_config(dataset: ConfigDict, key: str = "dataset") -> tuple[str, ...]:
    """The classes of a data set's config, as mmdet takes them.

    Raises:
        ValueError: If they are no list of different names.
    """
    given = (dataset.get("metainfo") or {}).get("classes")
    if given is None:
        given = dataset_class(dataset).METAINFO.get("classes") or ()
    if isinstance(given, str):  # mmengine reads a file of names, and takes letters else
        if not Path(given).is_file():
            raise ValueError(
                f"{key}.metainfo.classes={given!r}: expected a list of names, such as "
                f"({given!r},), or a file with one on each line"
            )
        given = list_from_file(given)
    if not isinstance(given, (list, tuple)) or not all(isinstance(c, str) for c in given):
        raise ValueError(f"{key}.metainfo.classes={given!r:.60}: expected a list of names")
    repeated = [name for name, count in Counter(given).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{key}.metainfo.classes has {listed(repeated)} more than once; expected each once"
        )
    return tuple(given)


def named_meta(checkpoint: Checkpoint, cfg: Config) -> Mapping[str, Any]:
    """What a checkpoint says of itself, with the config's classes where it names none.

    Where both name classes and they differ, the checkpoint's hold, and a line tells.

    Raises:
        ValueError: If the config's classes are no list of different names.
    """
    datasets = located_datasets(cfg, "test_dataloader")
    configured = next((classes_of_config(dataset, key) for key, dataset in datasets), None)
    own = classes_of_meta(checkpoint.meta)
    if configured and own is None:
        return {**checkpoint.meta, "dataset_meta": {"classes": configured}}
    if configured and own != configured:
        print(
            f"note: the checkpoint {checkpoint.source} was trained on {listed(own or ())}, the "
            f"config's test set has {listed(configured)}: the checkpoint's names are taken",
            file=sys.stderr,
        )
    return checkpoint.meta


def check_unique(file: Annotations, names: Sequence[str]) -> None:
    """Check that no two categories of a file have one of these names.

    Raises:
        ValueError: Naming their ids.
    """
    counts = Counter(file.classes)
    repeated = [name for name in names if counts[name] > 1]
    if repeated:
        ids = [key for key, name in file.categories if name == repeated[0]]
        raise ValueError(
            f"{file.path} has several categories of the name {repeated[0]!r} (ids "
            f"{', '.join(map(str, ids))}): expected each name once; take out the one without "
            "objects, or rename it"
        )


def listed(names: Sequence[str]) -> str:
    """Names for a message: the first ones, and how many there are."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f", ... ({len(names)} in all)" if len(names) > _SHOWN else "")


def nearest(name: str, known: Sequence[str]) -> str:
    """The name that was meant, for a message; empty if none is near."""
    by_small = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), by_small, n=1)
    return f" (did you mean {by_small[near[0]]!r}?)" if near else ""
