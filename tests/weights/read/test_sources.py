"""timm:// and the other names: from timm's own cache, and without a network."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from mmengine.runner import load_checkpoint

from senet_mm.backbones import SEResNet
from senet_mm.weights import preprocessing
from senet_mm.weights.read import sources
from senet_mm.weights.read.sources import fetch
from senet_mm.weights.read.zoo import url_of
from senet_mm.weights.recognize.normalization import (
    CAFFE_BGR,
    DETECTRON2_RESNEXT_BGR,
    DETECTRON_BGR,
    IMAGENET_RGB,
)

LOAD = """
import json, sys, torch, senet_mm
from mmengine.runner.checkpoint import CheckpointLoader
from mmdet.registry import MODELS
init_cfg = dict(type="Pretrained", checkpoint="timm://seresnet50.a1_in1k")
model = MODELS.build(dict(type="SEResNet", depth=50, init_cfg=init_cfg))
model.init_weights()
weights = CheckpointLoader.load_checkpoint("timm://seresnet50.a1_in1k")["state_dict"]
same = [torch.equal(model.state_dict()[key], weights[key]) for key in model.state_dict()]
print("RESULT", json.dumps([len(same), all(same), float(weights["fc.bias"].sum())]))
"""


@pytest.fixture
def torch_home(tmp_path: Path, monkeypatch) -> Path:
    """An empty cache for downloads."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.slow
def test_timm_weights_come_from_the_hubs_cache(tmp_path: Path, repo: Path) -> None:
    """The real path through timm and the hub, offline, with random weights in the cache."""
    net = timm.create_model("seresnet50", pretrained=False)
    torch.nn.init.constant_(net.fc.bias, 0.25)
    cache = tmp_path / "hub" / "models--timm--seresnet50.a1_in1k"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("abc")
    (cache / "snapshots" / "abc").mkdir(parents=True)
    safetensors.torch.save_file(net.state_dict(), cache / "snapshots" / "abc" / "model.safetensors")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD],
        env=os.environ | dict(HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1", PYTHONPATH=str(repo)),
        capture_output=True,
        text=True,
        check=True,
    )
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    assert json.loads(result.removeprefix("RESULT")) == [382, True, 250.0]
    assert "382 of 382 tensors of the backbone loaded" in done.stdout


def test_timm_weights_by_url_are_renamed(torch_home: Path) -> None:
    net = timm.create_model("legacy_seresnet18", pretrained=False)
    cached = torch_home / Path(timm.get_pretrained_cfg("legacy_seresnet18").url).name
    torch.save(net.state_dict(), cached)
    source = "timm://legacy_seresnet18.in1k"
    options = dict(stem_pool="ceil", se_cfg=dict(branch_relu=True))
    model = SEResNet(18, **options, init_cfg=dict(type="Pretrained", checkpoint=source))
    model.init_weights()
    assert torch.equal(model.conv1.weight, net.layer0.conv1.weight)
    # through mmengine's own loader, our names and the classifier's
    other = SEResNet(18, **options)
    loaded = load_checkpoint(other, source)
    assert {"conv1.weight", "layer1.0.se.fc1.weight", "fc.weight"} <= loaded["state_dict"].keys()
    for key, tensor in other.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[key]), key


def test_unknown_names_are_told_with_the_nearest() -> None:
    for source, message in (
        (
            "timm://seresnet51.a1_in1k",
            r"no weights named 'seresnet51.a1_in1k'; the nearest are ser",
        ),
        ("timm://resnet50.nope", r"no weights named 'resnet50.nope'; the nearest are resnet50\."),
        ("timm://", r"no weights named ''"),
        ("timm://seresnet33ts.ra2_in1k", r"of timm, but no net of mmdet's ResNet family"),
        ("timm://seresnextaa101d_32x8d.ah_in1k", r"of timm, but no net of mmdet's ResNet family"),
        ("torchvision://resnet51", r"torchvision://resnet51: unknown name 'resnet51'; the nearest"),
        ("open-mmlab://resnext50_32x5d", r"unknown name .*resnext50_32x4d"),
        ("mmcls://se_resnet50", r"unknown name 'se_resnet50'; the nearest are se-resnet50"),
    ):
        with pytest.raises(ValueError, match=message):
            fetch(source)


def test_timm_missing(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"timm:// weights need timm: pip install timm"):
        fetch("timm://seresnet50.a1_in1k")


