"""Any network of timm with feature maps, as a backbone with mmdet's manners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..weights.recognize.normalization import Preprocessing, rgb
from .alignment import pad_valid_layers
from .features import BackboneMixin
from .timm_nets import Stages, create_net

# by these a net of pictures of one size takes others
_SIZES = {"img_size", "dynamic_img_size", "strict_img_size"}


@MODELS.register_module()
class TimmBackbone(BackboneMixin):
    """A feature net of timm: ``timm.create_model(model_name, features_only=True)``.

    The net is the child ``timm_model``, as in mmpretrain's TIMMBackbone, so that checkpoints of
    one are checkpoints of the other.

    Args:
        model_name: timm's name of the network.
        out_indices: Which of the network's maps come out, counted as timm counts them:
            of a ResNet 0 is the stem's and 1 to 4 are the stages'. Default: the last four.
        frozen_stages: -1: nothing, 0: the stem, n: the stem and n stages are frozen: no
            gradients, and batch norm as in inference. A stage ends with a map of stride 4 or more,
            see ``senet_mm.backbones.timm_nets.Stages``.
        norm_eval: Whether batch norm keeps its statistics in training.
        with_cp: Whether to compute activations again in backward rather than to keep them
            (timm's gradient checkpointing).
        align: Whether to pad the layers that have no padding, so that maps have the sizes and the
            places that detectors expect (Inception-ResNet-v2), see
            ``senet_mm.backbones.alignment.pad_valid_layers``.
        init_cfg: mmengine's; ``dict(type='Pretrained', checkpoint='timm://NAME')`` or a file's.
        **options: Whatever else timm's constructor of the network takes:
            ``drop_path_rate=0.1``, ``act_layer='relu'``, ``img_size=(800, 1344)``, ...

    Raises:
        ImportError: If timm is missing.
        ValueError: If an argument is not accepted; the message names it and what is.

    Example:
        >>> TimmBackbone('efficientnet_b0', frozen_stages=1).out_channels
        [24, 40, 112, 320]
    """

    hands_options_on = True  # to timm, which refuses what it does not know
    timm_model: Any  # one of several classes of timm's, with feature_info

    def __init__(
        self,
        model_name: str,
        *,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        with_cp: bool = False,
        align: bool = False,
        init_cfg: dict | list[dict] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(init_cfg or None)
        self.model_name = model_name
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        net = self.timm_model = create_net(model_name, out_indices, options)
        self._is_nhwc = getattr(net, "output_fmt", None) == "NHWC"
        fixed = net.pretrained_cfg.get("fixed_input_size") and not _SIZES & options.keys()
        self._size = tuple(net.pretrained_cfg["input_size"][1:]) if fixed else None
        if align:
            pad_valid_layers(net, model_name)
        if with_cp:
            _checkpoint(net, model_name)
        count = Stages(net).count
        if frozen_stages not in range(-1, count + 1):
            raise ValueError(
                f"TimmBackbone frozen_stages={frozen_stages!r}: expected -1 (nothing), 0 (the stem)"
                f" or up to {count}, the number of stages of {model_name}"
            )
        self._freeze()

    @property
    def feature_info(self) -> Any:
        """Channels, strides and modules of the maps, as timm tells them."""
        return self.timm_model.feature_info

    @property
    def out_channels(self) -> list[int]:
        """Channels of each map that comes out: what the neck's ``in_channels`` must be."""
        return self.channels

    @property
    def out_strides(self) -> list[int]:
        """Stride of each map that comes out."""
        return self.strides

    @property
    def preprocessing(self) -> Preprocessing:
        """How images are fed to timm's own weights of this network."""
        cfg = self.timm_model.pretrained_cfg
        return rgb(cfg["mean"], cfg["std"])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (N, 3, H, W) -> a map (N, C_i, H_i, W_i) of each of ``out_indices``.

        Raises:
            ValueError: If the network takes pictures of one size, and these have another.
        """
        if self._size is not None and x.shape[-2:] != self._size:
            raise ValueError(
                f"{self.model_name} takes pictures of {self._size}, not {tuple(x.shape[-2:])}: "
                "give the backbone img_size=(H, W), or what its network has for any size "
                "(strict_img_size=False of Swin, dynamic_img_size=True of ViT)"
            )
        maps = self.timm_model(x)
        return tuple(map_.permute(0, 3, 1, 2) for map_ in maps) if self._is_nhwc else tuple(maps)

    def train(self, mode: bool = True) -> TimmBackbone:
        """Switch to training, but for what is frozen, or to inference."""
        super().train(mode)
        _keep_activations(self)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _freeze(self) -> None:
        if self.frozen_stages < 0:
            return
        frozen = set(Stages(self.timm_model).until(self.frozen_stages))
        for module in frozen:
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)
            # what is frozen in part, such as the whole net, stays in the mode that it is in
            if frozen.issuperset(module.modules()):
                module.training = False

    def left_out(self, name: str) -> bool:
        """Whether a tensor of released weights is of a part that this net was built without."""
        module: nn.Module = self
        for part in name.split(".")[:-1]:
            child = dict(module.named_children()).get(part)
            if child is None:  # timm cuts its nets behind the last map that comes out
                return isinstance(module, nn.Sequential) and Stages(self.timm_model).is_cut
            module = child
        return isinstance(module, nn.Identity)


def _keep_activations(net: nn.Module) -> None:
    """Let timm's batch norm run its activation after mmengine has put SyncBN in its place."""
    for module in net.modules():
        if (
            type(module) is nn.SyncBatchNorm
            and hasattr(module, "act")
            and _activate not in module._forward_hooks.values()
        ):
            module.register_forward_hook(_activate, prepend=True)  # before attached SE


def _activate(norm: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return norm.act(norm.drop(output))


def _checkpoint(net: Any, model_name: str) -> None:
    """Let timm compute activations again, by the net itself where a wrapper would not."""
    inner = getattr(net, "model", getattr(net, "body", net))
    switch = getattr(inner, "set_grad_checkpointing", None)
    try:
        if switch is not None:
            switch(True)
            return
    except AssertionError:  # so do nets of timm's refuse
        pass
    raise ValueError(
        f"TimmBackbone with_cp=True: timm has no gradient checkpointing of {model_name}"
    )
