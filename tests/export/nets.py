"""Small detectors of every kind, with weights that find many objects."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.complexity import build_detector
from senet_mm.shapes.render import render_scene

CONFIGS = {
    "faster": "faster_rcnn_r50_fpn.py",
    "mask": "mask_rcnn_r50_fpn.py",
    "cascade": "cascade_mask_rcnn_r50_fpn.py",
    "retina": "retinanet_r50_fpn.py",
    "fcos": "fcos_r50_fpn.py",
}
CLASSES = ("square", "triangle", "star")
_WIDTH = 16


def small_config(kind: str, *, se: bool) -> Config:
    """One of our configs at a narrow ResNet-18: narrow heads, three classes, small pictures."""
    cfg = Config.fromfile(config_path(CONFIGS[kind]))
    model = cfg.model
    model.backbone.update(depth=18, base_channels=_WIDTH, init_cfg=None)
    if se:
        model.backbone.update(type="SEResNet", se_cfg=dict(reduction=4))
    model.neck.update(in_channels=[_WIDTH, 2 * _WIDTH, 4 * _WIDTH, 8 * _WIDTH], out_channels=_WIDTH)
    for name in ("rpn_head", "bbox_head"):
        if name in model:
            model[name].update(in_channels=_WIDTH, feat_channels=_WIDTH)
    if "bbox_head" in model:
        model.bbox_head.update(num_classes=3, stacked_convs=1)
        if kind == "fcos":
            model.bbox_head.norm_cfg = dict(type="GN", num_groups=4, requires_grad=True)
    if "roi_head" in model:
        roi = model.roi_head
        roi.bbox_roi_extractor.out_channels = _WIDTH
        for head in roi.bbox_head if kind == "cascade" else [roi.bbox_head]:
            head.update(in_channels=_WIDTH, fc_out_channels=32, num_classes=3)
        if "mask_head" in roi:
            roi.mask_roi_extractor.out_channels = _WIDTH
            roi.mask_head.update(
                in_channels=_WIDTH, conv_out_channels=_WIDTH, num_convs=1, num_classes=3
            )
        model.test_cfg.rpn.update(nms_pre=100, max_per_img=60)
    else:
        model.test_cfg.nms_pre = 100
    cfg.test_dataloader.dataset.pipeline[1].scale = (160, 112)
    cfg.test_dataloader.dataset.metainfo = dict(classes=CLASSES)
    return cfg


def small_detector(kind: str, *, se: bool) -> nn.Module:
    """A detector of :func:`small_config` with seeded weights, some of which are made larger."""
    torch.manual_seed(0)
    model = build_detector(small_config(kind, se=se))
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    for name, parameter in model.named_parameters():
        if name.endswith(("fc_cls.weight", "fc_reg.weight", "conv_logits.weight")):
            nn.init.normal_(parameter, std=0.3)
        if name.endswith(("rpn_cls.weight", "rpn_reg.weight", "retina_reg.weight")):
            nn.init.normal_(parameter, std=0.1)
        if name.endswith(("retina_cls.weight", "conv_cls.weight")):  # scores of 1 are ties
            nn.init.normal_(parameter, std=0.1)
        if name.endswith(("retina_cls.bias", "conv_cls.bias")):
            nn.init.constant_(parameter, -2.0)
    return model


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A generated picture, as ``cv2.imread`` gives it."""
    rng = np.random.default_rng(seed)
    whole = render_scene(rng, height=200, width=300, num_objects=6, light="warm").image
    return cv2.resize(whole, (width, height))
