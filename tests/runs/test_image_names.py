from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from senet_mm.runs.image_names import below, image_folders


def test_folders_inside_wrappers() -> None:
    boxes = SimpleNamespace(data_prefix=dict(img="data/val2017"))
    classes = SimpleNamespace(data_prefix=dict(img_path="data/val"))
    cifar = SimpleNamespace(data_prefix=dict(root="data"))
    both = SimpleNamespace(datasets=[SimpleNamespace(dataset=boxes), classes, cifar])
    assert [*image_folders(both)] == [Path("data/val2017"), Path("data/val")]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/val/cat/1.png", "cat/1.png"),
        ("data/val/../x/1.png", "1.png"),
        ("elsewhere/cat/1.png", "1.png"),
    ],
)
def test_names(path: str, name: str) -> None:
    assert below(Path(path), [Path("other"), Path("data/val")]) == Path(name)
