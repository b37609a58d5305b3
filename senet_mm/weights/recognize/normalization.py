"""How images must be fed to a net, which depends on its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preprocessing:
    """Channel order and normalization of images with values in 0..255.

    Attributes:
        channels: ``RGB`` or ``BGR``, the order that the net was trained with.
        mean: What is subtracted, in that order.
        std: What the difference is divided by, in that order.
    """

    channels: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of_config(cls, data_preprocessor: Mapping[str, Any]) -> Preprocessing | None:
        """What a ``data_preprocessor`` of mmdet does; None where it does not normalize.

        mmdet's pipelines read images in BGR order. mmpretrain and mmdet 2 say
        ``to_rgb`` for ``bgr_to_rgb``.
        """
        mean, std = data_preprocessor.get("mean"), data_preprocessor.get("std")
        if mean is None or std is None or len(mean) != 3:
            return None
        to_rgb = data_preprocessor.get("bgr_to_rgb", data_preprocessor.get("to_rgb"))
        return cls("RGB" if to_rgb else "BGR", _three(mean), _three(std))

    def as_config(self, order: str = "bgr_to_rgb") -> dict[str, Any]:
        """The options of mmdet's ``DetDataPreprocessor`` that do this.

        Args:
            order: What the option on channels is called; mmpretrain's is ``to_rgb``.
        """
        return dict(mean=list(self.mean), std=list(self.std)) | {order: self.channels == "RGB"}

    def agrees(self, other: Preprocessing) -> bool:
        """Whether two are the same but for rounding."""
        pairs = zip((*self.mean, *self.std), (*other.mean, *other.std), strict=True)
        return self.channels == other.channels and all(abs(a - b) < 0.05 for a, b in pairs)

    def __str__(self) -> str:
        numbers = [", ".join(f"{value:g}" for value in row) for row in (self.mean, self.std)]
        return f"{self.channels}, mean [{numbers[0]}], std [{numbers[1]}]"


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = (round(float(value), 4) for value in values)
    return first, second, third


def rgb(mean: Sequence[float], std: Sequence[float]) -> Preprocessing:
    """From mean and standard deviation of RGB values in 0..1, as timm and torchvision say it."""
    return Preprocessing("RGB", *(_three([255 * value for value in row]) for row in (mean, std)))


# torchvision's, timm's, gluon's, mmpretrain's nets, and the RGB ports of the Caffe SENets
IMAGENET_RGB = rgb((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Inception-ResNet-v2 and timm's MobileNets
HALF_RGB = rgb((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
# MSRA's ResNets as converted for detectron2 and mmdet
CAFFE_BGR = Preprocessing("BGR", (103.53, 116.28, 123.675), (1.0, 1.0, 1.0))
# the ResNets of Detectron (Caffe2)
DETECTRON_BGR = Preprocessing("BGR", (102.9801, 115.9465, 122.7717), (1.0, 1.0, 1.0))
# the ResNeXt-101 32x8d of detectron2
DETECTRON2_RESNEXT_BGR = Preprocessing("BGR", (103.53, 116.28, 123.675), (57.375, 57.12, 58.395))
# pretrainedmodels' port of the Caffe BN-Inception
BN_INCEPTION_BGR = Preprocessing("BGR", (104.0, 117.0, 128.0), (1.0, 1.0, 1.0))
