"""What `pip install` brings: the wheel, built, listed, installed and used in an empty folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        Version(metadata.version("setuptools")) < Version("77"), reason="setuptools is too old"
    ),
]


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command as a user would, with nothing of the source tree in sight."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=cwd, env={"PATH": "/usr/bin"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for folder in ("senet_mm", "configs", "tools"):
        shutil.copytree(
            repo / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "model-index.yml"):
        shutil.copy(repo / file, source)
    out = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q"]
    run(sys.executable, "-m", "pip", "wheel", *options, "-w", out, source)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`senet-mm` in a fresh environment, where the stack of this one is seen too."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    stack = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "stack.pth").write_text("\n".join(stack))
    python = folder / "bin" / "python"
    # pip of the stack, into the fresh environment
    options = ["-q", "--no-deps", "--ignore-installed", "--disable-pip-version-check"]
    run(python, "-m", "pip", "install", *options, wheel)
    return folder / "bin" / "senet-mm"


def test_the_wheel_holds_the_package_and_its_configs(wheel: Path, repo: Path) -> None:
    files = set(zipfile.ZipFile(wheel).namelist())
    tops = {file.partition("/")[0] for file in files}
    assert tops == {"senet_mm", f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"}
    for folder in ("configs", "tools"):
        for file in (*(repo / folder).rglob("*.py"), *(repo / folder).rglob("*.yml")):
            assert f"senet_mm/.mim/{file.relative_to(repo)}" in files
    assert "senet_mm/.mim/model-index.yml" in files
    for file in (repo / "senet_mm").rglob("*"):
        if file.suffix in (".py", ".j2", ".css", ".json", ".typed"):
            assert str(file.relative_to(repo)) in files
    assert wheel.stat().st_size < 1_000_000


def test_the_installed_command_in_an_empty_folder(command: Path, tmp_path: Path) -> None:
    assert run(command, "--version", cwd=tmp_path).startswith("senet_mm ")
    told = run(command, "doctor", cwd=tmp_path)
    assert f"{command.parents[1]}/" in told.splitlines()[0]
    assert told.endswith("Nothing is broken.\n")
    size = ["--num-train", 8, "--num-val", 4, "--epochs", 1]
    assert "Report: work_dirs/demo/report.md" in run(command, "demo", *size, cwd=tmp_path)
    assert (tmp_path / "work_dirs" / "demo" / "report.html").stat().st_size > 10_000
