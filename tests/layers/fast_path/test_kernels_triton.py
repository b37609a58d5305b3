"""Triton kernels on the CPU."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.utils import digit_version


def _interpreter() -> bool:
    if importlib.util.find_spec("triton") is None:
        return False
    import triton

    return digit_version(triton.__version__) >= digit_version("3.0")


@pytest.mark.slow
@pytest.mark.skipif(not _interpreter(), reason="Triton 3 or newer, with its interpreter, is absent")
def test_kernels_through_the_interpreter(repo: Path) -> None:
    script = Path(__file__).with_name("triton_cases.py")
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(repo)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
