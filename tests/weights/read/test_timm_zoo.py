"""timm:// by our backbones and by mmengine: from timm's own cache, and where timm is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from mmengine.runner import load_checkpoint

from senet_mm.backbones import SEResNet, TimmBackbone
from senet_mm.weights.read.sources import fetch
from senet_mm.weights.recognize.normalization import IMAGENET_RGB

LOAD = """
import json, sys, torch, senet_mm
from mmengine.runner.checkpoint import CheckpointLoader
from mmdet.registry import MODELS
init_cfg = dict(type="Pretrained", checkpoint="timm://seresnet50.a1_in1k")
model = MODELS.build(dict(type="SEResNet", depth=50, init_cfg=init_cfg))
model.init_weights()
weights = CheckpointLoader.load_checkpoint("timm://seresnet50.a1_in1k")["state_dict"]
same = [torch.equal(model.state_dict()[key], weights[key]) for key in model.state_dict()]
print("RESULT", json.dumps([len(same), all(same), float(weights["fc.bias"].sum())]))
"""


@pytest.mark.slow
def test_timm_weights_come_from_the_hubs_cache(tmp_path: Path, repo: Path) -> None:
    """The real path through timm and the hub, offline, with random weights in the cache."""
    net = timm.create_model("seresnet50", pretrained=False)
    torch.nn.init.constant_(net.fc.bias, 0.25)
    cache = tmp_path / "hub" / "models--timm--seresnet50.a1_in1k"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("abc")
    (cache / "snapshots" / "abc").mkdir(parents=True)
    safetensors.torch.save_file(net.state_dict(), cache / "snapshots" / "abc" / "model.safetensors")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD],
        env=os.environ | dict(HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1", PYTHONPATH=str(repo)),
        capture_output=True,
        text=True,
        check=True,
    )
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    assert json.loads(result.removeprefix("RESULT")) == [382, True, 250.0]
    assert "382 of 382 tensors of the backbone loaded" in done.stdout


def test_timm_weights_by_url_are_renamed(torch_home: Path) -> None:
    net = timm.create_model("legacy_seresnet18", pretrained=False)
    cached = torch_home / Path(timm.get_pretrained_cfg("legacy_seresnet18").url).name
    torch.save(net.state_dict(), cached)
    source = "timm://legacy_seresnet18.in1k"
    options = dict(stem_pool="ceil", se_cfg=dict(branch_relu=True))
    model = SEResNet(18, **options, init_cfg=dict(type="Pretrained", checkpoint=source))
    model.init_weights()
    assert torch.equal(model.conv1.weight, net.layer0.conv1.weight)
    # through mmengine's own loader, our names and the classifier's
    other = SEResNet(18, **options)
    loaded = load_checkpoint(other, source)
    assert {"conv1.weight", "layer1.0.se.fc1.weight", "fc.weight"} <= loaded["state_dict"].keys()
    for key, tensor in other.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[key]), key
    # and under timm's own names, as any of its networks
    init_cfg = dict(type="Pretrained", checkpoint=source)
    backbone = TimmBackbone("legacy_seresnet18", init_cfg=init_cfg)
    backbone.init_weights()
    assert backbone.load_report.is_complete
    assert backbone.load_report.preprocessing == IMAGENET_RGB
    assert backbone.load_report.others == ("last_linear.weight", "last_linear.bias")
    for key, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, net.state_dict()[key.removeprefix("timm_model.")]), key


def test_timm_missing(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"timm:// weights need timm: pip install timm"):
        fetch("timm://seresnet50.a1_in1k")


@pytest.mark.parametrize("name", ["seresnet33ts.ra2_in1k", "seresnextaa101d_32x8d.ah_in1k"])
def test_resnets_take_no_other_net_and_are_told_before_it_is_fetched(name: str) -> None:
    told = f"{name} is of timm, but no net of mmdet's ResNet family.*'TimmBackbone', model_name="
    for load in (
        lambda: SEResNet(
            50, init_cfg=dict(type="Pretrained", checkpoint=f"timm://{name}")
        ).init_weights(),
        lambda: load_checkpoint(SEResNet(50), f"timm://{name}"),
    ):
        with pytest.raises(ValueError, match=told):
            load()
