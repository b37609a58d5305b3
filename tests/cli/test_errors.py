"""Errors of a command line: whose they are, and the line that a user sees."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import MODELS

from senet_mm.cli import errors
from senet_mm.cli.explain import explain, find_key, message_of


def made_by(module: str, statement: str, **names: object) -> Callable[[], None]:
    """A command that ends in a statement of a module."""
    scope = {"__name__": module, **names}
    exec(compile(f"def main():\n    {statement}", f"/x/{module}.py", "exec"), scope)
    return scope["main"]


def line_of(main: Callable[[], None], capsys: pytest.CaptureFixture) -> str:
    with pytest.raises(SystemExit) as stop:
        errors.run(main)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_bad_input_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture) -> None:
    def main() -> None:
        raise ValueError("depth=20:\n  expected one of [18]")

    with pytest.raises(SystemExit) as stop:
        errors.run(main)
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: depth=20: expected one of [18]\n"


def test_the_traceback_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(errors.TRACEBACK_VARIABLE, "1")

    def main() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        errors.run(main)


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    def main() -> None:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        errors.run(main)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("{}['epoch']", KeyError),
        ("[][0]", IndexError),
        ("None.depth", AttributeError),
        ("1 / 0", ZeroDivisionError),
        ("1 < 'a'", TypeError),
        ("raise RuntimeError('bug')", RuntimeError),
        ("main()", RecursionError),
    ],
)
def test_a_fault_of_ours_asks_for_a_report(
    capsys: pytest.CaptureFixture, statement: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        errors.run(made_by("senet_mm.fake", statement))
    assert capsys.readouterr().err == f"{errors.REPORT}\n"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("{}['epoch']", "error: the key 'epoch' is missing (KeyError in mmdet/fake.py:2"),
        ("[][0]", "error: list index out of range (IndexError in mmdet/fake.py:2"),
        ("1 < 'a'", "not supported between instances of 'int' and 'str' (TypeError in mmdet/fake"),
        ("1 / 0", "error: division by zero (ZeroDivisionError in mmdet/fake.py:2"),
        ("torch.zeros(2) + torch.zeros(3)", "(RuntimeError in mmdet/fake.py:2"),
        ("raise RuntimeError('the sizes differ')", "error: the sizes differ (RuntimeError in mm"),
        ("raise KeyError('type')", "error: type (KeyError in mmdet/fake.py:2)"),
        ("path = 'a/b.json'; {}['bbox']", "error: a/b.json: the key 'bbox' is missing"),
    ],
)
def test_an_error_of_a_library_names_its_place(
    capsys: pytest.CaptureFixture, statement: str, told: str
) -> None:
    line = line_of(made_by("mmdet.fake", statement, torch=torch), capsys)
    assert told in line and line.startswith("error: ")


def test_an_assertion_without_words_is_shown(tmp_path: Path, capsys, monkeypatch) -> None:
    path = tmp_path / "mmfake.py"
    path.write_text("def main():\n    assert [] == [1]\n")
    monkeypatch.syspath_prepend(tmp_path)
    import mmfake

    assert line_of(mmfake.main, capsys) == "error: `assert [] == [1]` failed in mmfake.py:2"


def no_space() -> None:
    path = "runs/epoch_1.pth"
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), None) if path else None


def gray_of_nothing() -> None:
    img_path = "pictures/a.jpg"
    cv2.cvtColor(np.zeros((0, 0, 3), np.uint8), cv2.COLOR_BGR2GRAY) if img_path else None


@pytest.mark.parametrize(
    ("main", "told"),
    [
        (no_space, "no space left on the disk while writing runs/epoch_1.pth"),
        (gray_of_nothing, "pictures/a.jpg: OpenCV: "),
        (made_by("torch.fake", "raise MemoryError"), "the machine is out of memory: lower the"),
        (
            made_by(
                "torch.fake", "raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')"
            ),
            "the GPU is out of memory (Tried to allocate 2 GiB): lower the batch",
        ),
        (
            made_by(
                "torch.fake", 'raise RuntimeError("DefaultCPUAllocator: can\'t allocate memory")'
            ),
            "the machine is out of memory",
        ),
        (
            made_by(
                "torch.fake",
                "raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed.')",
            ),
            "a process that loads pictures ended (is killed by signal: Killed): it was killed",
        ),
        (
            made_by("torch.fake", "raise RuntimeError('CUDA error: invalid device ordinal')"),
            "the GPU cannot be used: CUDA error: invalid device ordinal",
        ),
        (
            made_by("mmengine.fake", "os.environ['SLURM_PROCID_X']", os=os),
            "the environment variable SLURM_PROCID_X is not set: srun sets it",
        ),
    ],
)
def test_what_the_machine_refuses(
    main: Callable[[], None], told: str, capsys: pytest.CaptureFixture
) -> None:
    assert told in line_of(main, capsys)


def test_of_an_error_in_a_loaders_worker_the_last_line_is_shown() -> None:
    message = (
        "Caught AssertionError in DataLoader worker process 0.\n"
        "Original Traceback (most recent call last):\n  File x\n"
        "AssertionError: failed to load image: a.jpg"
    )
    assert message_of(AssertionError(message)) == "AssertionError: failed to load image: a.jpg"
    assert message_of(KeyError("no key")) == "no key"
    offline = explain(URLError("Name or service not known"))
    assert offline.startswith("a download failed (Name or service not known)")
    assert "init_cfg.checkpoint=PATH" in offline
    assert explain(ValueError()) == "ValueError"


def test_a_part_is_found_by_the_types_around_it() -> None:
    config = dict(
        model=dict(type="Detector", heads=[dict(type="A"), dict(type="B", loss=dict(type="L"))])
    )
    assert find_key(config, ["Detector", "B", "L"]) == "model.heads.1.loss"
    assert find_key(config, ["Detector", "C"]) is None


def test_a_layer_that_mmcv_does_not_know_is_named(capsys: pytest.CaptureFixture) -> None:
    plugin = dict(cfg=dict(type="SEBlok"), stages=(True,) * 4, position="after_conv3")
    cfg = dict(type="ResNet", _scope_="mmdet", depth=50, plugins=[plugin])
    line = line_of(lambda: MODELS.build(cfg), capsys)
    assert "type='SEBlok' is not registered in mmdet::model; the nearest are SEBlock" in line
