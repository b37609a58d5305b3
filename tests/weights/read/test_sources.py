"""The names of zoos, URLs, files and buckets, and what is said where there is no network."""

import contextlib
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch

from senet_mm.weights.read import places
from senet_mm.weights.read.places import url_of
from senet_mm.weights.read.sources import fetch


def test_unknown_names_are_told_with_the_nearest() -> None:
    for source, message in (
        (
            "timm://seresnet51.a1_in1k",
            r"no weights named 'seresnet51.a1_in1k'; the nearest are ser",
        ),
        ("timm://resnet50.nope", r"no weights named 'resnet50.nope'; the nearest are resnet50\."),
        ("timm://", r"no weights named ''"),
        ("torchvision://resnet51", r"torchvision://resnet51: unknown name 'resnet51'; the nearest"),
        ("open-mmlab://resnext50_32x5d", r"unknown name .*resnext50_32x4d"),
        ("mmcls://se_resnet50", r"unknown name 'se_resnet50'; the nearest are se-resnet50"),
    ):
        with pytest.raises(ValueError, match=message):
            fetch(source)


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

    monkeypatch.setattr(places, "get_local_path", copy)
    torch.save({"x": tmp_path / "a path is opaque", "w": torch.ones(1)}, "copy.pth")
    for source in ("s3://bucket/a.pth", "cluster:s3://bucket/a.pth", "petrel://bucket/a.pth"):
        assert list(fetch(source).state_dict) == ["w"]
