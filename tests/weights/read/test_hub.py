"""hf://OWNER/REPO, of a hub on this machine: what is read, and what is said where it is not."""

from __future__ import annotations

import io
import os
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as to_safetensors

from senet_mm.backbones import SEResNet, create_backbone
from senet_mm.weights.read.hub import hub_file
from senet_mm.weights.read.sources import check, fetch
from tests.fake_hub import FakeHub, running

pytest.importorskip("huggingface_hub")


def saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def weights(value: float) -> dict[str, torch.Tensor]:
    return {"layer1.0.conv1.weight": torch.full((1,), value)}


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("false",)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    repos = {
        "me/ours": {"model.pth": saved(weights(1)), "README.md": b"# x"},
        "me/one": {"net.safetensors": to_safetensors(weights(2)), "README.md": b"# x"},
        "me/two": {"a.pth": saved(weights(3)), "folder/b.bin": saved(weights(4))},
        "me/none": {"README.md": b"# x"},
        "me/code": {"model.pth": pickle.dumps(Code())},
    }
    with running(FakeHub(repos), tmp_path / "cache") as fake:
        yield fake


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("hf://me/ours", 1),
        ("hf://me/ours/model.pth", 1),
        ("hf://me/ours@main", 1),
        ("hf://me/one", 2),
        ("hf://me/two/a.pth", 3),
        ("hf://me/two@main/folder/b.bin", 4),
    ],
)
def test_what_is_read(hub: FakeHub, source: str, value: float) -> None:
    checkpoint = fetch(source)
    assert checkpoint.source == source
    assert checkpoint.state_dict["layer1.0.conv1.weight"].item() == value


def test_a_file_is_downloaded_once_and_is_there_without_a_network(hub: FakeHub) -> None:
    first = hub_file("hf://me/ours")
    assert hub_file("hf://me/ours") == first and first.name == "model.pth"
    assert sum(line.startswith("GET ") and "model.pth" in line for line in hub.asked) == 1
    hub.stop()
    assert hub_file("hf://me/ours") == first


def test_a_check_keeps_what_is_read_next(hub: FakeHub) -> None:
    check("hf://me/two/a.pth", keep=True)
    hub.repos.clear()
    assert fetch("hf://me/two/a.pth").state_dict["layer1.0.conv1.weight"].item() == 3


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hf://me", "expected hf://OWNER/REPO or hf://OWNER/REPO/FILE"),
        ("hf://me/gone", "hf://me/gone: there is no such repository.*hf auth login"),
        ("hf://me/ours/modle.pth", "me/ours has no file 'modle.pth'; the nearest are model.pth"),
        ("hf://me/ours@v9/model.pth", "has no such revision"),
        ("hf://me/none", "there is no checkpoint, only README.md"),
        ("hf://me/two", "name one of its 2 checkpoints: a.pth, folder/b.bin"),
        ("hf://me/code", "holds Python objects beyond tensors and plain data"),
    ],
)
def test_what_is_wrong_in_one_line(hub: FakeHub, source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        fetch(source)
    assert "\n" not in str(raised.value)


def test_no_network(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between its tries
    hub.stop()
    with pytest.raises(ConnectionError, match=r"hf://me/ours: the hub cannot be reached") as raised:
        fetch("hf://me/ours")
    assert "\n" not in str(raised.value) and "hf download" in str(raised.value)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install huggingface_hub, or the extra \[hub\]"):
        fetch("hf://me/ours")


def test_weights_of_a_backbone(hub: FakeHub) -> None:
    net = SEResNet(18)
    hub.repos["me/net"] = {"model.safetensors": to_safetensors(net.state_dict())}
    loaded = create_backbone("se_resnet18", weights="hf://me/net")
    assert loaded.load_report.is_complete
    assert torch.equal(loaded.layer4[0].se.fc1.weight, net.layer4[0].se.fc1.weight)
