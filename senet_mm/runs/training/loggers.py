"""Which programs a training reports to, beside its own log: `--logger NAME`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from ...compat.versions import one_line
from .logger_backends import Backend, TensorboardBackend, WandbBackend
from .mlflow_backend import MLflowBackend

_BACKENDS: dict[str, type[Backend]] = {
    "tensorboard": TensorboardBackend,
    "wandb": WandbBackend,
    "mlflow": MLflowBackend,
}
LOGGERS = tuple(_BACKENDS)
_NAMES = {backend.__name__: name for name, backend in _BACKENDS.items()}
_LOCAL = dict(type="LocalVisBackend")  # mmengine's own, which our curves are read from


def add_loggers(cfg: Config, names: Sequence[str]) -> None:
    """Have a config report to some of ``LOGGERS`` too, in place; what it has already stays.

    Where it keeps what is logged follows from the work dir, when the run is prepared.
    """
    if not names:
        return
    if not cfg.get("visualizer"):
        cfg.visualizer = dict(type="Visualizer")
    there = _backends(cfg) or [_LOCAL]
    known = {_name_of(backend) for backend in there}
    added = [dict(type=_BACKENDS[name].__name__) for name in dict.fromkeys(names)]
    cfg.visualizer.vis_backends = [*there, *(one for one in added if _name_of(one) not in known)]


def settle_loggers(cfg: Config, *, training: bool) -> bool:
    """Tell our backends where the training is, in place; whatever is no training has none of them.

    A test of a trained config would report as another training, and needs none of their packages.

    Returns:
        Whether the config has one.
    """
    there = _backends(cfg)
    ours = [backend for backend in there if _name_of(backend)]
    if not ours:
        return False
    if not training:
        cfg.visualizer.vis_backends = [one for one in there if not _name_of(one)]
        return False
    for backend in ours:
        backend.update(save_dir=cfg.work_dir, resume=bool(cfg.get("resume")))
    return True


def check_loggers(cfg: Config) -> None:
    """Check that the packages of the backends are there.

    Raises:
        ImportError: In one line, what is missing and what to install.
    """
    for name in filter(None, map(_name_of, _backends(cfg))):
        for package in _BACKENDS[name].packages:
            try:
                importlib.import_module(package)
            except ModuleNotFoundError as error:
                raise ImportError(
                    f"--logger {name} needs {error.name}, which is not installed: "
                    f"`pip install 'senet_mm[{name}]'`"
                ) from error
            except Exception as error:  # a broken package raises anything
                raise ImportError(
                    f"--logger {name} needs {package}, whose import fails, {one_line(error)}: "
                    f"`pip install 'senet_mm[{name}]'`, or leave the flag out"
                ) from error


@contextmanager
def reported_end(runner: Runner) -> Iterator[None]:
    """Tell the backends of a training that fails or is interrupted; mmengine tells of the end."""
    try:
        yield
    except BaseException:
        for backend in Backend.of(runner):
            backend.fail()
        raise


def _backends(cfg: Config) -> Sequence[Any]:
    visualizer = cfg.get("visualizer")
    return (visualizer.get("vis_backends") if isinstance(visualizer, dict) else None) or ()


def _name_of(backend: Any) -> str:
    """Which of ``LOGGERS`` a backend's config is of; empty of others."""
    kind = backend.get("type") if isinstance(backend, dict) else None
    return _NAMES.get(kind.rpartition(".")[2], "") if isinstance(kind, str) else ""
