"""Command lines in the documentation are ones that our commands take."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from torch.distributed.run import get_args_parser

from senet_mm import __version__
from senet_mm.cli.main import COMMANDS, main
from senet_mm.compat import versions
from senet_mm.compat.packaged_configs import PREFIX, config_path
from senet_mm.runs.config import load_config
from senet_mm.weights.read.hub import HUB, parse_name
from tests.docs.command_lines import STUDIES, all_parsers, lines, parse, words
from tests.docs.markdown import REPO, Code, blocks, spans

LINES = list(lines())
LANGUAGES = {"shell", "bash", "console", "python", "text"}
# what belongs to others, as it must be spelt
FOREIGN = {
    *("mim train mmdet CONFIG", "mim train mmdetection CONFIG", "python -m build"),
    *("mim search senet_mm --valid-config", "mim download"),
    "mim search senet_mm --config faster_rcnn_se_r50_fpn --field config training_data twin",
}
# names that a reader puts their own for
PLACEHOLDERS = {
    *("/data/coco", "/data/coco/train2017", "/data/cifar10", "street.jpg", "plain", "se"),
    *("se.npz", "se_0.npz", "se_1.npz", "se_2.npz"),
    *("se_resnet50.pth", "se_resnet50-ce0d4300.pth", "se_resnet50_caffe.pth"),
    "bn_inception-52deb4733.pth",
    *("holidays/", "drive.mp4", "cameras/*/*.png", "https://example.org/street.jpg", "0"),
    *("/data/ade", "data/bccd", "data/shapes", "iter_80000.pth"),
    *("my_backbone.pth", "my_backbone-1a2b3c4d.pth", "for_timm.pth", "OUT.pth"),
    *("detector.onnx", "config.py", "my_detector.py", "OWNER/REPO"),
    "work_dirs/demo/se/faster_rcnn_se_r18_fpn_shapes.py",
    "work_dirs/demo/se/epoch_6.pth",
}
WORK_DIR = re.compile(r"work_dirs/(?P<name>\w+)(/(?P=name)\.py|/epoch_\d+\.pth)?")
WORK_DIRS = {path.stem for path in (REPO / "configs").glob("*.py")} | {"run"}
DEFAULT = "senet_mm::faster_rcnn_se_r50_fpn.py"


@pytest.fixture(scope="module", autouse=True)
def _no_launcher() -> Iterator[None]:
    """Commands set a launcher's variables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_RANK", "0")
        yield


@pytest.fixture(scope="module")
def pip_help() -> str:
    """What ``pip install --help`` prints."""
    command = [sys.executable, "-m", "pip", "install", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_there_is_something_to_try() -> None:
    programs = Counter(line.text.split()[0] for line in LINES)
    assert programs["senet-mm"] >= 20 and programs["python"] >= 6
    assert programs["make"] >= 10 and programs["pip"] >= 5 and programs["torchrun"] >= 1
    tried = {line.text.split()[1] for line in LINES if line.text.startswith("senet-mm ")}
    assert tried >= {*COMMANDS} - {"shapes"}


def test_every_block_says_what_it_is() -> None:
    assert len(blocks()) >= 15
    for block in blocks():
        assert block.language in LANGUAGES, f"{block}: expected one of {sorted(LANGUAGES)}"


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_command_line(line: Code, pip_help: str) -> None:
    if line.text in FOREIGN:
        return
    program, *arguments = words(line)
    if program == "senet-mm":
        check_ours(arguments)
    elif program == "torchrun":
        launched = get_args_parser().parse_args(arguments)
        assert launched.module and launched.training_script == "senet_mm.cli"
        check_ours(launched.training_script_args)
    elif program == "python":
        check_python(arguments)
    elif program == "make":
        target, *variables = arguments
        assert all(re.fullmatch(r"[A-Z]+=.+", variable) for variable in variables)
        assert re.search(rf"^{target}:", (REPO / "Makefile").read_text(), re.MULTILINE)
    elif program == "pip":
        check_pip(arguments, pip_help)
    elif program == ".venv/bin/python":
        check_python(arguments)
    elif program.startswith(".venv/bin/"):
        assert f"\n{Path(program).name}==" in (REPO / "requirements" / "test.txt").read_text()
    else:
        assert program.startswith(".ci/") and (REPO / program).is_file()


def check_ours(arguments: list[str]) -> None:
    """Check a command line of ``senet-mm``."""
    command, *others = arguments
    if command in ("--help", "--version"):
        return
    assert command in COMMANDS
    if not others and command not in ("doctor", "demo", "benchmark"):
        return  # a command that is spoken of
    if others == ["--help"]:
        return
    found = parse(f"senet_mm.cli.{command}", others)
    for word in others:
        check_file(word.partition("=")[2] or word)
    if getattr(found, "cfg_options", None):
        for config in [found.config] if "config" in found else found.runs:
            load_config(config, options=found.cfg_options)


def check_file(value: str) -> None:
    """Check that what looks like a file is one, or stands for one of the reader's."""
    work_dir = WORK_DIR.fullmatch(value)
    if value.startswith(PREFIX):
        assert config_path(value).is_file()
    elif value.startswith(HUB):
        parse_name(value)
    elif work_dir:
        assert work_dir["name"] in WORK_DIRS
    elif re.search(r"/|\.[a-z]+$", value):
        assert value in PLACEHOLDERS or any(REPO.glob(value)), value


def check_python(arguments: list[str]) -> None:
    """Check a command line of a study, a tool or the tests."""
    if arguments[:2] == ["-m", "pytest"]:
        assert all((REPO / path).exists() for path in arguments[2:])
    elif arguments[0] == "-m":
        folder, name = arguments[1].split(".")
        assert folder == "studies" and name in STUDIES
        parse(arguments[1], arguments[2:])
    else:
        path = REPO / arguments[0]
        assert path.parent.name == "tools" and path.is_file() and not arguments[1:]


def check_pip(arguments: list[str], pip_help: str) -> None:
    """Check the options of a ``pip install``, and that it installs what we know."""
    assert arguments.pop(0) == "install"
    known = {Requirement(text).name for text in (*versions.DEPENDENCIES, "timm", "onedl-mmcv")}
    for argument in arguments:
        if argument.startswith("--"):
            assert re.search(rf"^  {argument}\b", pip_help, re.MULTILINE)
        elif argument.startswith("."):
            assert argument.strip(".[]") in versions.EXTRAS
        else:
            assert argument in known


def test_every_option_that_is_spoken_of_is_one_of_a_command() -> None:
    known = [parser._option_string_actions for parser in all_parsers().values()]
    tried = 0
    for span in spans():
        if not span.text.startswith("--"):
            continue
        flag = ""
        for word in span.text.split():
            tried += 1
            if word.startswith("--"):
                flag = word
            found = [options[flag] for options in known if flag in options]
            assert found, f"{span}: no command has {flag}"
            if flag != word and not word.isupper():
                assert any(not action.choices or word in action.choices for action in found), span
        if span.text.startswith("--cfg-options "):
            options = parse("senet_mm.cli.train", [DEFAULT, *span.text.split()]).cfg_options
            load_config(DEFAULT, options=options)
    assert tried >= 30


def test_cheap_commands_run(capsys: pytest.CaptureFixture) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"senet_mm {__version__}\n"
    main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    with pytest.raises(SystemExit) as end:
        main(["doctor"])
    assert end.value.code in (0, 1)
