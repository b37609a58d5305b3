"""SE on any registered backbone, as a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.model import initialize
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..layers import SEBlock, attach_se
from ..layers.attach import attached_se, keep_attached, set_aside
from ..layers.padding import minds_padding, on_images
from ..layers.unit_outputs import map_shapes
from ..weights.init_cfg import pretrained_of
from .features import BackboneMixin, FeatureInfo

# what a module is made of; two modules that share it have the same parts under the same names
_PARTS = (
    *("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"),
    *("_state_dict_hooks", "_load_state_dict_pre_hooks"),
)


@MODELS.register_module()
class SEBackbone(BackboneMixin):
    """Any backbone with SE behind some of its units; the plain twin is the inner dict.

    The plain backbone, ``plain``, and this module have the same parts under the
    same names, so that parameters, keys of state dicts, and options that name
    parts of a backbone are those of the plain twin. Its other attributes are
    read from there too, and what it does about frozen stages, fixed statistics
    and checkpointing stays.

    Weights that an ``init_cfg`` names, its own or the inner dict's, are checked
    while they are loaded: no tensor may be missing, misshapen or without a
    place, and SE that they do not have is an error unless it starts as the
    identity.

    Args:
        backbone: Config of the plain backbone.
        units: The units that SE follows, by their names in the plain backbone;
            see :func:`senet_mm.layers.attach_se`. With ``[]`` the backbone has no SE behind units
            and finds the valid part of its images for plugins and a neck with ``padding='mask'``.
        se_cfg: Options of SE, one dict or one per unit; see there.
        input_shape: What the backbone is run on once to find the channels.
        init_cfg: Weights of the whole, such as an SE net's, instead of those of the inner dict.

    Raises:
        ValueError, TypeError: As :func:`senet_mm.layers.attach_se`.

    Example:
        >>> plain = dict(type="RegNet", arch="regnetx_400mf", out_indices=(0, 1, 2, 3))
        >>> SEBackbone(plain, units=r"layer\\d\\.\\d+\\.bn3", se_cfg=dict(reduction=16))
    """

    plain: Any

    def __init__(
        self,
        backbone: Mapping[str, Any],
        units: Any,
        se_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]] = {},
        *,
        input_shape: Sequence[int] = (1, 3, 224, 224),
        init_cfg: dict | list[dict] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(init_cfg)
        if others:
            raise TypeError(
                f"SEBackbone takes no {', '.join(others)}: options of the plain backbone stand in "
                "its own dict (model.backbone.backbone in a detector's config)"
            )
        if not isinstance(backbone, Mapping) or "type" not in backbone:
            raise TypeError(f"SEBackbone: backbone={backbone!r}: expected a dict with a type")
        plain = MODELS.build(dict(backbone))
        only_sizes = isinstance(units, (list, tuple)) and not units
        blocks = {} if only_sizes else attach_se(plain, units, se_cfg, input_shape=input_shape)
        if backbone.get("pretrained") is True and not all(
            map(_starts_as_identity, blocks.values())
        ):
            raise ValueError(
                "SEBackbone: backbone.pretrained=True, but SE would be random: give the weights as "
                "init_cfg=dict(type='Pretrained', checkpoint=...), or se_cfg identity_init=True"
            )
        for part in _PARTS:
            self.__dict__[part] = plain.__dict__[part]
        self.__dict__["plain"] = plain  # no child: its parts are
        self._input_shape = tuple(input_shape)
        self.minds_padding = only_sizes or minds_padding(plain)
        self._take_pretrained()

    def _take_pretrained(self) -> None:
        """Load the plain backbone's weights here, where they are checked."""
        of_plain = getattr(self.plain, "init_cfg", None)
        pretrained = pretrained_of(of_plain)
        if pretrained:
            listed: Any = [of_plain] if isinstance(of_plain, Mapping) else of_plain
            self.plain.init_cfg = [cfg for cfg in listed if cfg not in pretrained]
            self.init_cfg = self.init_cfg or pretrained

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            # Python's own questions are about this module
            if "plain" not in vars(self) or name.startswith("__"):
                raise
            return getattr(self.plain, name)

    @cached_property
    def feature_info(self) -> Any:
        """Channels and strides of the maps, as the plain backbone tells them or a run on shapes."""
        if hasattr(self.plain, "feature_info"):
            return self.plain.feature_info
        shapes = map_shapes(self.plain, self._input_shape)
        strides = [round(self._input_shape[2] / shape[2]) for shape in shapes]
        channels, modules = [shape[1] for shape in shapes], [""] * len(shapes)
        return FeatureInfo.of(channels, strides, modules, range(len(shapes)))

    def forward(self, x: torch.Tensor) -> Any:
        """What the plain backbone returns, of gated maps."""
        if isinstance(x, fx.Proxy):
            self._check_traceable()
        forward = self.plain.forward
        return on_images(forward, x) if self.minds_padding else forward(x)

    def _check_traceable(self) -> None:
        """mmengine's efficient_conv_bn_eval, which traces, would run neither a norm nor its SE."""
        for name, block in attached_se(self).items():
            if block.attach_hook is not None and isinstance(self.get_submodule(name), _BatchNorm):
                raise ValueError(
                    f"efficient_conv_bn_eval (and any other tracing by torch.fx) would leave out "
                    f"SE behind the batch norm {name}: take it out of the config"
                )

    def train(self, mode: bool = True) -> SEBackbone:
        """Switch to training as the plain backbone does, or to inference."""
        self.training = mode
        keep_attached(self)
        self.plain.train(mode)
        return self

    def init_random(self) -> None:
        """Initialize as the plain backbone does, which leaves SE as it was built."""
        logs = hasattr(self, "_params_init_info")  # a detector's, of all its modules
        with set_aside(self.plain) as blocks:
            if self.init_cfg:
                initialize(self, self.init_cfg)
            if logs:
                self.plain._params_init_info = self._params_init_info
            if hasattr(self.plain, "init_weights"):
                self.plain.init_weights()
            if logs:
                del self.plain._params_init_info
        for block in blocks.values():
            if hasattr(block, "init_weights") and not isinstance(block, SEBlock):
                block.init_weights()
        self._is_init = True

    def left_out(self, name: str) -> bool:
        """As the plain backbone says."""
        return hasattr(self.plain, "left_out") and self.plain.left_out(name)


def _starts_as_identity(block: nn.Module) -> bool:
    return bool(getattr(block, "identity_init", False))
