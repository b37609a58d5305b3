"""One config of mmdet's zoo: builds, takes a training step and predicts, without the network."""

from __future__ import annotations

from pathlib import Path

import mmengine.model
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub

import senet_mm  # noqa: F401 (makes mmdet importable)

# isort: split
import mmdet
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs, demo_mm_proposals, demo_track_inputs
from torch import nn

ZOO = Path(mmdet.__file__).parent / ".mim" / "configs"
TWINS = {"ResNet": "SEResNet", "ResNetV1d": "SEResNetV1d", "ResNeXt": "SEResNeXt"}
SIZES = {"ssd": 300}  # sides of the pictures where 128 is too small for the network
VIDEO = ("MaskTrackRCNN", "Mask2FormerVideo")


def sweep_one(config: Path, *, se: bool = False) -> str:
    """Build the detector of a config, take a training step and predict.

    Args:
        config: A config of mmdet's zoo.
        se: Whether to put our backbone in the place of a ResNet or ResNeXt.

    Returns:
        ``"ok"``, ``"no detector"`` if the config has none or ``"no twin"`` for another backbone.
    """
    cfg = Config.fromfile(config)
    if not is_detector(cfg):
        return "no detector"
    # what trackers and semi-supervised training wrap is a detector with inputs like any other
    model_cfg = offline(cfg.model.get("detector", cfg.model))
    model_cfg.setdefault("data_preprocessor", dict(type="DetDataPreprocessor"))
    model_cfg.data_preprocessor.pop("batch_augments", None)  # they enlarge the pictures
    if se:
        backbone = model_cfg.get("backbone", {})
        if backbone.get("type") not in TWINS:
            return "no twin"
        backbone.type = TWINS[backbone.type]
    torch.manual_seed(0)
    # synchronised batch norm has no kernel on the CPU
    model = mmengine.model.revert_sync_batchnorm(MODELS.build(model_cfg))
    model.init_weights()
    data = make_data(model_cfg, SIZES.get(config.parent.name, 128))
    MessageHub.get_current_instance().update_info_dict(dict(iter=0, epoch=0))  # some losses ask
    train_step(model, data)
    model.eval()
    one = {key: values[:1] for key, values in data.items()}  # as mmdet tests, and some have to
    with torch.no_grad():
        model(**model.data_preprocessor(one, False), mode="predict")
    return "ok"


def is_detector(cfg: Config) -> bool:
    """Whether a config builds a detector; some are of data alone or of networks for trackers."""
    return "model" in cfg and "type" in cfg.model and "ReID" not in cfg.model.type


def offline(node: object) -> object:
    """A copy of a config without weights to fetch."""
    if isinstance(node, dict):
        if node.get("type") == "Pretrained":
            return None
        return ConfigDict(
            {k: False if k == "pretrained" and v is True else offline(v) for k, v in node.items()}
            | {k: None for k in ("teacher_ckpt",) if k in node}
            | {k: None for k, v in node.items() if k == "pretrained" and isinstance(v, str)}
        )
    if isinstance(node, list | tuple):
        return type(node)(map(offline, node))
    return node


def make_data(model_cfg: ConfigDict, size: int) -> dict:
    """Two random pictures with boxes, masks, proposals and a semantic map."""
    num_classes = min(numbers_of_classes(model_cfg), default=2)
    shapes = [(3, size, size)] * 2
    if model_cfg.type in VIDEO:
        return demo_track_inputs(
            1, 2, key_frames_inds=[0], image_shapes=shapes[:1], num_items=[4], with_mask=True
        )
    data = demo_mm_inputs(
        2,
        shapes,
        num_items=[4, 4],
        num_classes=min(max(num_classes, 2), 255),  # the semantic map has 8 bits
        with_mask=True,
        with_semantic=True,
    )
    for sample, proposals in zip(data["data_samples"], demo_mm_proposals(shapes, 50), strict=True):
        sample.proposals = proposals
        sample.gt_instances.labels %= num_classes  # for a detector of one class
    return data


def numbers_of_classes(node: object) -> list[int]:
    """All that the heads of a config say."""
    if isinstance(node, dict):
        own = node.get("num_classes", node.get("num_things_classes"))
        rest = [n for value in node.values() for n in numbers_of_classes(value)]
        return rest + [own] * isinstance(own, int)
    if isinstance(node, list | tuple):
        return [n for value in node for n in numbers_of_classes(value)]
    return []


def train_step(model: nn.Module, data: dict) -> None:
    """Losses and gradients; both must be finite."""
    model.train()
    loss, _ = model.parse_losses(model(**model.data_preprocessor(data, True), mode="loss"))
    loss.backward()
    if not loss.isfinite():
        raise ArithmeticError(f"the loss is {loss.item()}")
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            raise ArithmeticError(f"the gradient of {name} is not finite")
