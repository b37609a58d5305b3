"""Which detectors of mmdet's zoo run, plain and with our backbone: python -m studies.zoo_sweep

Takes one config of each directory, builds it, computes losses and gradients of two small random
pictures and predicts; then again with an SE twin for a ResNet or ResNeXt. Nothing is downloaded, a
GPU is not needed; each detector runs in a process of its own, with limits of time and memory.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import multiprocessing
import os
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from mmengine.config import Config

from senet_mm.cli import errors
from studies.zoo_sweep_one import ZOO, is_detector, sweep_one

# isort: split
from mmdet.utils import register_all_modules

PACKAGES = ("mmengine", "mmcv", "mmcv-lite", "mmdet", "torch")


@dataclass(frozen=True)
class Row:
    """How one config fared.

    Attributes:
        config: Path below mmdet's configs.
        plain: ``"ok"``, ``"no detector"`` or what went wrong.
        ours: The same with our backbone; ``"no twin"`` if there is none for the config's.
    """

    config: str
    plain: str
    ours: str

    @property
    def failed_with_ours_only(self) -> bool:
        """Whether our backbone is to blame."""
        return self.plain == "ok" and self.ours not in ("ok", "no twin")


def configs() -> list[str]:
    """One config of each directory: with a detector, a ResNet-50 if there is one, a short name."""

    def preference(path: Path) -> tuple[bool, int, str]:
        return "r50" not in path.name, len(path.name), path.name

    chosen = []
    for folder in sorted(f for f in ZOO.iterdir() if f.is_dir() and f.name != "_base_"):
        paths = sorted(folder.glob("*.py"), key=preference)
        chosen += [next(filter(_has_detector, paths), paths[0])] if paths else []
    return [str(path.relative_to(ZOO)) for path in chosen]


def _has_detector(path: Path) -> bool:
    try:
        return is_detector(Config.fromfile(path))
    except Exception:  # its error is what the sweep is to find
        return True


def run(config: str, *, se: bool, seconds: float, gigabytes: float) -> str:
    """What :func:`sweep_one` says, or one line on why it did not.

    Args:
        config: Path below mmdet's configs.
        se: Whether to put our backbone in the place of a ResNet or ResNeXt.
        seconds: Limit of time.
        gigabytes: Limit of memory.
    """
    fork = multiprocessing.get_context("fork")  # the imports take longer than most detectors
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=_child, args=(sender, config, se, gigabytes))
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            return f"not done after {seconds:g} s"
        return receiver.recv()
    except EOFError:
        process.join()
        return f"the process ended with code {process.exitcode}"
    finally:
        process.kill()
        process.join()


def _child(sender: Connection, config: str, se: bool, gigabytes: float) -> None:
    limit = int(gigabytes * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    torch.set_num_threads(1)
    os.chdir(ZOO.parent)  # configs name those of teachers as configs/...
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 1)
        os.dup2(null.fileno(), 2)
    try:
        outcome = sweep_one(ZOO / config, se=se)
    except BaseException as error:  # whatever it is, the sweep goes on
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        outcome = f"{type(error).__name__}: {lines[0] if lines else ''}".replace(f"{ZOO}/", "")
    sender.send(outcome)


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| directory | config | plain | SE |", "|---|---|---|---|"]
    for row in rows:
        folder, _, name = row.config.partition("/")
        plain, ours = _cell(row.plain), _cell(row.ours)
        if ours == plain != "ok":
            ours = "the same"
        lines.append(f"| {folder} | {name.removesuffix('.py')} | {plain} | {ours} |")
    return "\n".join(lines)


def _cell(outcome: str) -> str:
    text = " ".join(outcome.split()).replace("|", "\\|")
    return text if len(text) <= 120 else text[:117] + "..."


def summary(rows: Sequence[Row]) -> str:
    """Counts, and what fails with our backbone alone."""
    detectors = [row for row in rows if row.plain != "no detector"]
    twins = [row for row in detectors if row.ours != "no twin" and row.plain == "ok"]
    blamed = [row.config for row in detectors if row.failed_with_ours_only]
    text = (
        f"{len(rows)} directories, {len(detectors)} with a detector: "
        f"{sum(row.plain == 'ok' for row in detectors)} run; of these, {len(twins)} have a ResNet "
        f"or ResNeXt backbone, and {sum(row.ours == 'ok' for row in twins)} run with its SE twin."
    )
    return text + f" With the twin alone fail: {', '.join(blamed)}." * bool(blamed)


def versions() -> str:
    """The packages that the sweep ran with."""
    found = []
    for distribution in sorted(importlib.metadata.distributions(), key=lambda d: d.name):
        name = distribution.name.removeprefix("onedl-")
        if name.replace("mmdetection", "mmdet") in PACKAGES:
            found.append(f"{distribution.name} {distribution.version}")
    return ", ".join(found)


def parse_args() -> argparse.Namespace:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("configs", nargs="*", help="below mmdet's; one per directory if not given")
    parser.add_argument("--seconds", type=float, default=120, help="limit for one detector")
    parser.add_argument("--gigabytes", type=float, default=8, help="limit for one detector")
    parser.add_argument("--out", type=Path, help="file for the table, besides the screen")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    register_all_modules()
    rows = []
    for config in args.configs or configs():
        plain = run(config, se=False, seconds=args.seconds, gigabytes=args.gigabytes)
        ours = plain
        if plain != "no detector":
            ours = run(config, se=True, seconds=args.seconds, gigabytes=args.gigabytes)
        rows.append(Row(config, plain, ours))
        print(f"{config}: {plain} | {ours}", flush=True)
    text = "\n\n".join((versions(), table(rows), summary(rows)))
    print("", text, sep="\n")
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    errors.run(main)
