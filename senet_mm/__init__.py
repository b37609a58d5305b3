"""Squeeze-and-Excitation backbones for OpenMMLab detection.

Importing the package registers everything in mmdet's registries, makes mmdet
importable where mmcv came without compiled ops, and lets configs be named
``senet_mm::faster_rcnn_se_r50_fpn.py``.
"""

from .cli.launch import is_command
from .version import __version__

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
    "__version__",
    "attach_se",
    "create_backbone",
    "detach_se",
    "fuse_for_inference",
    "list_backbones",
]

# The command `senet-mm` must start on a broken stack, to tell what is broken, and at once for
# --help: it registers by itself, before a sub-command needs it.
if not is_command():
    from .runs.registration import (
        SEFPN,
        SEBackbone,
        SEBlock,
        SENeck,
        SENet,
        SEResNet,
        SEResNetV1d,
        SEResNeXt,
        TimmAttention,
        TimmBackbone,
        TorchvisionBody,
        attach_se,
        create_backbone,
        detach_se,
        fuse_for_inference,
        list_backbones,
    )


def __getattr__(name: str) -> object:
    """What the command did not import yet."""
    if name in __all__:
        from .runs import registration

        return getattr(registration, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
