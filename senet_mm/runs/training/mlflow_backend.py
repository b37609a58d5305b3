"""mmengine's backend for MLflow, as a training needs it."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import VISBACKENDS
from mmengine.visualization import MLflowVisBackend

from ...compat.versions import one_line
from .logger_backends import PROJECT, Backend

# tries, and seconds: a training waits at each entry for a server that is gone, four minutes by
# MLflow's own 7 and 120
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
# what MLflow compares runs by
_PARAMETERS = ("train_cfg", "optim_wrapper", "auto_scale_lr", "randomness", "load_from")


@VISBACKENDS.register_module()
class MLflowBackend(Backend, MLflowVisBackend):
    """MLflow: ``WORK_DIR/mlflow.db``, unless ``MLFLOW_TRACKING_URI`` names a server.

    A database, as MLflow 3 refuses its older store of plain files. Where a server is lost, the
    training goes on: mmengine warns of each entry that was not taken, and keeps it in its own log.
    """

    packages = ("mlflow", "sqlalchemy")

    def _init_env(self) -> None:
        import mlflow

        self._mlflow = mlflow
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        folder = self.work_dir.resolve()
        server = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(server or f"sqlite:///{folder / 'mlflow.db'}")
        files = None if server else (folder / "mlflow").as_uri()
        unasked = Path("mlruns")  # older versions make it in the current folder, and leave it empty
        there = unasked.exists()
        try:
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
            if mlflow.get_experiment_by_name(name) is None:
                mlflow.create_experiment(name, artifact_location=files)
            mlflow.set_experiment(name)
            self._start(".mlflow_run")
        except mlflow.MlflowException as error:
            raise ConnectionError(
                f"--logger mlflow: {one_line(error)}; MLFLOW_TRACKING_URI={server or 'not set'}"
            ) from error
        finally:
            if not there:
                with suppress(OSError):
                    unasked.rmdir()

    def _start(self, file: str) -> None:
        before = self.run_id(file)
        if before is not None:
            try:
                self._mlflow.start_run(run_id=before)
                return
            except self._mlflow.MlflowException:
                pass  # of another server
        run = self._mlflow.start_run(run_name=str(self.work_dir))
        self.keep_run_id(file, run.info.run_id)

    def add_config(self, config: Config, **options: Any) -> None:
        """Log the config, and the parameters of it that runs are compared by."""
        self.experiment.log_text(config.pretty_text, "config.py")
        known = self.experiment.active_run().data.params  # cannot be logged otherwise again
        named = {key: config[key] for key in _PARAMETERS if config.get(key) is not None}
        parameters = {key: str(value) for key, value in self._flatten(named).items()}
        self.experiment.log_params({k: v for k, v in parameters.items() if k not in known})

    def close(self) -> None:
        """End the run; its files are in the work dir already."""
        self._end("FINISHED")

    def fail(self) -> None:
        """End the run as one that failed."""
        self._end("FAILED")

    def _end(self, status: str) -> None:
        if not hasattr(self, "_mlflow"):
            return
        try:
            self._mlflow.end_run(status)
        except self._mlflow.MlflowException as error:
            print_log(
                f"--logger mlflow: the end of the run was not logged, {one_line(error)}",
                level=logging.WARNING,
            )
