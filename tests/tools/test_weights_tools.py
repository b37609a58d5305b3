"""Weights through the command lines: converted, loaded into a training, refused in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import timm
import torch

SE = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
PORTED = ["model.backbone.stem_pool=ceil", "model.backbone.se_cfg.branch_relu=True"]


@pytest.fixture
def ported(tmp_path: Path) -> Path:
    """Random weights of timm's legacy_seresnet18."""
    path = tmp_path / "seresnet18.pth"
    torch.save(timm.create_model("legacy_seresnet18", pretrained=False).state_dict(), path)
    return path


def test_convert_there_and_back(tool, ported: Path, tmp_path: Path) -> None:
    printed = tool("convert_weights.py", ported, tmp_path / "ours.pth")
    assert "'stem_pool': 'ceil'" in printed and "'branch_relu': True" in printed
    assert re.search(r"\| renamed +\| 38 ", printed)
    (ours,) = tmp_path.glob("ours-*.pth")
    assert f"Written: {ours}" in printed
    again = tool("convert_weights.py", ported, tmp_path / "ours.pth", error=True)
    assert "exists already: --force replaces it" in again
    tool("convert_weights.py", ported, tmp_path / "ours.pth", "--force")
    assert list(tmp_path.glob("ours-*")) == [ours]
    tool("convert_weights.py", ours, tmp_path / "back.pth", "--to", "timm")
    (back,) = tmp_path.glob("back-*.pth")
    weights, original = torch.load(back)["state_dict"], torch.load(ported)
    assert weights.keys() == original.keys()
    assert all(torch.equal(weights[key], original[key]) for key in original)


def test_convert_bad_input(tool, ported: Path, tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_text("<html>404</html>")
    (tmp_path / "half.pth").write_bytes(ported.read_bytes()[:50_000])
    torch.save({"x": torch.zeros(1), "run": re.compile("a")}, tmp_path / "pickle.pth")
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    out = tmp_path / "out" / "x.pth"
    for name, message in (
        ("page.pth", "is a web page"),
        ("half.pth", "is truncated or no checkpoint"),
        ("pickle.pth", r"holds Python objects .*--unsafe"),
        ("other.pth", "holds no net of the ResNet family"),
        ("none.pth", "not found"),
        ("timm://seresnet49", "the nearest are"),
    ):
        source = name if "://" in name else tmp_path / name
        assert re.search(message, tool("convert_weights.py", source, out, error=True))
    assert "ends in .pth" in tool("convert_weights.py", ported, tmp_path / "x.bin", error=True)
    assert not out.parent.exists()
    # a trusted file is read, and told what it is
    message = tool("convert_weights.py", tmp_path / "pickle.pth", out, "--unsafe", error=True)
    assert "holds no net of the ResNet family" in message


def test_training_starts_from_a_classifier(tool, ported: Path, shapes_root: Path, tmp_path) -> None:
    base = ["train.py", SE, "--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    options = ["--cfg-options", f"load_from={ported}", "train_cfg.max_epochs=1"]
    options += ["train_cfg.val_interval=2", "optim_wrapper.optimizer.lr=0.0"]
    message = tool(*base, *options, error=True)
    assert "stem_pool='ceil' (the backbone has 'pad')" in message
    tool(*base, *options, *PORTED)
    log = sorted((tmp_path / "w").glob("*/*.log"))[-1].read_text()
    assert "152 of 152 tensors of the backbone loaded; 38 of them renamed" in log
    trained = torch.load(tmp_path / "w" / "epoch_1.pth", weights_only=False)["state_dict"]
    weights = torch.load(ported)
    for theirs, ours in (("layer0.conv1", "conv1"), ("layer4.1.se_module.fc2", "layer4.1.se.fc2")):
        assert torch.equal(trained[f"backbone.{ours}.weight"], weights[f"{theirs}.weight"])


def test_training_with_wrong_init_cfg_stops_in_one_line(tool, shapes_root: Path, tmp_path) -> None:
    config = "senet_mm::ablations/table10_r16.py"
    base = ["train.py", config, "--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    base += ["--cfg-options", "model.backbone.init_cfg.type=Pretrained"]
    for checkpoint, message in (
        (tmp_path / "none.pth", "none.pth not found"),
        ("timm://seresnet50.x", "timm has no weights named 'seresnet50.x'"),
    ):
        option = f"model.backbone.init_cfg.checkpoint={checkpoint}"
        assert message in tool(*base, option, error=True)
