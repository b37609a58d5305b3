"""The report of a comparison of classifiers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...classification.errors import TOP
from ...io.files import write_whole
from ...io.tables import markdown
from ..classifiers import Comparison


def report(comparison: Comparison) -> str:
    """The comparison as Markdown: errors, differences, and a verdict on each."""
    first = next(iter(comparison.runs.values()))[0]
    rows = [["classifier", "trainings", *(f"top-{k} error (%)" for k in TOP)], ["---"] * 4]
    for name, listed in comparison.runs.items():
        errors = comparison.errors[name]
        shown = [f"{errors[k]:.2f}" if k in errors else "-" for k in TOP]
        rows.append([name, str(len(listed)), *shown])
    augmented = ", with test-time augmentation (--tta)" if comparison.tta else ""
    head = f"{len(first.labels):,} images, {len(first.classes):,} classes{augmented}."
    verdicts = "\n\n".join(_verdicts(comparison))
    return f"{head}\n\n{markdown(rows)}\n\n{verdicts}\n"


def write_report(comparison: Comparison, out_dir: Path) -> list[Path]:
    """Write the comparison as ``classifiers.md`` and ``classifiers.json``; returns the paths."""
    numbers: Mapping[str, Any] = dict(
        confidence=comparison.confidence,
        tta=comparison.tta,
        errors=comparison.errors,
        sources={name: [one.source for one in listed] for name, listed in comparison.runs.items()},
        differences={
            name: {k: asdict(one) for k, one in by_k.items()}
            for name, by_k in comparison.differences.items()
        },
        mcnemar={
            name: {k: asdict(one) for k, one in by_k.items()}
            for name, by_k in comparison.discordant.items()
        },
    )
    return [
        write_whole(out_dir / "classifiers.md", report(comparison)),
        write_whole(out_dir / "classifiers.json", json.dumps(numbers, indent=1)),
    ]


def _verdicts(comparison: Comparison) -> list[str]:
    baseline = next(iter(comparison.runs))
    lines = []
    for name, by_k in comparison.differences.items():
        for k, one in by_k.items():
            line = f"Top-{k} error of {name} minus that of {baseline}: {one.value:+.2f} points"
            if one.low is not None:
                over = " over trainings and images" if one.trainings else ""
                ends = f"{one.low:+.2f} to {one.high:+.2f}"
                line += f" ({comparison.confidence:.0%} interval{over} {ends})"
            else:
                line += f" (they differ on {one.num_images} images, too few for an interval)"
            exact = comparison.discordant[name].get(k)
            if exact:
                line += (
                    f"; {exact.better} images only {name} gets right, {exact.worse} only "
                    f"{baseline}: p = {exact.p_value:.2g} (exact McNemar test)"
                )
            lines.append(f"{line}.")
    if all(len(listed) == 1 for listed in comparison.runs.values()):
        lines.append(
            "This is about these weights on other images of the kind; what another training would "
            "give needs several seeds of each."
        )
    return lines
