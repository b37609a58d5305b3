"""What TensorBoard, Weights & Biases and MLflow have of a training, read back by themselves."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from senet_mm.runs.hooks import add_hooks
from senet_mm.runs.training.logger_backends import LoggersHook
from senet_mm.runs.training.loggers import add_loggers, check_loggers, reported_end, settle_loggers
from tests.runs.training import toy_training as toy

AP = "score"  # what the toy's metric is called
ENTRIES = 20  # iterations, each logged


def config(work_dir: Path, *names: str, **options: object) -> Config:
    """A toy training, of which each iteration is logged, that reports to some programs too."""
    for name in names:
        pytest.importorskip(name)
    logger = dict(type="LoggerHook", interval=1)
    cfg = toy.toy_config(work_dir, default_hooks__logger=logger, **options)
    add_loggers(cfg, names)
    assert settle_loggers(cfg, training=True)
    check_loggers(cfg)
    add_hooks(cfg, [LoggersHook])
    return cfg


def logged(work_dir: Path) -> tuple[dict[int, float], dict[int, float]]:
    """Loss and metric by iteration, from mmengine's own log; the toy validates in epochs."""
    losses, scores = {}, {}
    for path in sorted(work_dir.glob("*/vis_data/scalars.json")):
        for entry in map(json.loads, path.read_text().splitlines()):
            if "loss" in entry:
                losses[entry["step"]] = entry["loss"]
            else:
                scores[toy.BATCHES * entry["step"]] = entry[AP]
    return losses, scores


def compare(found: list[tuple[int, float]], expected: dict[int, float]) -> None:
    assert [step for step, _ in found] == [*expected]
    assert [value for _, value in found] == pytest.approx([*expected.values()], rel=1e-6)


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


def train_until(cfg: Config, iteration: int) -> None:
    """Train as the command line does, up to a failure."""
    toy.prepare_resume(cfg)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type="StopHook", at=iteration)]
    runner = Runner.from_cfg(cfg)
    with pytest.raises(toy.Stopped), reported_end(runner):
        runner.train()


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


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where nothing is to be written."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("WANDB_MODE", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return folder


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


@pytest.mark.slow
def test_mlflow(tmp_path: Path, elsewhere: Path) -> None:
    work_dir = tmp_path / "w"
    cfg = config(work_dir, "mlflow")
    from mlflow import MlflowClient

    def run() -> Any:
        (found,) = client.search_runs([client.get_experiment_by_name("senet_mm").experiment_id])
        return found

    train_until(cfg, 7)
    assert not [*elsewhere.iterdir()]
    client = MlflowClient(f"sqlite:///{work_dir / 'mlflow.db'}")
    assert run().info.status == "FAILED"
    # with a parameter that has changed, which MLflow keeps as it was
    options = dict(resume=True, optim_wrapper__optimizer__lr=0.2)
    toy.train(config(work_dir, "mlflow", **options))
    assert run().info.status == "FINISHED"
    assert run().data.params["optim_wrapper.optimizer.lr"] == "0.1"
    losses, scores = logged(work_dir)
    for name, expected in (("loss", losses), (f"val/{AP}", scores)):
        history = client.get_metric_history(run().info.run_id, name)
        compare([*{metric.step: metric.value for metric in history}.items()], expected)
    (text,) = work_dir.glob("mlflow/*/artifacts/config.py")
    assert "ToyModel" in text.read_text()
    # mlflow sets up logging anew, which closes the files of other loggers
    (log, *_) = sorted(work_dir.glob("*/*.log"))
    assert "FileClient" in log.read_text()


def test_what_cannot_be_reached_is_one_line(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = config(tmp_path / "w", "mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ConnectionError, match=r"--logger mlflow: .*localhost:9.*TRACKING_URI=http"):
        Runner.from_cfg(cfg)
