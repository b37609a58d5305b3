"""Weights through the command lines: converted, loaded into a training, refused in one line."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.complexity import build_detector
from senet_mm.runs.data.data_root import set_data_root
from senet_mm.weights.read import sources
from senet_mm.weights.read.checkpoint import Checkpoint
from tests.backbones.references import PlainShuffleNet

pytestmark = pytest.mark.slow

PLAIN = "senet_mm::demo/faster_rcnn_r18_fpn_shapes.py"
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
    # another format than mmengine's, and what only its owner knows
    message = tool("convert_weights.py", ported, out, "--backbone", "style=x", error=True)
    assert "style='x'" in message
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


def training(root: Path, work_dir: Path, config: str, *options: str) -> list[object]:
    """One epoch that changes nothing but the statistics of batch norm."""
    settings = [
        "train_cfg.max_epochs=1",
        "train_cfg.val_interval=2",
        "optim_wrapper.optimizer.lr=0",
    ]
    places = ["--data-root", root, "--work-dir", work_dir, "--seed", "0"]
    return ["train.py", config, *places, "--cfg-options", *settings, *options]


def pretrained(part: str, path: Path) -> tuple[str, ...]:
    options = ("_delete_=True", "type=Pretrained", f"checkpoint={path}")
    return tuple(f"{part}.init_cfg.{option}" for option in options)


@pytest.fixture
def bad_files(ported: Path, tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Files that must not reach mmengine, with what is said of them."""
    weights = timm.create_model("resnet18", pretrained=False).state_dict()
    files = {name: tmp_path / f"{name}.pth" for name in ("evil", "page", "half")}
    proof = tmp_path / "ran"
    torch.save(weights | {"x": RunsCode(proof)}, files["evil"])
    files["page"].write_text("<html>404</html>")
    files["half"].write_bytes(ported.read_bytes()[:50_000])
    files["tensors"] = tmp_path / "tensors.safetensors"
    safetensors.torch.save_file(weights, files["tensors"])
    messages = ("can run code", "is a web page", "is truncated", "mmengine, which loads .* convert")
    return {name: (files[name], text) for name, text in zip(files, messages, strict=True)}


class RunsCode:
    """A pickle that makes a folder when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def test_no_bad_file_reaches_mmengine(tool, bad_files, shapes_root: Path, tmp_path: Path) -> None:
    work_dir = tmp_path / "w"
    for path, message in bad_files.values():
        for options in (
            pretrained("model.backbone", path),
            pretrained("model", path),
            (f"load_from={path}",),
        ):
            arguments = training(shapes_root, work_dir, PLAIN, *options)
            assert re.search(message, tool(*arguments, error=True)), (path, options)
        (work_dir / "last_checkpoint").parent.mkdir(exist_ok=True)
        (work_dir / "last_checkpoint").write_text(str(path))
        resumed = [*training(shapes_root, work_dir, PLAIN), "--resume"]
        of_no_training = "is no checkpoint of a training" if path.suffix == ".safetensors" else None
        assert re.search(of_no_training or message, tool(*resumed, error=True)), path
        tested = ["test.py", PLAIN, path, "--data-root", shapes_root, "--work-dir", work_dir]
        assert re.search(message, tool(*tested, error=True)), path
    assert not (tmp_path / "ran").exists()


def test_a_wrapped_detector_is_loaded_whole(tool, shapes_root: Path, tmp_path: Path) -> None:
    """Through mmengine's runner and mmdet's inferencer: neck and heads, and the averaged ones."""
    cfg = Config.fromfile(config_path("demo/faster_rcnn_se_r18_fpn_shapes.py"))
    set_data_root(cfg, shapes_root)
    model = build_detector(cfg)
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
    weights = model.state_dict()
    path = tmp_path / "x.pth"
    others = {key: -value for key, value in weights.items()}
    torch.save({"model": others, "model_ema": {f"module.{k}": weights[k] for k in weights}}, path)
    tool(*training(shapes_root, tmp_path / "w", SE, f"load_from={path}"))
    trained = torch.load(tmp_path / "w" / "epoch_1.pth", weights_only=False)["state_dict"]
    names = [name for name, _ in model.named_parameters()]
    assert not [name for name in names if not torch.equal(trained[name], weights[name])]
    # the same file through mmdet's inferencer; a file of mmengine's gives the same boxes
    picture = next((shapes_root / "val2017").iterdir())
    torch.save({"state_dict": weights, "meta": {}}, tmp_path / "plain.pth")
    config = tmp_path / "w" / "faster_rcnn_se_r18_fpn_shapes.py"
    found = []
    for checkpoint in (path, tmp_path / "plain.pth"):
        out = tmp_path / checkpoint.stem
        tool("infer.py", config, checkpoint, picture, "--out-dir", out, "--device", "cpu")
        found.append(json.loads((out / "preds" / f"{picture.stem}.json").read_text()))
    assert found[0] == found[1]
    del weights["neck.fpn_convs.0.conv.weight"]
    torch.save({"model": weights}, path)
    infer = ["infer.py", config, path, picture, "--out-dir", tmp_path, "--device", "cpu"]
    assert "1 are missing and 0" in tool(*infer, error=True)


def test_what_a_run_starts_from_is_checked_once_it_is_known(
    tool, ported: Path, shapes_root: Path, tmp_path: Path, monkeypatch
) -> None:
    # mmengine gets timm's tensors renamed; that they are ports of Caffe nets is not lost
    weights = torch.load(ported)
    name = "timm://legacy_seresnet18.in1k"
    monkeypatch.setattr(sources, "fetch_timm", lambda source: Checkpoint(source, weights))
    arguments = training(shapes_root, tmp_path / "w", SE, f"load_from={name}")
    assert "stem_pool='ceil' (the backbone has 'pad')" in tool(*arguments, error=True)
    # `--resume` in an empty work dir starts from init_cfg after all, in mmdet's net too
    path = tmp_path / "se.pth"
    torch.save(timm.create_model("seresnet18", pretrained=False).state_dict(), path)
    init = pretrained("model.backbone", path)
    resumed = [*training(shapes_root, tmp_path / "w2", PLAIN, *init), "--resume"]
    assert "they need SE (the backbone has none there)" in tool(*resumed, error=True)


def test_convert_a_net_outside_the_resnet_family(tool, repo: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "shufflenet.pth", tmp_path / "ours.pth"
    torch.save(PlainShuffleNet().state_dict(), path)
    message = tool("convert_weights.py", path, out, error=True)
    assert message.endswith(
        "holds no net of the ResNet family: give --config CONFIG, one with the backbone that these "
        "weights are for"
    )
    config = repo / "configs" / "faster_rcnn_shufflenet_fpn.py"
    printed = tool("convert_weights.py", path, out, "--config", config)
    assert "backbone={'type': 'ShuffleNetV1', 'frozen_stages': 0, 'norm_eval': True}" in printed
    assert "'bgr_to_rgb': True" in printed
    message = tool("convert_weights.py", path, out, "--config", config, "--to", "timm", error=True)
    assert "--config goes with neither --backbone nor --to timm" in message
