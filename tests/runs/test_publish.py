"""What goes to the hub: weights without the optimizer, a config without this machine's paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from senet_mm.runs.checkpoints import check_checkpoints
from senet_mm.runs.publish import metrics_of, portable, push, write_model
from senet_mm.runs.work_dir import Run, make_run, read_run
from senet_mm.weights.read.sources import fetch
from senet_mm.weights.recognize.meta import read_meta
from tests.fake_hub import FakeHub, running

pytest.importorskip("huggingface_hub")

CONFIG = """
model = dict(
    type="FasterRCNN",
    data_preprocessor=dict(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], bgr_to_rgb=True),
    backbone=dict(type="SEResNet", depth=18, style="caffe", se_cfg=dict(gate="hard_sigmoid")),
)
train_cfg = dict(by_epoch=True, max_epochs=2)
train_dataloader = dict(
    dataset=dict(type="CocoDataset", data_root="/home/me/cells/", ann_file="annotations/a.json")
)
val_evaluator = dict(
    ann_file="/home/me/cells/annotations/a.json", outfile_prefix="/home/me/out/val"
)
work_dir = "/home/me/work_dirs/net"
load_from = "/home/me/start.pth"
"""
WEIGHTS = {"backbone.layer1.0.conv1.weight": torch.arange(4.0).reshape(2, 2, 1, 1)}
LOG = [
    {"loss": 1.0, "lr": 0.1, "epoch": 2, "iter": 20, "step": 20},
    {"coco/bbox_mAP": 0.25, "coco/bbox_mAP_50": 0.5, "time": 0.1, "step": 1},
    {"coco/bbox_mAP": 0.375, "coco/bbox_mAP_50": 0.625, "time": 0.1, "step": 2},
]


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "net"
    (folder / "2026" / "vis_data").mkdir(parents=True)
    (folder / "faster.py").write_text(CONFIG)
    (folder / "2026" / "vis_data" / "scalars.json").write_text("\n".join(map(json.dumps, LOG)))
    meta = dict(epoch=2, iter=20, seed=3, cfg=CONFIG, dataset_meta=dict(classes=("red", "white")))
    parts = dict(state_dict=WEIGHTS, message_hub={}, optimizer=dict(state={}), meta=meta)
    torch.save(parts, folder / "epoch_2.pth")
    (folder / "last_checkpoint").write_text("epoch_2.pth")
    return folder


@pytest.fixture
def run(work_dir: Path) -> Run:
    return read_run(work_dir)


def test_files(run: Run, tmp_path: Path) -> None:
    files = write_model(run, "me/cells-net", tmp_path / "out")
    assert sorted(path.name for path in files) == ["README.md", "config.py", "model.pth"]
    content = torch.load(tmp_path / "out" / "model.pth", weights_only=True)
    assert content.keys() == {"meta", "state_dict"}
    assert torch.equal(
        *(d["backbone.layer1.0.conv1.weight"] for d in (content["state_dict"], WEIGHTS))
    )
    meta = content["meta"]
    assert (meta["epoch"], meta["seed"]) == (2, 3)
    assert list(meta["dataset_meta"]["classes"]) == ["red", "white"]
    # what the tensors do not tell is still told
    stated = read_meta(meta)
    assert stated.hidden.style == "caffe" and stated.preprocessing.mean == (1.0, 2.0, 3.0)
    for path in files:
        assert b"/home/me" not in path.read_bytes(), path


def test_the_config_is_the_runs_but_for_paths(run: Run, tmp_path: Path) -> None:
    write_model(run, "me/cells-net", tmp_path / "out")
    cfg = Config.fromfile(tmp_path / "out" / "config.py")
    assert cfg.model == run.config.model
    assert cfg.train_dataloader.dataset.data_root == "data/cells/"
    assert cfg.train_dataloader.dataset.ann_file == "annotations/a.json"
    assert cfg.val_evaluator.ann_file == "data/cells/annotations/a.json"
    assert cfg.val_evaluator.outfile_prefix == "val"
    assert not {"work_dir", "load_from"} & cfg.keys()
    assert portable(cfg).to_dict() == cfg.to_dict()
    assert run.config.work_dir == "/home/me/work_dirs/net"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (dict(epoch=2, iter=20), 0.375),
        (dict(epoch=1, iter=10), 0.25),
        (dict(epoch=3, iter=30), None),
        ({}, None),
    ],
)
def test_metrics_are_of_the_checkpoints_epoch(run: Run, meta: Any, expected: float | None) -> None:
    assert metrics_of(run, meta).get("coco/bbox_mAP") == expected


def test_metrics_by_iterations(run: Run) -> None:
    run.config.train_cfg = dict(type="IterBasedTrainLoop", by_epoch=False)
    assert metrics_of(run, dict(epoch=2, iter=1)) == {
        "coco/bbox_mAP": 0.25,
        "coco/bbox_mAP_50": 0.5,
    }


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with running(FakeHub(token="secret"), tmp_path / "cache") as fake:
        monkeypatch.setenv("HF_TOKEN", "secret")
        yield fake


def test_pushed_and_read_back(run: Run, hub: FakeHub, tmp_path: Path) -> None:
    assert push(run, "me/cells-net") == f"{hub.url}/me/cells-net"
    files = hub.repos["me/cells-net"]
    assert files.keys() == {"README.md", "config.py", "model.pth"}
    assert b"coco/bbox_mAP_50" in files["README.md"]
    checkpoint = fetch("hf://me/cells-net")
    assert torch.equal(
        checkpoint.state_dict["backbone.layer1.0.conv1.weight"],
        WEIGHTS["backbone.layer1.0.conv1.weight"],
    )
    (tmp_path / "config.py").write_bytes(files["config.py"])
    again = make_run(tmp_path / "config.py", "hf://me/cells-net", tmp_path)
    assert again.checkpoint.read_bytes() == files["model.pth"]
    push(run, "me/cells-net")  # a newer one takes its place
    assert "GET /api/models/me/cells-net/tree/main" not in hub.asked


def test_a_config_may_name_it(hub: FakeHub) -> None:
    hub.repos["me/net"] = {"net.safetensors": b"no weights", "README.md": b""}
    for source in ("hf://me/net", "hf://me/net/net.safetensors"):
        with pytest.raises(ValueError, match=r"net.safetensors is truncated or no checkpoint"):
            check_checkpoints(Config(dict(model={}, load_from=source)), initialize=False)


@pytest.mark.parametrize("token", [None, "other"])
def test_who_may_not(run: Run, hub: FakeHub, token: str | None, monkeypatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ValueError, match=r"push to me/net: .*`hf auth login`") as raised:
        push(run, "me/net")
    assert "\n" not in str(raised.value) and not hub.repos


def test_no_network(run: Run, hub: FakeHub) -> None:
    hub.stop()
    with pytest.raises(ConnectionError, match="push to me/net: the hub cannot be reached"):
        push(run, "me/net")


def change_weights(work_dir: Path, change: Callable[[torch.Tensor], Any]) -> None:
    content = torch.load(work_dir / "epoch_2.pth", weights_only=True)
    change(content["state_dict"]["backbone.layer1.0.conv1.weight"])
    torch.save(content, work_dir / "epoch_2.pth")


def test_what_is_not_pushed(run: Run, work_dir: Path, tmp_path: Path) -> None:
    for repo in ("net", "me/net/more", "me/n t", "hf://me/net"):
        with pytest.raises(ValueError, match=r"expected OWNER/REPO"):
            write_model(run, repo, tmp_path / "out")
    change_weights(work_dir, lambda tensor: tensor.fill_(torch.nan))
    with pytest.raises(ValueError, match=r"epoch_2.pth.*layer1.0.conv1"):
        write_model(run, "me/net", tmp_path / "out")
    assert not (tmp_path / "out").exists()
