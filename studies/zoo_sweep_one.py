"""One config of mmdet's zoo: builds, takes a training step and predicts, without the network."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub

import senet_mm  # noqa: F401 (makes mmdet importable)

# isort: split
import mmdet
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs, demo_mm_proposals, demo_track_inputs
from mmdet.utils import register_all_modules
from torch import nn

ZOO = Path(mmdet.__file__).parent / ".mim" / "configs"
TWINS = {"ResNet": "SEResNet", "ResNetV1d": "SEResNetV1d", "ResNeXt": "SEResNeXt"}
# sides of the pictures where 128 is too small: for the strides of SSD, for 900 queries
SIZES = {"ssd": 300} | dict.fromkeys(("ddq", "dino", "grounding_dino", "v3det"), 256)
VIDEO = ("MaskTrackRCNN", "Mask2FormerVideo")
FEWER = {"num": 64, "max_per_img": 100}  # regions sampled for the losses, regions and boxes kept


def sweep_one(config: Path, *, se: bool = False) -> str:
    """Build the detector of a config, take a training step and predict.

    Args:
        config: A config of mmdet's zoo.
        se: Whether to put our backbone in the place of a ResNet or ResNeXt.

    Returns:
        ``"ok"``, ``"no detector"`` if the config has none or ``"no twin"`` for another backbone.
    """
    register_all_modules()
    cfg = Config.fromfile(config)
    if not is_detector(cfg):
        return "no detector"
    # what trackers and semi-supervised training wrap is a detector with inputs like any other
    wrapped = cfg.model.get("detector", {})
    model_cfg = small(cfg.model)
    if "type" in wrapped:
        model_cfg = small(wrapped | dict(data_preprocessor=dict(type="DetDataPreprocessor")))
    model_cfg.get("data_preprocessor", {}).pop("batch_augments", None)  # they enlarge the pictures
    if se:
        backbone = model_cfg.get("backbone", {})
        if backbone.get("type") not in TWINS:
            return "no twin"
        backbone.type = TWINS[backbone.type]
    torch.manual_seed(0)
    model = MODELS.build(model_cfg)
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


def small(node: object) -> object:
    """A copy of a config for one CPU: no weights to fetch, fewer regions, no synchronisation."""
    if isinstance(node, dict):
        return ConfigDict({key: _small_value(key, value) for key, value in node.items()})
    if isinstance(node, list | tuple):
        return type(node)(map(small, node))
    return node


def _small_value(key: str, value: object) -> object:
    if key == "teacher_ckpt" or (key == "pretrained" and isinstance(value, str)):
        return None
    if key == "init_cfg" and isinstance(value, dict) and "checkpoint" in value:
        return None
    if key == "type" and value in ("SyncBN", "MMSyncBN"):
        return "BN"
    if key in FEWER and isinstance(value, int):
        return min(value, FEWER[key])
    return False if key == "pretrained" else small(value)


def make_data(model_cfg: ConfigDict, size: int) -> dict:
    """Two random pictures with boxes, a semantic map and, if needed, masks and proposals."""
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
        with_mask="mask" in repr(model_cfg).lower(),
        with_semantic=True,
    )
    for sample, proposals in zip(data["data_samples"], demo_mm_proposals(shapes, 50), strict=True):
        if "rpn_head" not in model_cfg:
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
