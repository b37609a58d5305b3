"""mmengine loads hf://OWNER/REPO by our reader."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmdet.models.backbones import ResNet
from mmengine.runner.checkpoint import CheckpointLoader

from tests.fake_hub import FakeHub, running

save = pytest.importorskip("safetensors.torch").save
pytest.importorskip("huggingface_hub")


def test_a_plain_backbone_of_mmdets(tmp_path: Path) -> None:
    net = ResNet(18)
    hub = FakeHub({"me/net": {"model.safetensors": save(net.state_dict())}})
    with running(hub, tmp_path):
        loaded = CheckpointLoader.load_checkpoint("hf://me/net", map_location="cpu")
        assert loaded.keys() == {"state_dict", "meta"}
        init_cfg = dict(type="Pretrained", checkpoint="hf://me/net/model.safetensors")
        other = ResNet(18, init_cfg=init_cfg)
        other.init_weights()
    for name, tensor in net.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name
