import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def benchmark(repo: Path, tmp_path: Path):
    def run(*arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, repo / "tools" / "benchmark_bootstrap.py", *arguments]
        return subprocess.run(
            [*map(str, command), "--out-dir", str(tmp_path / "out")],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(repo)},
        )

    return run


def test_real_annotations(benchmark, shapes_root: Path, tmp_path: Path) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    done = benchmark("--ann-file", ann_file, "--resamples", 20)
    assert done.returncode == 0, done.stderr
    assert "6 images" in done.stdout and "600 and 600 detections" in done.stdout
    assert "bootstrap, 20 resamples of 2 result sets" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "first.bbox.json",
        "second.bbox.json",
    ]


def test_a_missing_file_is_one_line(benchmark, tmp_path: Path) -> None:
    done = benchmark("--ann-file", tmp_path / "none.json")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
