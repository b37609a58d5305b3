"""The five nets of BCCD: what they differ in, and that each of them learns."""

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from senet_mm.profiling.complexity import build_backbone, count_parameters
from tests.configs.reading import differences, read

PLAIN = "bccd/faster_rcnn_r18_bccd.py"
# two units in each of the stages of 64, 128, 256 and 512 channels, r = 16: weights and biases
PER_STAGE = [2 * (2 * c * (c // 16) + c + c // 16) for c in (64, 128, 256, 512)]
# ECA's kernels grow with the logarithm of the channels
ADDED = {
    "bccd/faster_rcnn_se_r18_bccd.py": sum(PER_STAGE),
    "bccd/faster_rcnn_se_r18_bccd_identity.py": sum(PER_STAGE),
    "bccd/faster_rcnn_se_r18_bccd_without_last_stage.py": sum(PER_STAGE[:3]),
    "bccd/faster_rcnn_eca_r18_bccd.py": 2 * (3 + 5 + 5 + 5),
}


@pytest.mark.parametrize(("name", "parameters"), ADDED.items())
def test_attention_is_all_that_differs(name: str, parameters: int) -> None:
    plain, other = read(PLAIN), read(name)
    assert count_parameters(build_backbone(other)) == parameters + count_parameters(
        build_backbone(plain)
    )
    backbone = ".model.backbone."
    differ = {key.removeprefix(backbone) for key in differences(plain, other)}
    assert "type" in differ and all(key.startswith("se_cfg.") for key in differ - {"type"})
    assert (plain.model.backbone.type, other.model.backbone.type) == ("ResNet", "SEResNet")


@pytest.mark.parametrize("name", [PLAIN, *ADDED])
def test_a_training_step_reaches_all_parameters(name: str) -> None:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmdet"):
        model = MODELS.build(copy.deepcopy(read(name).model))
    model.train()
    cells = [[4.0, 4.0, 30.0, 28.0], [30.0, 10.0, 60.0, 40.0], [50.0, 30.0, 60.0, 40.0]]
    sample = DetDataSample(
        metainfo=dict(img_shape=(48, 64)),
        gt_instances=InstanceData(bboxes=torch.tensor(cells), labels=torch.tensor([0, 1, 2])),
    )
    data = dict(
        inputs=2 * [torch.randint(0, 255, (3, 48, 64), dtype=torch.uint8)],
        data_samples=[sample, copy.deepcopy(sample)],
    )
    losses = model(**model.data_preprocessor(data, training=True), mode="loss")
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.isfinite()
    unreached = {key for key, value in model.named_parameters() if value.grad is None}
    assert not unreached
