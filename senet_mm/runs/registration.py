"""Registers everything of senet_mm in mmdet's registries; an import of this module does it.

It makes mmdet importable where mmcv came without compiled ops, and lets configs be named
``senet_mm::faster_rcnn_se_r50_fpn.py``.
"""

from ..compat import mmcv_ops, versions
from ..compat.quiet import quiet_imports

versions.check_versions()
mmcv_ops.install()
with quiet_imports():
    for _name in ("mmcv.ops", "mmengine.hub", "mmdet.models", "mmdet.evaluation"):
        versions.import_or_tell(_name)

from ..compat import packaged_configs  # noqa: E402

packaged_configs.install()

from ..backbones import (  # noqa: E402
    SEBackbone,
    SENet,
    SEResNet,
    SEResNetV1d,
    SEResNeXt,
    TimmBackbone,
    TorchvisionBody,
    create_backbone,
    list_backbones,
)
from ..layers import (  # noqa: E402
    SEBlock,
    TimmAttention,
    attach_se,
    detach_se,
    fuse_for_inference,
)
from ..necks import SEFPN, SENeck  # noqa: E402
from . import drawings, hooks  # noqa: E402, F401
from .data import augmentations, crops  # noqa: E402, F401
from .training import finite, loggers, resume_hook, saving, seeding  # noqa: E402, F401

__all__ = [
    "SEFPN",
    "SEBackbone",
    "SEBlock",
    "SENeck",
    "SENet",
    "SEResNeXt",
    "SEResNet",
    "SEResNetV1d",
    "TimmAttention",
    "TimmBackbone",
    "TorchvisionBody",
    "attach_se",
    "create_backbone",
    "detach_se",
    "fuse_for_inference",
    "list_backbones",
]
