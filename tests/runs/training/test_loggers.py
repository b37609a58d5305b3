import importlib
from types import ModuleType

import pytest
from mmengine.config import Config

from senet_mm.runs.training.loggers import LOGGERS, add_loggers, check_loggers, settle_loggers


def kinds(cfg: Config) -> list[str]:
    return [backend["type"] for backend in cfg.visualizer.vis_backends]


def test_what_a_config_has_stays() -> None:
    cfg = Config(dict(work_dir="w"))
    add_loggers(cfg, [])
    assert "visualizer" not in cfg
    add_loggers(cfg, ["wandb", "wandb"])
    add_loggers(cfg, LOGGERS)
    assert cfg.visualizer.type == "Visualizer"
    ours = ["WandbBackend", "TensorboardBackend", "MLflowBackend"]
    assert kinds(cfg) == ["LocalVisBackend", *ours]
    own = [dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")]
    cfg = Config(dict(visualizer=dict(type="DetLocalVisualizer", vis_backends=own)))
    add_loggers(cfg, ["tensorboard"])
    assert cfg.visualizer.type == "DetLocalVisualizer"
    assert kinds(cfg) == ["LocalVisBackend", "TensorboardVisBackend", "TensorboardBackend"]


def test_they_are_of_the_work_dir_of_a_training() -> None:
    cfg = Config(dict(work_dir="a"))
    assert not settle_loggers(cfg, training=True)
    add_loggers(cfg, ["tensorboard"])
    assert settle_loggers(cfg, training=True)
    cfg.work_dir, cfg.resume = "b", True
    settle_loggers(cfg, training=True)
    assert cfg.visualizer.vis_backends[1] == dict(
        type="TensorboardBackend", save_dir="b", resume=True
    )
    assert not settle_loggers(cfg, training=False)
    assert kinds(cfg) == ["LocalVisBackend"]


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize("broken", [False, True])
def test_a_package_that_is_absent_or_broken_is_one_line(
    name: str, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_import(package: str) -> ModuleType:
        if broken:
            raise AttributeError("module has\nno attribute")
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    cfg = Config(dict(work_dir="w"))
    add_loggers(cfg, [name])
    monkeypatch.setattr(importlib, "import_module", no_import)
    what = "import fails, AttributeError: module has no" if broken else "is not installed"
    with pytest.raises(ImportError, match=rf"^--logger {name} needs {name}.*{what}.*mm\[{name}\]'"):
        check_loggers(cfg)
