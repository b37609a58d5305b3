"""tools/analyze_gates.py on a small data set, and its checkpoint in tools/test.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.complexity import build_detector

pytestmark = pytest.mark.slow

SE = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
FAST = ["--cfg-options", "test_dataloader.num_workers=0"]
FAST += ["test_dataloader.persistent_workers=False"]

CLASSES = ("square", "triangle", "star", "ring", "cross", "sun", "moon")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, and gates that hardly vary in the last stage."""
    torch.manual_seed(0)
    model = build_detector(Config.fromfile(config_path(SE.partition("::")[2])))
    for key, value in model.named_parameters():
        if ".se.fc" in key and key.endswith("weight"):
            torch.nn.init.normal_(value, std=1e-3 if "layer4" in key else 3.0)
    path = tmp_path_factory.mktemp("checkpoint") / "epoch_9.pth"
    meta = dict(dataset_meta=dict(classes=CLASSES), epoch=9)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path


def test_tables_pictures_and_a_checkpoint_without_the_suggested_gates(
    tool, checkpoint, shapes_root, tmp_path
) -> None:
    data = ["--data-root", shapes_root]
    options = [SE, checkpoint, *data, "--out-dir", tmp_path, "--drop", "suggested", *FAST]
    printed = tool("analyze_gates.py", *options)
    report = (tmp_path / "gates.md").read_text()
    assert report.strip() in printed and "whole stages: stage5" in report
    assert report.startswith("Gates over 6 images.")
    numbers = json.loads((tmp_path / "gates.json").read_text())
    assert numbers["images"]["all"] == 6 and len(numbers["blocks"]) == 8
    assert set(numbers["suggested"]) == {"SE_5_1", "SE_5_2"}
    assert (tmp_path / "figure6.png").is_file() and len(list(tmp_path.glob("figure7_*.png"))) == 5
    text = (tmp_path / "dropped.md").read_text()
    assert text.strip() in printed
    saved = 2 * (2 * 512 * 32 + 512 + 32)
    assert "Gates folded: SE_5_1, SE_5_2." in text and f"-{saved:,}" in text
    names = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    assert names == ["", "---", "original", "dropped", "difference"]

    config = tmp_path / "dropped" / "faster_rcnn_se_r18_fpn_shapes.py"
    new = tmp_path / "dropped" / "epoch_9.pth"
    assert [bool(s is None) for s in Config.fromfile(config).model.backbone.se_cfg] == [
        *[False] * 3,
        True,
    ]
    assert torch.load(new, weights_only=False)["meta"]["dataset_meta"]["classes"] == CLASSES
    tested = tool("test.py", config, new, *data, "--work-dir", tmp_path / "test", *FAST)
    assert "coco/bbox_mAP" in tested
    assert "give --force" in tool("analyze_gates.py", *options, error=True)


def test_bad_input(tool, checkpoint, shapes_root, tmp_path) -> None:
    rest = ["--data-root", shapes_root, "--out-dir", tmp_path]

    def error(*arguments: object, config: str = SE, file: Path = checkpoint) -> str:
        return tool("analyze_gates.py", config, file, *rest, *arguments, error=True)

    assert "SE_6_1: expected 'suggested', a stage (stage2, stage3" in error("--drop", "SE_6_1")
    assert "--classes cat: expected some of square" in error("--classes", "cat")
    assert "nope.pth not found" in error(file=tmp_path / "nope.pth")
    assert "has no SE block" in error(config=SE.replace("_se", ""))
    post = ["--cfg-options", "model.backbone.se_cfg.placement=post", "--drop", "5"]
    assert "cannot be dropped: SE_5_1: placement='post'" in error(*post)
    none = ["--max-deviation", "0", "--max-images", "2", "--drop", "suggested", *FAST]
    assert "'suggested' names no block here" in error(*none)
    for wrong in (["--max-images", 0], ["--launcher", "pytorch"]):
        with pytest.raises(AssertionError, match="1 or more|one process"):
            tool("analyze_gates.py", SE, checkpoint, *rest, *wrong)
