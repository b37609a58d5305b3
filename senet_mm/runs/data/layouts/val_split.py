"""A split to validate on, for folders that have none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .store import find_stored, store

_FILE = "val_split.json"


@dataclass(frozen=True)
class ValSplit:
    """How pictures are set apart from those to train on.

    Attributes:
        fraction: How many of them, above 0 and below 1.
        seed: Which of them.
    """

    fraction: float
    seed: int = 0

    def chosen(self, names: Sequence[str]) -> set[str]:
        """The pictures to validate on: by their names and the seed alone, on any machine.

        Raises:
            ValueError: If there are fewer than two.
        """
        if len(names) < 2:
            raise ValueError(f"{len(names)} pictures cannot be split into two parts")
        number = min(max(round(self.fraction * len(names)), 1), len(names) - 1)

        def rank(name: str) -> bytes:
            return hashlib.sha256(f"{self.seed}/{name}".encode()).digest()

        return set(sorted(names, key=rank)[:number])


def stored_split(root: Path) -> ValSplit | None:
    """The split that a folder was given."""
    file = find_stored(root, _FILE)
    return ValSplit(**json.loads(file.read_text(encoding="utf-8"))) if file else None


def store_split(root: Path, split: ValSplit) -> None:
    """Give a folder a split, in place of one that it was given before."""
    if stored_split(root) != split:
        store(root, _FILE, lambda: json.dumps(asdict(split)), replace=True)
