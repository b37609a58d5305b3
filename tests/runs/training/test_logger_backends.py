"""What TensorBoard and Weights & Biases have of a training, read back by themselves."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runs.training import toy_training as toy
from tests.runs.training.logged_training import AP, ENTRIES, compare, config, logged, train_until


def tensorboard(work_dir: Path, name: str) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(work_dir / "tensorboard")).Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_tensorboard(tmp_path: Path) -> None:
    toy.train(config(tmp_path, "tensorboard"))
    losses, scores = logged(tmp_path)
    assert len(losses) == ENTRIES and [*scores] == [10, 20]
    compare(tensorboard(tmp_path, "loss"), losses)
    compare(tensorboard(tmp_path, f"val/{AP}"), scores)
    # the seconds of a validation are not among those of the training
    assert len(tensorboard(tmp_path, "time")) == ENTRIES
    assert len(tensorboard(tmp_path, "val/time")) == 2


def test_tensorboard_has_one_curve_of_a_resumed_training(tmp_path: Path) -> None:
    toy.train(config(tmp_path / "whole", "tensorboard"))
    # killed with two iterations logged that are trained again, then in a validation
    toy.train(config(tmp_path / "parts", "tensorboard"), at=7)
    toy.train(config(tmp_path / "parts", "tensorboard", resume=True), in_validation=10)
    toy.train(config(tmp_path / "parts", "tensorboard", resume=True))
    for name in ("loss", f"val/{AP}"):
        whole, parts = (tensorboard(tmp_path / folder, name) for folder in ("whole", "parts"))
        assert parts == whole and len(whole) > 1
    # a training that begins anew replaces it
    toy.train(config(tmp_path / "parts", "tensorboard"), at=3)
    assert [step for step, _ in tensorboard(tmp_path / "parts", "loss")] == [1, 2, 3]


def wandb_records(path: Path) -> Iterator[Any]:
    """The records of an offline run: protocol buffers in the blocks of a LevelDB log."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if 2**15 - place % 2**15 < 7:  # no record begins at the end of a block
            place += 2**15 - place % 2**15
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole one, or the last part
            yield Record.FromString(parts)
            parts = b""


def wandb_rows(path: Path) -> list[dict[str, float]]:
    """What an offline run has logged; a process of wandb's own ends it."""
    deadline = time.monotonic() + 60
    while not any(record.HasField("exit") for record in wandb_records(path)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}
        for record in wandb_records(path)
        if (items := record.history.item)
    ]


@pytest.mark.slow
def test_wandb(tmp_path: Path, elsewhere: Path) -> None:
    work_dir = tmp_path / "w"
    train_until(config(work_dir, "wandb"), 7)
    toy.train(config(work_dir, "wandb", resume=True))
    losses, scores = logged(work_dir)
    # both parts are of one run, and have the iteration as their step
    files = sorted(work_dir.glob("wandb/offline-run-*/*.wandb"))
    rows = [row for file in files for row in wandb_rows(file)]
    assert len(files) == 2 and len({path.name for path in files}) == 1
    steps = [row["_step"] for row in rows if "loss" in row]
    assert steps == [*range(1, 8), *range(6, ENTRIES + 1)]
    compare([*{row["_step"]: row["loss"] for row in rows if "loss" in row}.items()], losses)
    compare([(row["_step"], row[f"val/{AP}"]) for row in rows if f"val/{AP}" in row], scores)
    assert not [*elsewhere.iterdir()]
