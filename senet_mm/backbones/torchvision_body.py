"""A backbone as torchvision's detectors take it: maps by name, all of as many channels."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool

from .features import BackboneMixin


class TorchvisionBody(nn.Module):
    """Any backbone here for torchvision's ``FasterRCNN``, ``MaskRCNN``, ``RetinaNet``, ...

    As torchvision's ``BackboneWithFPN``, which takes a ResNet apart and runs its layers itself;
    here the backbone runs by its own code, so that it need not be a ResNet, and what it keeps
    frozen stays frozen (``frozen_stages``, ``norm_eval``).

    Args:
        body: The backbone.
        out_channels: Channels of a feature pyramid on the backbone's maps. None for no pyramid:
            the backbone must give maps of one width then, as with one of ``out_indices``.
        extra_blocks: Further levels of the pyramid; by default, as for torchvision's Faster
            R-CNN, the last map pooled once more.

    Attributes:
        out_channels: Channels of each map, which torchvision's detectors ask for.

    Raises:
        TypeError: If the body tells no ``channels``, as backbones of this package do.
        ValueError: If there is no pyramid and the maps differ in their channels, or the pyramid
            would have none.

    Example:
        >>> FasterRCNN(TorchvisionBody(create_backbone("se_resnet50"), 256), num_classes=91)
    """

    def __init__(
        self,
        body: BackboneMixin,
        out_channels: int | None = None,
        *,
        extra_blocks: ExtraFPNBlock | None = None,
    ) -> None:
        super().__init__()
        if not hasattr(body, "channels"):
            raise TypeError(
                f"TorchvisionBody body={type(body).__name__}: expected a backbone of senet_mm, "
                "such as create_backbone('se_resnet50') or TimmBackbone(NAME)"
            )
        if out_channels is not None and out_channels < 1:
            raise ValueError(
                f"TorchvisionBody out_channels={out_channels}: expected 1 or more, or None"
            )
        self.body = body
        channels = body.channels
        self.fpn: nn.Module = nn.Identity()
        if out_channels is not None:
            blocks = LastLevelMaxPool() if extra_blocks is None else extra_blocks
            self.fpn = FeaturePyramidNetwork(channels, out_channels, extra_blocks=blocks)
        elif len(set(channels)) > 1:
            raise ValueError(
                f"TorchvisionBody out_channels=None: the maps have {channels} channels, but a "
                "detector takes as many of each: give out_channels=256 for a feature pyramid, or "
                "a backbone of one map, out_indices=(2,)"
            )
        self.out_channels = channels[0] if out_channels is None else out_channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, H, W) -> maps (N, out_channels, H_i, W_i): "0", "1", ... and "pool"."""
        maps = self.body(images)
        return self.fpn(OrderedDict((str(index), map_) for index, map_ in enumerate(maps)))
