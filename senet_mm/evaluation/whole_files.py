"""Write a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: str) -> Path:
    """Write text beside its place, then move it there; returns the path."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(content, encoding="utf-8")
    os.replace(unfinished, path)
    return path
