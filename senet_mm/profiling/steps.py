"""One pass of a net, ready to be timed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from .complexity import blank_image
from .configured import build_configured
from .executions import EAGER, ONNX, prepared, recorded
from .exported import onnx_pass
from .variants import Policy, build_variant, finish, forward_of, settle

TASKS, PARTS = ("inference", "training"), ("backbone", "detector")
PRECISIONS, LAYOUTS = ("float32", "amp"), ("nchw", "channels_last")


@dataclass(frozen=True)
class Setting:
    """What is timed.

    Attributes:
        task: ``inference`` (no gradients) or ``training`` (forward, backward and an SGD step).
        part: ``backbone`` or ``detector`` (Faster R-CNN with FPN).
        frozen: Whether batch norm has fixed statistics in training, and stem and first stage are
            frozen, as in mmdet's detectors.
        precision: ``float32`` or ``amp`` (autocast: float16 on CUDA, bfloat16 on the CPU).
        layout: ``nchw`` or ``channels_last``.
        batch: Images.
        size: Height and width.
        depth: Depth of the ResNet.
        device: Where.
        configs: Configs whose nets are timed, the baseline first; () for variants of the ResNet.
        execution: ``eager``, ``compiled`` (torch.compile) or, in inference, ``cuda-graph`` or
            ``onnx`` (onnxruntime).
    """

    task: str
    part: str
    frozen: bool
    precision: str
    layout: str
    batch: int
    size: tuple[int, int]
    depth: int = 50
    device: str = "cpu"
    configs: tuple[str, ...] = ()
    execution: str = EAGER

    @property
    def title(self) -> str:
        """In words."""
        nets = "configs'" if self.configs else f"R{self.depth}"
        norm = ", frozen BN" if self.frozen else ", training BN"
        return (
            f"{nets} {self.part}, {self.task}{norm if self.task == 'training' else ''}, "
            f"{self.precision}, {self.layout}, {self.batch}x{self.size[0]}x{self.size[1]}, "
            f"{self.device}{'' if self.execution == EAGER else f', {self.execution}'}"
        )


def make_step(name: str, setting: Setting) -> Callable[[], None]:
    """One pass of a variant, ready to be timed."""
    if setting.configs:
        net = build_configured(
            name, setting.part, baseline=setting.configs[0], frozen=setting.frozen
        )
    else:
        net = build_variant(name, setting.part, depth=setting.depth)
    net = net.to(setting.device)
    images = torch.randn(setting.batch, 3, *setting.size, device=setting.device)
    if setting.layout == "channels_last":
        nn.utils.convert_conv2d_weight_memory_format(net, torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    backbone = getattr(net, "backbone", net)
    settle(backbone, forward_of(name, backbone), images)
    training = setting.task == "training"
    if setting.configs:
        net.train(training)
    else:
        Policy(setting.frozen or not training).apply(net, training=training)
    finish(name, net, setting.part)
    forward = _detector_pass(net, setting) if setting.part == "detector" else forward_of(name, net)
    forward = prepared(setting.execution, forward)
    if setting.execution == ONNX:
        return onnx_pass(forward, images)
    if not training:
        return recorded(setting.execution, _inference(forward, images, setting))
    return _training(net, forward, images, setting)


def _inference(
    forward: Callable[[Tensor], Any], images: Tensor, setting: Setting
) -> Callable[[], None]:
    def step() -> None:
        with torch.no_grad(), _autocast(setting):
            forward(images)

    return step


def _training(
    net: nn.Module, forward: Callable[[Tensor], Any], images: Tensor, setting: Setting
) -> Callable[[], None]:
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    # steps of no size, so that every round does the same work
    optimizer = torch.optim.SGD(parameters, lr=0.0, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with _autocast(setting):
            maps = forward(images)
            maps = [maps] if isinstance(maps, Tensor) else maps
            loss = sum(value.float().mean() for value in maps)
        loss.backward()
        optimizer.step()

    return step


def _detector_pass(net: nn.Module, setting: Setting) -> Callable[[Tensor], list[Tensor]]:
    """The detector's losses on some boxes, or its predictions."""
    height, width = setting.size
    samples = []
    for _ in range(setting.batch):
        (sample,) = blank_image(setting.size)[1]
        boxes = torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.4, 0.3, 0.9, 0.8]], device=setting.device)
        boxes = boxes * boxes.new_tensor([width, height, width, height])
        sample.gt_instances = InstanceData(
            bboxes=boxes, labels=torch.tensor([1, 7], device=setting.device)
        )
        samples.append(sample)

    def predict(images: Tensor) -> list[DetDataSample]:
        return net(images, samples, mode="predict")

    def losses(images: Tensor) -> list[Tensor]:
        torch.manual_seed(0)  # the same proposals are drawn in every round
        values = net(images, samples, mode="loss").values()
        return [
            part
            for value in values
            for part in (value if isinstance(value, list) else [value])
            if part.requires_grad
        ]

    return losses if setting.task == "training" else predict


def _autocast(setting: Setting) -> contextlib.AbstractContextManager[None]:
    if setting.precision == "float32":
        return contextlib.nullcontext()
    kind = torch.device(setting.device).type
    return torch.autocast(kind, torch.float16 if kind == "cuda" else torch.bfloat16)
