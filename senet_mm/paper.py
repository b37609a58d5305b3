"""The published numbers of arXiv 1709.01507 (TPAMI text) as data."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Detection:
    """A row of Table 7: Faster R-CNN on COCO minival (val2017), in percent."""

    backbone: str
    config: str
    ap50: float
    ap: float


TABLE_7 = (
    Detection("ResNet-50", "faster_rcnn_r50_fpn", 57.9, 38.0),
    Detection("SE-ResNet-50", "faster_rcnn_se_r50_fpn", 61.0, 40.4),
    Detection("ResNet-101", "faster_rcnn_r101_fpn", 60.1, 39.9),
    Detection("SE-ResNet-101", "faster_rcnn_se_r101_fpn", 62.7, 41.9),
)


@dataclass(frozen=True)
class ImageNet:
    """A net on ImageNet at 224 x 224, Inception-ResNet-v2 at 299 x 299.

    Attributes:
        table: The table, or section, it stands in.
        name: The row as the paper names it.
        config: Stem of our config with this backbone.
        top1, top5: Single-crop error in percent.
        gflops: Multiply-adds in 1e9, where the paper gives them.
        params: Parameters in 1e6, classifier included, where the paper gives them.
    """

    table: str
    name: str
    config: str
    top1: float | None
    top5: float | None
    gflops: float | None = None
    params: float | None = None

    @property
    def classifier(self) -> str:
        """Stem of our classification config with this backbone, of Tables 2 and 3."""
        stem = re.sub(r"^faster_rcnn_(.+)_fpn$", r"\1_in1k", self.config)
        stem = re.sub(r"^(se_)?r(?=\d)", r"\1resnet", stem)
        return re.sub(r"^(se_)?x(?=\d)", r"\1resnext", stem)


# the paper's re-implementations
TABLE_2 = (
    ImageNet("2", "ResNet-50", "faster_rcnn_r50_fpn", 24.80, 7.48, 3.86, 25.6),  # params: Table 16
    ImageNet("2", "SE-ResNet-50", "faster_rcnn_se_r50_fpn", 23.29, 6.62, 3.87, 28.1),
    ImageNet("2", "ResNet-101", "faster_rcnn_r101_fpn", 23.17, 6.52, 7.58),
    ImageNet("2", "SE-ResNet-101", "faster_rcnn_se_r101_fpn", 22.38, 6.07, 7.60),
    ImageNet("2", "ResNet-152", "faster_rcnn_r152_fpn", 22.42, 6.34, 11.30),
    ImageNet("2", "SE-ResNet-152", "faster_rcnn_se_r152_fpn", 21.57, 5.73, 11.32),
    ImageNet("2", "ResNeXt-50", "faster_rcnn_x50_32x4d_fpn", 22.11, 5.90, 4.24),
    ImageNet("2", "SE-ResNeXt-50", "faster_rcnn_se_x50_32x4d_fpn", 21.10, 5.49, 4.25),
    ImageNet("2", "ResNeXt-101", "faster_rcnn_x101_32x4d_fpn", 21.18, 5.57, 7.99),
    ImageNet("2", "SE-ResNeXt-101", "faster_rcnn_se_x101_32x4d_fpn", 20.70, 5.01, 8.00),
    ImageNet("2", "VGG-16", "faster_rcnn_vgg16_bn_fpn", 27.02, 8.81, 15.47),
    ImageNet("2", "SE-VGG-16", "faster_rcnn_se_vgg16_bn_fpn", 25.22, 7.70, 15.48),
    ImageNet("2", "BN-Inception", "faster_rcnn_bn_inception_fpn", 25.38, 7.89, 2.03),
    ImageNet("2", "SE-BN-Inception", "faster_rcnn_se_bn_inception_fpn", 24.23, 7.14, 2.04),
    ImageNet("2", "Inception-ResNet-v2", "faster_rcnn_inception_resnet_v2_fpn", 20.37, 5.21, 11.75),
    ImageNet(
        "2", "SE-Inception-ResNet-v2", "faster_rcnn_se_inception_resnet_v2_fpn", 19.80, 4.79, 11.76
    ),
)

# nets for phones
TABLE_3 = (
    ImageNet("3", "MobileNet", "faster_rcnn_mobilenet_fpn", 28.4, 9.4, 0.569, 4.2),
    ImageNet("3", "SE-MobileNet", "faster_rcnn_se_mobilenet_fpn", 25.3, 7.7, 0.572, 4.7),
    ImageNet("3", "ShuffleNet", "faster_rcnn_shufflenet_fpn", 32.6, 12.5, 0.140, 1.8),
    ImageNet("3", "SE-ShuffleNet", "faster_rcnn_se_shufflenet_fpn", 31.0, 11.1, 0.142, 2.4),
)

# SE-ResNet-50 without biases in the excitation (section 6)
ABLATIONS = (
    ImageNet("10", "r = 2", "table10_r2", 22.29, 6.00, None, 45.7),
    ImageNet("10", "r = 4", "table10_r4", 22.25, 6.09, None, 35.7),
    ImageNet("10", "r = 8", "table10_r8", 22.26, 5.99, None, 30.7),
    ImageNet("10", "r = 16", "table10_r16", 22.28, 6.03, None, 28.1),
    ImageNet("10", "r = 32", "table10_r32", 22.72, 6.20, None, 26.9),
    ImageNet("11", "Max", "table11_max", 22.57, 6.09),
    ImageNet("11", "Avg", "table11_avg", 22.28, 6.03),
    ImageNet("12", "ReLU", "table12_relu", 23.47, 6.98),
    ImageNet("12", "Tanh", "table12_tanh", 23.00, 6.38),
    ImageNet("12", "Sigmoid", "table12_sigmoid", 22.28, 6.03),
    ImageNet("13", "SE_Stage_2", "table13_stage2", 23.03, 6.48, 3.86, 25.6),
    ImageNet("13", "SE_Stage_3", "table13_stage3", 23.04, 6.32, 3.86, 25.7),
    ImageNet("13", "SE_Stage_4", "table13_stage4", 22.68, 6.22, 3.86, 26.4),
    ImageNet("13", "SE_All", "table13_all", 22.28, 6.03, 3.87, 28.1),
    ImageNet("14", "SE", "table14_se", 22.28, 6.03),
    ImageNet("14", "SE-PRE", "table14_pre", 22.23, 6.00),
    ImageNet("14", "SE-POST", "table14_post", 22.78, 6.35),
    ImageNet("14", "SE-Identity", "table14_identity", 22.20, 6.15),
    ImageNet("15", "SE_3x3", "table15_se_3x3", 22.48, 6.02, 3.86, 25.8),
    ImageNet("16", "NoSqueeze", "table16_nosqueeze", 22.93, 6.39, 4.27, 28.1),
    # section 4: no SE in the last stage leaves about 4 % more parameters than ResNet-50
    ImageNet("section 4", "no last stage", "section4_without_last_stage", None, None),
)


def row_of(config: str) -> ImageNet | None:
    """The paper's row for a config's stem, such as ``table10_r2``; None where it has none."""
    rows = (*TABLE_2, *TABLE_3, *ABLATIONS)
    return next((row for row in rows if config in (row.config, row.classifier)), None)


def detection_row_of(config: str) -> Detection | None:
    """The row of Table 7 for a config's stem; None where it has none."""
    return next((row for row in TABLE_7 if row.config == config), None)
