"""Write a comparison: Markdown, JSON, and one self-contained HTML page."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import Any

from ...io.files import make_writable, write_whole
from ...io.tables import escape
from ..comparison import Comparison
from ..evaluation import Evaluation
from .gallery import Exhibit, galleries
from .page import html
from .schema import VERSION
from .sentences import about_classes, about_power, notes, title, verdicts
from .tables import class_table, difference_tables, metrics_table, power_table
from .use import use_tables
from .why import why_sentences, why_tables


def prepare_report(out_dir: Path, *, num_images: int = 8) -> None:
    """Check what :func:`write_report` needs, before the work is done.

    Raises:
        ValueError: If ``num_images`` is negative.
        OSError: If the folder cannot be created or written.
    """
    if num_images < 0:
        raise ValueError(f"--num-images is {num_images}; expected 0 or more")
    make_writable(out_dir, str(out_dir), "choose another --out-dir")


def write_report(
    comparison: Comparison,
    evaluation: Evaluation,
    out_dir: Path,
    *,
    image_dir: Path | None = None,
    num_images: int = 8,
) -> list[Path]:
    """Write ``report.md``, ``report.json`` and ``report.html``, each whole or not at all.

    Args:
        comparison: The comparison.
        evaluation: What it was taken from, for the gallery.
        out_dir: Where the files go.
        image_dir: Where the images are; without it there is no gallery.
        num_images: Images of the gallery, per detector but the baseline. One that cannot be read
            is left out, which a note tells.

    Returns:
        Paths of the three files.

    Raises:
        ValueError, OSError: As :func:`prepare_report` does.
    """
    prepare_report(out_dir, num_images=num_images)
    exhibits: dict[str, list[Exhibit]] = {}
    if image_dir is not None and num_images:
        exhibits, missing = galleries(evaluation, image_dir, num_images=num_images, progress=True)
        comparison = replace(comparison, remarks=(*comparison.remarks, *missing))
    contents = {
        "report.md": as_markdown(comparison),
        "report.json": json.dumps(
            {"version": VERSION} | _plain(asdict(comparison)), indent=1, allow_nan=False
        ),
        "report.html": html(comparison, exhibits),
    }
    return [write_whole(out_dir / name, content) for name, content in contents.items()]


def as_markdown(comparison: Comparison) -> str:
    """The tables and what they say."""
    parts = [
        f"# {escape(title(comparison))}",
        *map(escape, verdicts(comparison)),
        metrics_table(comparison),
    ]
    parts += [difference_tables(comparison), *map(escape, why_sentences(comparison))]
    parts += [why_tables(comparison), use_tables(comparison)]
    parts += [escape(about_classes(comparison)), class_table(comparison)]
    if comparison.needed:
        parts += [about_power(), power_table(comparison)]
    parts += map(escape, notes(comparison))
    return "\n\n".join(parts) + "\n"


def _plain(value: Any) -> Any:
    """What JSON can hold: paths as text, and nothing for numbers that are not finite."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return str(value) if isinstance(value, Path) else value
