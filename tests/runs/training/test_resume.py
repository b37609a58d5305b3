"""Resuming a training: what is refused, what is said, what is made up for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from senet_mm.runs.training import resume
from studies.kill_and_resume import differences, flat_state

from . import toy_training as toy


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work dir of a training of two epochs."""
    work_dir = tmp_path_factory.mktemp("finished")
    toy.train(toy.toy_config(work_dir, train_cfg__max_epochs=2))
    return work_dir


REFUSED = {
    "fewer epochs": (dict(train_cfg__max_epochs=1), r"2 epochs of training, more than .*=1"),
    "optimizer": (
        dict(optim_wrapper__optimizer=dict(_delete_=True, type="AdamW", lr=0.1)),
        r"optimizer\.type was 'SGD' and is 'AdamW': cannot change .*load_from=.*epoch_2\.pth",
    ),
    "schedule": (dict(param_scheduler=[]), r"param_scheduler\.0\.type was 'LinearLR'"),
    "no EMA": (dict(custom_hooks=[]), r"averaged weights; the config has no EMAHook"),
    "a missing file": (dict(load_from="none.pth"), r"none\.pth not found"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, finished: Path) -> None:
    options, line = REFUSED[case]
    cfg = toy.toy_config(finished, **{"resume": True, "train_cfg__max_epochs": 2, **options})
    with pytest.raises((ValueError, FileNotFoundError), match=line):
        toy.prepare_resume(cfg)


def test_weights_alone_are_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {"x": torch.zeros(1)}}, tmp_path / "x.pth")
    cfg = toy.toy_config(tmp_path, resume=True, load_from=str(tmp_path / "x.pth"))
    with pytest.raises(ValueError, match=r"no meta\.epoch .*load_from="):
        toy.prepare_resume(cfg)


def test_a_finished_run(finished: Path, monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(resume, "print_log", lambda line, *rest: said.append(line))
    before = (finished / "epoch_2.pth").read_bytes()
    cfg = toy.toy_config(finished, resume=True, train_cfg__max_epochs=2)
    runner = toy.train(cfg, at=0, in_validation=10)  # neither trains nor validates
    assert runner.iter == 10 and (finished / "epoch_2.pth").read_bytes() == before
    (line,) = said
    assert "finished run (2 of 2 epochs); to train on, raise train_cfg.max_epochs" in line


def test_what_has_changed_is_logged(finished: Path) -> None:
    cfg = toy.toy_config(
        finished, resume=True, train_cfg__max_epochs=2, optim_wrapper__optimizer__lr=7.0
    )
    logged: list[str] = []
    toy.prepare_resume(cfg)
    runner = toy.Runner.from_cfg(cfg)
    runner.logger.warning = lambda line, *rest: logged.append(line)
    runner.train()
    assert "resuming: optim_wrapper.optimizer.lr was 0.1 and is 7.0: has no effect: " in "".join(
        logged
    )
    assert runner.optim_wrapper.param_groups[0]["lr"] < 1


@pytest.mark.parametrize("by_epoch", [True, False])
def test_an_interrupted_validation_is_made_up_for(by_epoch: bool, tmp_path: Path) -> None:
    options: dict[str, Any] = {}
    if not by_epoch:
        options = dict(
            train_cfg=dict(_delete_=True, by_epoch=False, max_iters=20, val_interval=10),
            default_hooks__checkpoint__by_epoch=False,
            default_hooks__checkpoint__interval=5,
        )
    toy.train(toy.toy_config(tmp_path / "whole", **options))
    toy.train(toy.toy_config(tmp_path / "parts", **options), in_validation=10)
    toy.train(toy.toy_config(tmp_path / "parts", resume=True, **options), in_validation=20)
    toy.train(toy.toy_config(tmp_path / "parts", resume=True, **options), at=0)
    last = "epoch_4.pth" if by_epoch else "iter_20.pth"
    whole, parts = (flat_state(tmp_path / name / last) for name in ("whole", "parts"))
    assert differences(whole, parts) == []
    best = {path.name for path in (tmp_path / "whole").glob("best*")}
    assert best and best == {path.name for path in (tmp_path / "parts").glob("best*")}


def test_the_hooks_are_added_once(tmp_path: Path) -> None:
    cfg = toy.toy_config(tmp_path)
    toy.prepare_resume(cfg)
    toy.prepare_resume(cfg)
    assert [hook["type"] for hook in cfg.custom_hooks] == [
        "EMAHook",
        "mmengine.SeedHook",
        "mmengine.WholeCheckpointHook",
        "mmengine.ResumeHook",
    ]
