"""The command `senet-mm` and its list of sub-commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import senet_mm
from senet_mm.cli.main import COMMANDS, main


def stopped(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_alone_it_lists_its_commands(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    main(arguments)
    out = capsys.readouterr().out
    assert out.startswith("usage: senet-mm COMMAND")
    for name, what in COMMANDS.items():
        assert f"{name:<10}  {what}\n" in out


def test_version(capsys: pytest.CaptureFixture) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"senet_mm {senet_mm.__version__}\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("trian", "there is no command 'trian': did you mean 'train'?"),
        ("analyze", "there is no command 'analyze': expected one of train, test, infer, "),
        ("--data-root", "there is no command '--data-root': expected one of train"),
    ],
)
def test_an_unknown_command_is_one_line(
    name: str, told: str, capsys: pytest.CaptureFixture
) -> None:
    assert stopped(name) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {told}")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str, capsys: pytest.CaptureFixture) -> None:
    assert stopped(name, "--help") == 0
    # some versions of mmdet print a line when they are imported
    assert f"usage: senet-mm {name} " in capsys.readouterr().out


def test_bad_input_is_one_line(capsys: pytest.CaptureFixture) -> None:
    assert stopped("complexity", "nope.py") == 2
    assert capsys.readouterr().err == "error: config nope.py not found\n"


def test_help_and_version_need_nothing_of_the_stack() -> None:
    start = (
        "import sys; sys.argv = ['senet-mm', '--version']; from senet_mm.cli.main import main; "
        "main(); assert not {'torch', 'mmengine', 'packaging'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"senet_mm {senet_mm.__version__}\n"), done.stderr


def test_doctor_without_what_the_package_itself_needs() -> None:
    start = (
        "import sys; sys.argv = ['senet-mm']; sys.modules['packaging.requirements'] = None; "
        "from senet_mm.cli.main import main; main(['doctor'])"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "reinstall" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_in_the_command_the_package_has_all_its_names() -> None:
    """A user's module that a config imports finds them as anywhere else."""
    start = (
        "import sys; sys.argv = ['senet-mm', 'train']; import senet_mm; "
        "assert 'torch' not in sys.modules; from senet_mm import *; print(SEBlock, SEFPN); "
        "from mmdet.registry import MODELS; assert 'SEResNet' in MODELS"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True)
    # and nothing is said of optional parts of the stack
    assert done.stdout == f"{senet_mm.SEBlock} {senet_mm.SEFPN}\n", done.stderr
    assert "faster_coco_eval" not in done.stderr


@pytest.mark.slow
def test_as_a_module(tmp_path: Path) -> None:
    folder = Path(senet_mm.__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "senet_mm.cli", "shapes", "set", "--num-train", "1", "--num-val",
         "1", "--image-size", "64"],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "set" / "annotations").is_dir()


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    pipe = f"{sys.executable} -m senet_mm.cli doctor | head -n 1"
    folder = Path(senet_mm.__file__).resolve().parents[1]
    done = subprocess.run(pipe, shell=True, capture_output=True, text=True, cwd=folder)
    assert done.stdout.startswith("senet_mm ") and done.stderr == ""


def test_an_unknown_name_of_the_package() -> None:
    with pytest.raises(AttributeError, match="'senet_mm' has no attribute 'SEBlok'"):
        _ = senet_mm.SEBlok
