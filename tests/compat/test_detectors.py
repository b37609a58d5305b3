"""mmdet's common detectors train and predict with the ops that this mmcv has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from torch import nn

import senet_mm  # noqa: F401 (makes mmdet importable)

# isort: split
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs
from mmdet.utils import register_all_modules

from tests.compat.test_mmcv_ops import COMPILED

CONFIGS = {
    "faster_rcnn": "mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py",
    "mask_rcnn": "mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py",
    "retinanet": "mmdet::retinanet/retinanet_r50_fpn_1x_coco.py",
    "fcos": "mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py",
    "dcn": "mmdet::dcn/faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco.py",
    "dcnv2": "mmdet::dcnv2/faster-rcnn_r50-mdconv-c3-c5_fpn_1x_coco.py",
    "dyhead": "mmdet::dyhead/atss_r50_fpn_dyhead_1x_coco.py",
    "dpool": "mmdet::dcn/faster-rcnn_r50_fpn_dpool_1x_coco.py",
    "mdpool": "mmdet::dcnv2/faster-rcnn_r50_fpn_mdpool_1x_coco.py",
    "carafe": "mmdet::carafe/mask-rcnn_r50_fpn-carafe_1x_coco.py",
    "guided_anchoring": "mmdet::guided_anchoring/ga-retinanet_r50_fpn_1x_coco.py",
}
# they need ops that compiled mmcv has for CUDA alone
CUDA_ONLY = ("dpool", "mdpool", "carafe", "guided_anchoring")


SMALLER = {256: 32, 1024: 32, 80: 4}  # channels of neck and heads, hidden units, classes


def _small(node: object) -> object:
    """The same detector with fewer channels and classes and without weights from the network."""
    if isinstance(node, dict):
        return {k: _small(v) for k, v in node.items() if k != "init_cfg" or v.type != "Pretrained"}
    if isinstance(node, list | tuple):
        return type(node)(map(_small, node))
    return SMALLER.get(node, node) if isinstance(node, int) else node


def _model(config_name: str) -> nn.Module:
    model = get_config(CONFIGS[config_name]).model
    backbone, neck_inputs = model.backbone, [32, 64, 128, 256]
    backbone.base_channels = neck_inputs[0] // 4
    model = ConfigDict(_small(model))
    first_neck = model.neck[0] if isinstance(model.neck, list) else model.neck
    first_neck.in_channels = neck_inputs
    return MODELS.build(model)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Work this small only waits for its threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.slow
def test_detector_trains_and_predicts(name: str) -> None:
    if COMPILED and name in CUDA_ONLY:
        pytest.skip("compiled mmcv has no CPU kernel for its ops")
    register_all_modules()
    torch.manual_seed(0)
    model = _model(name)
    model.init_weights()
    shapes = [[3, 96, 128], [3, 96, 96]]  # the smallest that compiled deformable convolutions take
    data = demo_mm_inputs(2, shapes, num_classes=4, with_mask=name in ("mask_rcnn", "carafe"))

    model.train()
    losses, _ = model.parse_losses(model(**model.data_preprocessor(data, True), mode="loss"))
    losses.backward()
    assert losses.isfinite()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    assert any(p.grad is not None for p in model.backbone.parameters())

    model.eval()
    batches = [data]
    if name == "guided_anchoring":  # mmcv's masked convolution takes no batch
        batches = [{key: values[i : i + 1] for key, values in data.items()} for i in range(2)]
    with torch.no_grad():
        results = [
            result
            for batch in batches
            for result in model(**model.data_preprocessor(batch, False), mode="predict")
        ]
    assert len(results) == 2
    assert all(r.pred_instances.bboxes.isfinite().all() for r in results)
