"""The speed benchmark from its command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.mark.slow
def test_prints_and_writes(tool, tmp_path: Path) -> None:
    printed = tool(
        "benchmark.py", "--size", 64, 64, "--rounds", 2, "--depth", 18, "--out-dir", tmp_path,
        "--device", "cpu", "--variants", "plain", "SE reference", "SE fused",
    )  # fmt: skip
    assert "R18 backbone, inference, float32, nchw, 1x64x64, cpu" in printed
    assert "R18 backbone, training, frozen BN, float32, nchw, 2x64x64, cpu" in printed
    results = json.loads((tmp_path / "speed.json").read_text())["results"]
    assert [len(result["speeds"]) for result in results] == [3, 3]
    assert (tmp_path / "speed.png").stat().st_size > 1000


def test_unknown_variants_are_named(tool, tmp_path: Path) -> None:
    message = tool(
        "benchmark.py", "--variants", "plain", "SE-fused", "--out-dir", tmp_path, error=True
    )
    assert "SE-fused" in message and "'SE fused'" in message


def test_nets_of_configs(tool, repo: Path, tmp_path: Path) -> None:
    configs = [
        str(repo / f"configs/demo/faster_rcnn_{net}_fpn_shapes.py") for net in ("r18", "se_r18")
    ]
    printed = tool(
        "benchmark.py", "--size", 64, 64, "--rounds", 2, "--out-dir", tmp_path, "--device", "cpu",
        "--tasks", "training", "--configs", *configs,
    )  # fmt: skip
    assert "configs' backbone, training, frozen BN, float32, nchw, 2x64x64, cpu" in printed
    results = json.loads((tmp_path / "speed.json").read_text())["results"]
    for result in results:
        assert [speed["name"] for speed in result["speeds"]] == configs
        assert result["speeds"][0]["ratio"] == 1
    message = tool(
        "benchmark.py", "--out-dir", tmp_path, "--configs", configs[0], "absent.py", error=True
    )
    assert message == "error: config absent.py not found"


@pytest.mark.slow
def test_exported_backbones(tool, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    printed = tool(
        "benchmark.py", "--onnx", "--size", 64, 64, "--rounds", 2, "--depth", 18, "--device", "cpu",
        "--variants", "plain", "SE fused", "--out-dir", tmp_path,
    )  # fmt: skip
    assert "R18 backbone, inference, float32, nchw, 1x64x64, cpu, onnx" in printed
    assert "training" not in printed
    message = tool("benchmark.py", "--onnx", "--parts", "detector", "--device", "cpu", error=True)
    assert "detector: expected backbone and float32" in message
