"""Tables and a plot of measured speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib
import torch
from matplotlib.figure import Figure

from ..io.tables import markdown
from .speed import Speed
from .steps import Setting
from .variants import BASELINE


def speed_table(speeds: Sequence[Speed]) -> str:
    """A row per variant: time, ratio to plain, bytes kept for backward, peak memory."""
    plain = next((speed for speed in speeds if speed.name == BASELINE), speeds[0])
    header = ["variant", "ms", "time / plain", "saved MB", "/ plain", "peak MB", "/ plain"]
    rows = [header, ["---"] + ["---:"] * (len(header) - 1)]
    for speed in speeds:
        rows.append(
            [
                speed.name,
                f"{1000 * speed.seconds:.1f} ± {1000 * speed.spread:.1f}",
                f"{speed.ratio:.3f} ± {speed.ratio_spread:.3f}",
                *_bytes(speed.saved, plain.saved),
                *_bytes(speed.peak, plain.peak),
            ]
        )
    return markdown(rows)


def machine(device: str) -> str:
    """What was measured on."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"


def as_json(results: Mapping[Setting, Sequence[Speed]], machine: str) -> dict[str, Any]:
    """All numbers, for other programs."""
    return {
        "machine": machine,
        "results": [
            {"setting": asdict(setting), "speeds": [asdict(speed) for speed in speeds]}
            for setting, speeds in results.items()
        ],
    }


def plot_ratios(results: Mapping[Setting, Sequence[Speed]], path: Path) -> None:
    """Draw the time of each variant relative to plain, one panel per setting."""
    with matplotlib.rc_context({"axes.spines.top": False, "axes.spines.right": False}):
        rows = max(len(speeds) for speeds in results.values())
        figure = Figure(figsize=(8, (0.8 + 0.3 * rows) * len(results)), layout="constrained")
        panels = figure.subplots(len(results), squeeze=False)[:, 0]
        for axes, (setting, speeds) in zip(panels, results.items(), strict=True):
            names = [speed.name for speed in speeds]
            ratios = [speed.ratio for speed in speeds]
            spreads = [speed.ratio_spread for speed in speeds]
            colors = ["#D55E00" if "fused" in name else "#7f8c99" for name in names]
            axes.barh(names, ratios, xerr=spreads, color=colors, height=0.65)
            axes.axvline(1, color="#333333", linewidth=1)
            for row, (ratio, spread) in enumerate(zip(ratios, spreads, strict=True)):
                axes.text(ratio + spread, row, f" {ratio:.3f}", va="center", fontsize=8)
            axes.invert_yaxis()
            axes.set_title(setting.title, fontsize=10, loc="left")
            axes.set_xlim(0, 1.12 * max(map(sum, zip(ratios, spreads, strict=True))))
        panels[-1].set_xlabel("time relative to plain")
        figure.savefig(path, dpi=120)


def _bytes(value: int | None, plain: int | None) -> list[str]:
    if value is None or plain is None:
        return ["-", "-"]
    return [f"{value / 1e6:.1f}", f"{value / plain:.3f}"]
