"""torchvision's detectors on our backbones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from senet_mm.backbones import SEResNet, TorchvisionBody, create_backbone

STAGES = {f"layer{stage}": str(stage - 1) for stage in (1, 2, 3, 4)}
TARGET = dict(boxes=torch.tensor([[8.0, 8, 50, 60]]), labels=torch.tensor([1]))


def small(**options: Any) -> SEResNet:
    return SEResNet(18, base_channels=16, stem_channels=16, **options)


def train_step(detector: nn.Module) -> dict[str, torch.Tensor]:
    losses = detector.train()([torch.rand(3, 64, 80)], [TARGET])
    sum(losses.values()).backward()
    return losses


@torch.no_grad()
def test_the_same_maps_as_torchvisions_own_of_a_resnet(randomize) -> None:
    theirs = randomize(BackboneWithFPN(small(), STAGES, small().channels, 16)).eval()
    ours = TorchvisionBody(small(), 16).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 3, 64, 96)
    found, expected = ours(x), theirs(x)
    assert [*found] == [*expected] == ["0", "1", "2", "3", "pool"]
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-5)


def test_faster_rcnn_trains_and_what_is_frozen_stays() -> None:
    body = small(frozen_stages=1, norm_eval=True)
    detector = FasterRCNN(TorchvisionBody(body, 16), num_classes=2, min_size=64, max_size=96)
    before = body.layer2[0].bn1.running_mean.clone()
    losses = train_step(detector)
    assert all(torch.isfinite(loss) for loss in losses.values()) and len(losses) == 4
    assert torch.equal(body.layer2[0].bn1.running_mean, before)
    assert body.layer1[0].conv1.weight.grad is None
    gate = body.layer4[0].se.fc1.weight.grad
    assert gate is not None and gate.abs().sum() > 0
    (found,) = detector.eval()([torch.rand(3, 64, 80)])
    assert found["boxes"].shape[1] == 4 and detector.backbone is not None


def test_a_single_map_needs_no_pyramid() -> None:
    body = create_backbone("se_shufflenet", out_indices=(3,))
    backbone = TorchvisionBody(body)
    assert backbone.out_channels == 960
    anchors = AnchorGenerator(sizes=((16, 32),), aspect_ratios=((1.0,),))
    detector = FasterRCNN(backbone, 2, rpn_anchor_generator=anchors, min_size=64, max_size=96)
    assert all(torch.isfinite(loss) for loss in train_step(detector).values())


def test_retinanets_levels() -> None:
    body = small(out_indices=(1, 2, 3))
    backbone = TorchvisionBody(body, 16, extra_blocks=LastLevelP6P7(16, 16))
    assert [*backbone(torch.rand(1, 3, 64, 64))] == ["0", "1", "2", "p6", "p7"]
    losses = train_step(RetinaNet(backbone, num_classes=2, min_size=64, max_size=96))
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_maps_of_several_widths_need_a_pyramid() -> None:
    with pytest.raises(
        ValueError, match=r"maps have \[16, 32, 64, 128\] channels.*out_channels=256"
    ):
        TorchvisionBody(small())


def test_what_is_no_body() -> None:
    with pytest.raises(TypeError, match="body=Conv2d: expected a backbone of senet_mm"):
        TorchvisionBody(nn.Conv2d(3, 4, 1), 16)
    with pytest.raises(ValueError, match="out_channels=0: expected 1 or more, or None"):
        TorchvisionBody(small(), 0)
