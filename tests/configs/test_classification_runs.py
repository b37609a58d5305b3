"""What the configs of classifiers do to images, and an epoch of some; with mmpretrain alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS as MODELS_OF_DETECTORS
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torchvision.transforms import functional as F

from tests.configs.reading import read
from tests.configs.small_data import write_cifar, write_digits, write_imagenet, write_places365

pytest.importorskip("mmpretrain")


@pytest.fixture(autouse=True)
def _scope() -> None:
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        yield


def config(name: str) -> Config:
    return read(f"classification/{name}.py")


def pictured(tmp_path: Path, height: int, width: int) -> tuple[dict, np.ndarray]:
    """A sample of a data set, and its image."""
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = cv2.GaussianBlur(image, (9, 9), 3)
    cv2.imwrite(str(tmp_path / "image.png"), image)
    return dict(img_path=str(tmp_path / "image.png"), gt_label=0), image


def chw(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)


@pytest.mark.parametrize(
    ("name", "resized", "crop"),
    [
        ("resnet50_in1k", (512, 256), 224),
        ("inception_resnet_v2_in1k", (704, 352), 299),
        ("senet154_320_in1k", (704, 352), 320),
        ("resnet152_places365", (256, 256), 224),  # whatever its shape
    ],
)
def test_the_single_crop_of_a_test(name: str, resized, crop: int, tmp_path: Path) -> None:
    sample, image = pictured(tmp_path, 200, 400)
    found = Compose(config(name).test_dataloader.dataset.pipeline)(sample)["inputs"]
    expected = F.center_crop(chw(cv2.resize(image, resized)), crop)
    assert torch.equal(found, expected)


def test_ten_crops_are_torchvisions(tmp_path: Path) -> None:
    sample, image = pictured(tmp_path, 200, 400)
    found = Compose(config("se_resnet50_in1k").tta_pipeline)(sample)["inputs"]
    expected = F.ten_crop(chw(cv2.resize(image, (512, 256))), 224)
    assert len(found) == 10
    left = [*expected]
    for crop in found:
        same = [index for index, other in enumerate(left) if torch.equal(crop, other)]
        del left[same[0]]


def test_three_scales_of_ten_crops(tmp_path: Path) -> None:
    sample, _ = pictured(tmp_path, 200, 400)
    for name, crop in (("se_resnet50_in1k", 224), ("se_inception_resnet_v2_in1k", 299)):
        found = Compose(config(name).multi_scale_pipeline)(dict(sample))["inputs"]
        assert len({one.numpy().tobytes() for one in found}) == 30
        assert {tuple(one.shape) for one in found} == {(3, crop, crop)}


@pytest.mark.parametrize(
    ("name", "size"),
    [("shake_resnet26_2x96d_cifar10", 16), ("shake_resnext29_2x4x64d_cifar100", 8)],
)
def test_cutout_is_zero_in_front_of_the_net(name: str, size: int) -> None:
    from mmpretrain.registry import MODELS

    cfg = config(name)
    np.random.seed(0)
    pipeline = Compose(cfg.train_dataloader.dataset.pipeline)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    samples = [pipeline(dict(img=image, gt_label=1)) for _ in range(200)]
    preprocessor = MODELS.build(dict(cfg.data_preprocessor, type="ClsDataPreprocessor"))
    inputs = preprocessor(pseudo_collate(samples), training=True)["inputs"]
    areas = (inputs == 0).all(dim=1).flatten(1).sum(dim=1)
    assert inputs.shape == (200, 3, 32, 32)
    # at most the whole square, at least its quarter in a corner
    assert (areas.min() >= size**2 // 4) and areas.max() == size**2


def test_the_released_models_augmentation(tmp_path: Path) -> None:
    sample, _ = pictured(tmp_path, 200, 400)
    pipeline = config("se_resnet50_released_in1k").train_dataloader.dataset.pipeline
    kinds = [step.type for step in pipeline]
    assert kinds[1:3] == ["Rotate", "RandomResizedCrop"] and kinds[-2] == "PixelJitter"
    rotate = Compose(pipeline).transforms[1]
    angles = [rotate.random_negative(rotate.random_magnitude()) for _ in range(500)]
    assert min(angles) == pytest.approx(-10, abs=0.3) and max(angles) == pytest.approx(10, abs=0.3)
    assert np.std(angles) == pytest.approx(10 / 3**0.5, rel=0.1)
    assert Compose(pipeline)(sample)["inputs"].shape == (3, 224, 224)


def test_a_classifier_starts_a_detectors_backbone(tmp_path: Path) -> None:
    from mmpretrain.registry import MODELS

    classifier = MODELS.build(config("se_shufflenet_in1k").model)
    torch.save(dict(state_dict=classifier.state_dict()), tmp_path / "epoch_1.pth")
    cfg = read("faster_rcnn_se_shufflenet_fpn.py").model.backbone
    cfg.backbone.init_cfg = None
    cfg.se_cfg.identity_init = False  # which a start from plain weights needs
    cfg.init_cfg = dict(
        type="Pretrained", checkpoint=str(tmp_path / "epoch_1.pth"), prefix="backbone."
    )
    with DefaultScope.overwrite_default_scope("mmdet"):
        backbone = MODELS_OF_DETECTORS.build(cfg)
        backbone.init_weights()
    expected = classifier.backbone.state_dict()
    assert backbone.state_dict().keys() == expected.keys()
    assert any(".se.fc1." in key for key in expected)
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, expected[key]), key


def small(cfg: Config, root: Path, work_dir: Path) -> Config:
    """The config with an epoch of a few images, and crops of 64 pixels where they are larger."""
    cfg.work_dir = str(work_dir)
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1
    cfg.randomness = dict(seed=0)
    cfg.default_hooks.logger.interval = 1
    cfg.log_level = "WARNING"
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=4, num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(root)
        for step in loader.dataset.pipeline:
            if step.type == "RandomResizedCrop":
                step.scale = 64
            if step.type == "CenterCrop":
                step.crop_size = 64
    return cfg


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("mobilenet_in1k", "se_mobilenet_in1k"),
        "se_resnet110_digits",
        "se_resnet110_cifar10",
        "se_wrn16_8_cifar100",
    ],
)
def test_an_epoch(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "data"
    write_small(root, name, monkeypatch)
    runner = Runner.from_cfg(small(config(name), root, tmp_path / "run"))
    before = {key: value.clone() for key, value in runner.model.named_parameters()}
    runner.train()
    assert runner.iter >= 2
    log = runner.message_hub.log_scalars
    assert np.isfinite([log["train/loss"].min(), log["train/loss"].max()]).all()
    assert 0 <= log["val/accuracy/top1"].current() <= log["val/accuracy/top5"].current() <= 100
    for key, value in runner.model.named_parameters():
        assert value.isfinite().all(), key
    changed = [
        key for key, value in runner.model.named_parameters() if (value != before[key]).any()
    ]
    # gates of what training starts from, too
    assert any(".se.fc1.weight" in key for key in changed) == name.startswith("se_")


def write_small(root: Path, name: str, patch: pytest.MonkeyPatch) -> None:
    """The data of a config, a few images of it."""
    if "cifar100" in name:
        write_cifar(root, "CIFAR100", patch)
    elif "cifar10" in name:
        write_cifar(root, "CIFAR10", patch, images=2)  # of each of five files
    elif "digits" in name:
        write_digits(root)
    elif "places" in name:
        write_places365(root, labels=range(8))
    else:
        write_imagenet(root, labels=range(8))
