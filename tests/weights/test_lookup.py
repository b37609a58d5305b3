"""How images are fed to released weights, by name."""

import pytest

from senet_mm.weights import preprocessing
from senet_mm.weights.recognize.normalization import (
    CAFFE_BGR,
    DETECTRON2_RESNEXT_BGR,
    DETECTRON_BGR,
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
