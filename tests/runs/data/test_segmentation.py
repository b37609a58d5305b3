from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

pytest.importorskip("mmseg")

from senet_mm.runs.data.classes import Trained
from senet_mm.runs.data.segmentation import check_data, set_data_root

CLASSES = ("sky", "sea", "land")
LOADERS = ("train_dataloader",)


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    """A config of two images with their label maps."""
    for folder, suffix in (("images", ".jpg"), ("labels", ".png")):
        (tmp_path / folder).mkdir()
        for name in "ab":
            picture = np.zeros((8, 8, 3) if folder == "images" else (8, 8), np.uint8)
            cv2.imwrite(str(tmp_path / folder / f"{name}{suffix}"), picture)
    dataset = dict(
        type="BaseSegDataset",
        data_root=str(tmp_path),
        data_prefix=dict(img_path="images", seg_map_path="labels"),
        metainfo=dict(classes=CLASSES),
        pipeline=[dict(type="LoadImageFromFile")],
    )
    heads = dict(decode_head=dict(num_classes=3), auxiliary_head=dict(num_classes=2))
    return Config(dict(default_scope="mmseg", model=heads, train_dataloader=dict(dataset=dataset)))


def test_a_sound_set(cfg: Config) -> None:
    findings = check_data(cfg, LOADERS)
    assert (findings.changes, findings.notes) == ({}, [])
    # in another folder
    root = Path(cfg.train_dataloader.dataset.data_root)
    cfg.train_dataloader.dataset.data_root = "elsewhere"
    set_data_root(cfg, root)
    check_data(cfg, LOADERS)


def test_what_is_missing_or_wrong(cfg: Config) -> None:
    dataset = cfg.train_dataloader.dataset
    root = Path(dataset.data_root)

    def refused(kind: type[Exception], message: str, **options: object) -> None:
        with pytest.raises(kind, match=message):
            check_data(cfg, LOADERS, **options)

    cfg.model.decode_head.num_classes = 4
    refused(ValueError, r"decode_head\.num_classes=4, but .* has 3 classes \(.*: set .*=3")
    cfg.model.decode_head.num_classes = 3
    other = Trained("old.pth", ("sea", "sky", "land"), must_agree=True)
    refused(ValueError, r"old\.pth was trained on the classes .*: expected the same", trained=other)
    (root / "images" / "b.jpg").write_bytes(b"no picture")
    refused(ValueError, r"1 pictures of train_dataloader\.dataset cannot be read .*b\.jpg")
    assert not check_data(cfg, LOADERS, pictures=False).notes
    (root / "labels" / "a.png").unlink()
    refused(FileNotFoundError, r"1 of 4 images and label maps are not there \(first: .*a\.png\)")
    dataset.img_suffix = ".tif"
    refused(ValueError, r"has no images that end in \.tif")
    dataset.data_prefix.img_path = "pictures"
    refused(FileNotFoundError, r"the image folder .*pictures is not there: set its data_root and")
    with pytest.raises(FileNotFoundError, match="--data-root nowhere is no folder"):
        set_data_root(cfg, "nowhere")
    dataset.type = "mmdet.CocoDataset"
    with pytest.raises(ValueError, match=r"BaseSegDataset\), not with mmdet\.CocoDataset, which"):
        set_data_root(cfg, root)