def test_no_network_is_told_with_the_way_out(torch_home: Path, monkeypatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(
        ConnectionError, match=r"torchvision://resnet50 could not .*not known.*PATH"
    ):
        fetch("torchvision://resnet50")
    with pytest.raises(
        ConnectionError, match=rf"Fetch http://x/a\.pth.*or put it at {torch_home}/a_\w{{8}}\.pth"
    ):
        fetch("http://x/a.pth")
    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(ConnectionError, match=r"huggingface\.co/timm/seresnet50\.a1_in1k.*PATH"):
        fetch("timm://seresnet50.a1_in1k")
    assert not list(torch_home.iterdir())


def test_zoo_names_are_read_from_the_cache(torch_home: Path) -> None:
    for source in ("mmcls://se-resnet50", "torchvision://resnet50"):
        path = torch_home / Path(url_of(source)).name
        torch.save({"layer1.0.conv1.weight": torch.ones(1)}, path)
        # a released file's name holds its hash, which this is not
        with pytest.raises(ValueError, match=rf"{path.name} is corrupt.*The file was removed"):
            fetch(source)
        assert not path.exists()


def test_urls_that_end_alike_and_a_page_for_weights(torch_home: Path, monkeypatch) -> None:
    asked: list[str] = []

    def download(url: str, path: str) -> None:
        asked.append(url)
        torch.save({"layer1.0.conv1.weight": torch.full((1,), float(len(asked)))}, path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    urls = [f"https://example.org/net_{recipe}/model.bin?x=1" for recipe in ("a1", "a2")]
    for _ in range(2):  # the second time from the cache
        for number, url in enumerate(urls, 1):
            assert fetch(url).state_dict["layer1.0.conv1.weight"].item() == number
    assert asked == urls
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda url, path: Path(path).write_text("<html>")
    )
    for _ in range(2):
        with pytest.raises(ValueError, match=r"x-abcdef01\.pth is a web page.*file was removed"):
            fetch("https://example.org/x-abcdef01.pth")
    assert len(list(torch_home.iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("timm://seresnet50.a1_in1k", IMAGENET_RGB),
        ("timm://legacy_senet154.in1k", IMAGENET_RGB),
        ("torchvision://resnet50", IMAGENET_RGB),
        ("mmcls://se-resnet50", IMAGENET_RGB),
        ("moskomule", IMAGENET_RGB),
        ("legacy", IMAGENET_RGB),
        ("caffe", CAFFE_BGR),
        ("open-mmlab://detectron2/resnet50_caffe", CAFFE_BGR),
        ("open-mmlab://detectron/resnet50_caffe", DETECTRON_BGR),
        ("open-mmlab://resnet50_caffe", DETECTRON_BGR),
        ("openmmlab://resnet101_caffe", DETECTRON_BGR),
        ("open-mmlab://resnet50_caffe_bgr", CAFFE_BGR),
        ("open-mmlab://detectron/resnet50_gn", CAFFE_BGR),
        ("open-mmlab://detectron/resnet101_gn", CAFFE_BGR),
        ("open-mmlab://resnet50_v1c", IMAGENET_RGB),
        ("open-mmlab://detectron2/resnext101_32x8d", DETECTRON2_RESNEXT_BGR),
    ],
)
def test_preprocessing_by_name(name: str, expected: object) -> None:
    assert preprocessing(name) == expected


def test_preprocessing_as_mmdet_takes_it() -> None:
    assert preprocessing("torchvision://resnet50").as_config() == dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    )
    assert preprocessing("caffe").as_config()["bgr_to_rgb"] is False
    with pytest.raises(FileNotFoundError, match=r"checkpoint nope not found"):
        preprocessing("nope")


def test_other_schemes_are_local_files_and_buckets_are_read_safely(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"x:/a\.pth not found; known schemes are timm://"):
        fetch("x://a.pth")
    Path("x:").mkdir()
    torch.save({"layer1.0.conv1.weight": torch.ones(1)}, "x:/a.pth")
    assert fetch("x://a.pth").state_dict["layer1.0.conv1.weight"].item() == 1

    @contextlib.contextmanager
    def copy(source: str, backend_args: dict) -> Iterator[str]:
        assert backend_args == {"backend": "petrel"}
        yield "copy.pth"

    monkeypatch.setattr(sources, "get_local_path", copy)
    torch.save({"x": tmp_path / "a path is opaque", "w": torch.ones(1)}, "copy.pth")
    for source in ("s3://bucket/a.pth", "cluster:s3://bucket/a.pth", "petrel://bucket/a.pth"):
        assert list(fetch(source).state_dict) == ["w"]
