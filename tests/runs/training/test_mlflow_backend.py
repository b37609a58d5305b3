"""What MLflow has of a training, read back by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from mmengine.runner import Runner

from senet_mm.runs.training.mlflow_backend import PATIENCE
from tests.runs.training import toy_training as toy
from tests.runs.training.logged_training import AP, ENTRIES, compare, config, logged, train_until


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


@pytest.mark.slow
def test_a_training_goes_on_without_a_server_that_is_lost(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    work_dir = tmp_path / "w"
    runner = Runner.from_cfg(config(work_dir, "mlflow"))
    assert {name: os.environ[name] for name in PATIENCE} == PATIENCE
    import mlflow

    def lost(*args: object, **options: object) -> None:
        raise mlflow.MlflowException("Connection refused")

    monkeypatch.setattr(mlflow, "log_metrics", lost)
    monkeypatch.setattr(mlflow, "end_run", lost)
    runner.train()
    losses, _ = logged(work_dir)
    assert len(losses) == ENTRIES
    printed = "".join(capsys.readouterr())
    assert printed.count("Could not log metrics to mlflow, Connection refused") >= ENTRIES
    assert "--logger mlflow: the end of the run was not logged, MlflowException" in printed
