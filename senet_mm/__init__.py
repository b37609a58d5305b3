"""Squeeze-and-Excitation backbones for OpenMMLab detection.

Importing the package registers everything in mmdet's registries, makes mmdet
importable where mmcv came without compiled ops, and lets configs be named
``senet_mm::faster_rcnn_se_r50_fpn.py``.
"""

from .compat import mmcv_ops, packaged_configs, versions

versions.check_versions()
mmcv_ops.install()
packaged_configs.install()


from .backbones import SENet, SEResNet, SEResNetV1d, SEResNeXt
from .layers import SEBlock
from .necks import SEFPN, SENeck
from .runs import finite, hooks  # noqa: F401 (registers them)
from .version import __version__

__all__ = [
    "SEFPN",
    "SEBlock",
    "SENeck",
    "SENet",
    "SEResNeXt",
    "SEResNet",
    "SEResNetV1d",
    "__version__",
]
