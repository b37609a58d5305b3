"""Parameters and multiply-adds, SE's own work included."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmcv.ops import DeformConv2d, ModulatedDeformConv2d
from mmdet.models.backbones import ResNet
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ..layers import SEBlock
from ..layers.attach import plain_of


@dataclass(frozen=True)
class Cost:
    """What a part of a net costs for one image.

    Attributes:
        name: The part, such as ``layer1``; paper stage N is ``layer{N-1}``.
        parameters: Its parameters, frozen ones included.
        multiply_adds: Its multiply-adds (what papers call FLOPs).
        one_pass: Those with one operation per element of SE's maps, see :class:`MultiplyAdds`.
    """

    name: str
    parameters: int
    multiply_adds: int
    one_pass: int


class MultiplyAdds(FlopCounterMode):
    """Count the multiply-adds of what runs inside the context.

    Convolutions and matrix products count as in torch's own counter, and of
    each SE block its pooling (one addition per element), its gate (one per
    channel) and its scale (one product per element). A deformable convolution
    counts as the plain one of its shape. Batch norm, activations and sums do
    not count, as in the paper's tables.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(display=False)
        self._model = model
        self._uncounted = 0  # what torch's counter does not see
        self._pooling_and_gates = 0

    @property
    def total(self) -> int:
        """Multiply-adds so far."""
        return self.one_pass + self._pooling_and_gates

    @property
    def one_pass(self) -> int:
        """Those without SE's pooling and gates: of its maps, the scale alone counts.

        The paper does not say what it counts; its MobileNet's figures need this.
        """
        return self.get_total_flops() // 2 + self._uncounted

    def __enter__(self) -> MultiplyAdds:
        self._hooks = []
        for module in self._model.modules():
            if isinstance(module, SEBlock):
                self._hooks.append(module.register_forward_hook(self._count_block))
            elif isinstance(module, (DeformConv2d, ModulatedDeformConv2d)):
                self._hooks.append(module.register_forward_hook(self._count_deformable))
        super().__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        for hook in self._hooks:
            hook.remove()

    def _count_block(self, block: SEBlock, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        size = inputs[0].numel()
        pooled = block.pools
        gates = output.shape[0] * output.shape[1] if pooled else size
        self._pooling_and_gates += (size if pooled else 0) + gates
        self._uncounted += size

    def _count_deformable(
        self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        self._uncounted += output.numel() * module.get_parameter("weight")[0].numel()


def build_detector(cfg: Config) -> nn.Module:
    """Build the model of a config on the CPU, in eval mode, with no weights loaded."""
    return _build(cfg.model)


def count_parameters(model: nn.Module) -> int:
    """Number of parameters, frozen ones included."""
    return sum(parameter.numel() for parameter in model.parameters())


def blank_image(
    size: tuple[int, int], device: torch.device | str = "cpu"
) -> tuple[Tensor, list[DetDataSample]]:
    """What a detector's ``forward`` takes: a batch of one empty image of a height and width."""
    sample = DetDataSample(
        metainfo=dict(
            img_shape=size,
            ori_shape=size,
            pad_shape=size,
            batch_input_shape=size,
            scale_factor=(1, 1),
        )
    )
    return torch.zeros(1, 3, *size, device=device), [sample]


@torch.no_grad()
def stage_costs(backbone: nn.Module, size: tuple[int, int]) -> list[Cost]:
    """Cost of a backbone: of mmdet's ResNet and its relatives by stem and stage, and in total.

    Args:
        backbone: Any backbone, in eval mode.
        size: Height and width of the image, in pixels.
    """
    plain = plain_of(backbone)
    names = list(plain.res_layers) if isinstance(plain, ResNet) else []
    stages = [backbone.get_submodule(name) for name in names]
    after = []  # multiply-adds when each part was done
    with MultiplyAdds(backbone) as counter:

        def record(*_: object) -> None:
            after.append((counter.total, counter.one_pass))

        hooks = [stage.register_forward_pre_hook(record) for stage in stages[:1]]
        hooks += [stage.register_forward_hook(record) for stage in stages]
        backbone(torch.zeros(1, 3, *size))
        total = Cost("total", count_parameters(backbone), counter.total, counter.one_pass)
    for hook in hooks:
        hook.remove()
    parameters = [count_parameters(stage) for stage in stages]
    parts = zip(["stem", *names], [total.parameters - sum(parameters), *parameters], strict=True)
    costs, before = [], (0, 0)
    for (name, count), now in zip(parts, after, strict=False):
        costs.append(Cost(name, count, now[0] - before[0], now[1] - before[1]))
        before = now
    return [*costs, total]


def eq_5(backbone: nn.Module) -> int:
    """Parameters that Eq. 5 predicts SE to add: 2 * C * C / r per block, without biases."""
    blocks = (module for module in backbone.modules() if isinstance(module, SEBlock))
    return sum(2 * block.fc1.in_channels * block.fc1.out_channels for block in blocks)


def build_backbone(cfg: Config) -> nn.Module:
    """Build the backbone of a config on the CPU, in eval mode, with no weights loaded."""
    return _build(cfg.model.backbone)


def _build(cfg: ConfigDict) -> nn.Module:
    with DefaultScope.overwrite_default_scope("mmdet"):
        module = MODELS.build(copy.deepcopy(cfg))
    # not chained: eval() of mmdet's modules may return None
    module.eval()
    return module


def with_classifier(total: Cost, widths: Sequence[int]) -> Cost:
    """The cost with a classifier on top, which the paper's figures include.

    Args:
        total: What the backbone costs.
        widths: Inputs of its first layer, of the next one, ..., and the classes.
    """
    layers = list(zip(widths, widths[1:], strict=False))
    products = sum(before * after for before, after in layers)
    parameters = total.parameters + products + sum(after for _, after in layers)
    name = "with classifier"
    return Cost(name, parameters, total.multiply_adds + products, total.one_pass + products)
