"""How images are fed to released weights, by name."""

from pathlib import Path

import pytest
import torch

from senet_mm.weights import preprocessing
from senet_mm.weights.recognize.normalization import (
    BN_INCEPTION_BGR,
    CAFFE_BGR,
    DETECTRON2_RESNEXT_BGR,
    DETECTRON_BGR,
    HALF_RGB,
    IMAGENET_RGB,
)


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


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("conv1_7x7_s2.weight", BN_INCEPTION_BGR),
        ("backbone.layers.0.0.depthwise_conv3x3_bn.conv.weight", IMAGENET_RGB),
        ("conv2d_1a.conv.weight", HALF_RGB),
    ],
)
def test_preprocessing_of_a_file_of_another_network(
    key: str, expected: object, tmp_path: Path
) -> None:
    torch.save({key: torch.zeros(1)}, tmp_path / "x.pth")
    assert preprocessing(str(tmp_path / "x.pth")) == expected
