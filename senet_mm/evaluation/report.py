"""Write a comparison: Markdown, JSON, and one self-contained HTML page."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from .comparison import Comparison, Evaluated
from .gallery import Exhibit, gallery
from .report_html import html
from .tables import class_table, difference_tables, metrics_table, notes, verdicts


def write_report(
    comparison: Comparison, evaluated: Evaluated, out_dir: Path, *, num_images: int = 8
) -> list[Path]:
    """Write ``report.md``, ``report.json`` and ``report.html``, each whole or not at all.

    Args:
        comparison: The comparison.
        evaluated: What its gallery is drawn from; without an image folder there is none.
        out_dir: Where the files go.
        num_images: Images of the gallery, per detector but the baseline.

    Returns:
        Paths of the three files.

    Raises:
        FileNotFoundError: If an image of the gallery cannot be read.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    exhibits: dict[str, list[Exhibit]] = {}
    if evaluated.image_dir is not None and num_images:
        names = comparison.names
        exhibits = {
            names[index]: gallery(evaluated, names, index, num_images=num_images)
            for index in range(1, len(names))
        }
    contents = {
        "report.md": as_markdown(comparison),
        "report.json": json.dumps(asdict(comparison), indent=1, default=str),
        "report.html": html(comparison, exhibits),
    }
    return [_write(out_dir / name, content) for name, content in contents.items()]


def as_markdown(comparison: Comparison) -> str:
    """The tables and what they say."""
    title = f"# {' against '.join(reversed(comparison.names))}"
    parts = [title, *verdicts(comparison), metrics_table(comparison)]
    parts += [difference_tables(comparison), class_table(comparison), *notes(comparison)]
    return "\n\n".join(parts) + "\n"


def _write(path: Path, content: str) -> Path:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(content, encoding="utf-8")
    os.replace(unfinished, path)
    return path
