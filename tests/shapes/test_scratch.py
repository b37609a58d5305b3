import os
import subprocess
import sys
import time
from pathlib import Path

from senet_mm.shapes import scratch
from senet_mm.shapes.scratch import remove_leftovers, scratch_folder


def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    root = tmp_path / "set"
    # the file alone: the package takes seconds to import
    code = (
        "import pathlib, runpy, sys, time\n"
        "with runpy.run_path(sys.argv[1])['scratch_folder'](pathlib.Path(sys.argv[2])):\n"
        "    time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, scratch.__file__, root]) as builder:
        (left,) = wait_for(tmp_path)
        remove_leftovers(root)
        assert left.is_dir()  # that of a running one stays
        builder.kill()
    remove_leftovers(root)
    assert not left.exists()


def test_other_folders_stay(tmp_path: Path) -> None:
    others = [
        tmp_path / name for name in (".set-data", "set-unfinished-1", ".sets-unfinished-x-9-")
    ]
    for folder in others:
        folder.mkdir()
    with scratch_folder(tmp_path / "set") as own:
        remove_leftovers(tmp_path / "set")
        assert str(os.getpid()) in own and all(folder.is_dir() for folder in (*others, Path(own)))
    assert sorted(tmp_path.iterdir()) == sorted(others)


def wait_for(folder: Path) -> list[Path]:
    for _ in range(600):
        if found := list(folder.iterdir()):
            break
        time.sleep(0.1)
    return found
