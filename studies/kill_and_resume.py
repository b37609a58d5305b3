"""Kill a training at random moments and resume it: python -m studies.kill_and_resume

The last checkpoint must be that of the uninterrupted training, in every bit of every tensor.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from senet_mm.cli.errors import run
from senet_mm.shapes import generate_shapes

# of wall time and of the folder; all else must be equal
_UNEQUAL = (
    *("time", "memory", "meta.cfg", "experiment_name", "last_ckpt", "best_ckpt"),
    "mmengine_version",  # with the commit of the folder that it runs in
)
_CONFIG = """
_base_ = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="RandomChoiceResize", scales=[(64, 64), (96, 96), (128, 128)], keep_ratio=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
    dict(type="PackDetInputs"),
]
train_dataloader = dict(
    batch_size=2, num_workers=2, persistent_workers=True, dataset=dict(pipeline=train_pipeline)
)
train_cfg = dict(max_epochs={epochs}, val_interval=2)
default_hooks = dict(
    logger=dict(interval=1),
    checkpoint=dict(by_epoch=False, interval=3, max_keep_ckpts=1, save_best="coco/bbox_mAP"),
)
custom_hooks = [dict(type="EMAHook")]
"""


def flat_state(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, by dotted keys, but for times and places."""
    content = torch.load(path, map_location="cpu", weights_only=False)
    return {
        key: value
        for key, value in _flatten("", content)
        if not any(name in key for name in _UNEQUAL)
    }


def _flatten(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "_log_history"):  # a history of the message hub
        value = dict(log=value._log_history, count=value._count_history)
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flatten(f"{key}.{name}", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _flatten(f"{key}.{index}", item)
    else:
        yield key, value


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Keys of two flat states whose values are not equal in every bit."""
    return [
        key
        for key in {**first, **second}
        if key not in first or key not in second or not _equal(first[key], second[key])
    ]


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        return isinstance(second, Tensor) and torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    return bool(first == second)


def last_checkpoint(work_dir: Path) -> Path:
    """The checkpoint that a training ended in."""
    return Path((work_dir / "last_checkpoint").read_text())


def train(config: Path, data_root: Path, work_dir: Path, kill_after: float | None = None) -> bool:
    """Train or resume in a process of its own.

    Args:
        config: Config file.
        data_root: Data set.
        work_dir: Work dir.
        kill_after: Seconds after which it is killed.

    Returns:
        Whether it ended by itself.

    Raises:
        RuntimeError: If it failed.
    """
    command = [sys.executable, "-W", "ignore", "-m", "senet_mm.cli", "train", config]
    command += ["--data-root", data_root, "--work-dir", work_dir, "--seed", "0", "--resume"]
    with Path(f"{work_dir}.log").open("a") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        try:
            code = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
    if code:
        raise RuntimeError(f"the training failed, see {log.name}")
    return True


def parse_args() -> argparse.Namespace:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--work-dir", default="work_dirs/kill_and_resume", help="where all goes")
    parser.add_argument("--kills", type=int, default=30, help="in all, over several trainings")
    parser.add_argument("--epochs", type=int, default=4, help="of 6 iterations, each training")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    folder = Path(args.work_dir).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    data_root = generate_shapes(folder / "shapes", num_train=12, num_val=4, image_size=128)
    config = folder / "config.py"
    config.write_text(_CONFIG.format(epochs=args.epochs))
    begin = time.monotonic()
    train(config, data_root, folder / "whole")
    seconds = time.monotonic() - begin
    whole = flat_state(last_checkpoint(folder / "whole"))
    tensors = sum(isinstance(value, Tensor) for value in whole.values())
    print(f"uninterrupted: {seconds:.0f} s, {len(whole)} values, {tensors} of them tensors")
    moments = random.Random(args.seed)
    kills = trainings = unequal = 0
    while kills < args.kills:
        work_dir = folder / f"killed_{trainings}"
        before, trainings = kills, trainings + 1
        while not train(
            config,
            data_root,
            work_dir,
            moments.uniform(0, seconds) if kills < args.kills else None,
        ):
            kills += 1
        differ = differences(whole, flat_state(last_checkpoint(work_dir)))
        unequal += bool(differ)
        print(
            f"killed {kills - before} times: {len(differ)} values differ {differ[:3]}", flush=True
        )
    print(f"{kills} kills of {trainings} trainings, {unequal} of which ended in other values")
    sys.exit(bool(unequal))


if __name__ == "__main__":
    run(main)
