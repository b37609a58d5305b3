import multiprocessing
import sys

import pytest

from senet_mm.cli.launch import is_command


@pytest.mark.parametrize(
    ("argv", "orig_argv", "expected"),
    [
        (["/usr/bin/senet-mm", "train"], ["python", "/usr/bin/senet-mm", "train"], True),
        (["senet-mm.exe"], ["senet-mm.exe"], True),
        (["-m", "doctor"], ["python", "-W", "ignore", "-m", "senet_mm.cli", "doctor"], True),
        (["-m"], ["python", "-m", "pytest", "senet_mm.cli"], False),
        (["tools/train.py"], ["python", "tools/train.py"], False),
        (["-c"], ["python", "-c", "import senet_mm"], False),
        ([], [], False),
    ],
)
def test_the_command_is_known_by_its_name(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], orig_argv: list[str], expected: bool
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig_argv)
    assert is_command() is expected


def test_a_worker_of_the_command_is_not_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["senet-mm"])
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    assert not is_command()
