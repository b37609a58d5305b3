from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attempts import Attempt

from .conftest import SE

pytestmark = pytest.mark.slow


def test_a_detector_is_tested_on_augmented_images(
    attempt: Callable[..., Attempt], se_checkpoint: Path, shapes_root: Path, tmp_path: Path
) -> None:
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    done = attempt("test", SE, se_checkpoint, "--tta", *data)
    assert done.code == 0 and "coco/bbox_mAP: " in done.out, done.err
    assert [path.name for path in (tmp_path / "w" / "tta").glob("*.py")]
