"""Training as users run it: killed and resumed, on two processes, through mmdet's own tool."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import mmdet
import pytest
import torch

from senet_mm.runs.detect import detect
from senet_mm.runs.work_dir import read_run

pytestmark = pytest.mark.slow

REPO = Path(__file__).resolve().parents[2]
SE = REPO / "configs" / "demo" / "faster_rcnn_se_r18_fpn_shapes.py"


def command(work_dir: Path, shapes_root: Path, *options: object) -> list[str]:
    parts = [REPO / "tools/train.py", SE, "--work-dir", work_dir, "--data-root", shapes_root]
    return [str(part) for part in (*parts, *options)]


def test_a_killed_run_resumes_from_its_last_checkpoint(shapes_root: Path, tmp_path: Path) -> None:
    work_dir, pointer = tmp_path / "run", tmp_path / "run" / "last_checkpoint"
    endless = ["--cfg-options", "train_cfg.max_epochs=1000", "train_cfg.val_interval=1000"]
    with open(tmp_path / "log", "w") as log:
        run = subprocess.Popen(
            [sys.executable, *command(work_dir, shapes_root, *endless)], stdout=log, stderr=log
        )
    deadline = time.monotonic() + 240
    while not pointer.is_file() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert pointer.is_file(), (tmp_path / "log").read_text()[-2000:]
    saved = torch.load(pointer.read_text(), map_location="cpu", weights_only=False)["meta"]["epoch"]

    until = ["--cfg-options", f"train_cfg.max_epochs={saved + 1}", "train_cfg.val_interval=1000"]
    arguments = command(work_dir, shapes_root, "--resume", *until)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"resumed epoch: {saved}, iter: {4 * saved}" in done.stdout + done.stderr
    assert pointer.read_text().endswith(f"epoch_{saved + 1}.pth")


def test_two_cpu_processes(shapes_root: Path, tmp_path: Path) -> None:
    options = ["--launcher", "pytorch", "--seed", "0", "--auto-scale-lr"]
    options += ["--cfg-options", "train_cfg.max_epochs=1", "train_cfg.val_interval=1"]
    # standalone: the operating system chooses a free port
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += ["--nproc_per_node", "2"]
    done = subprocess.run(
        launcher + command(tmp_path, shapes_root, *options), capture_output=True, text=True
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-3000:]
    assert "GPU number: 2" in log
    assert "the current batch size is 8" in log
    assert "coco/bbox_mAP" in log
    assert "Traceback" not in log
    # the saved config says how it was launched; comparing it is one process's work
    run = read_run(tmp_path)
    assert run.config.launcher == "pytorch"
    assert json.loads(detect(run).read_text())


def test_mask_rcnn_trains_and_is_evaluated_on_masks(tool, shapes_root, tmp_path) -> None:
    config = SE.with_name("mask_rcnn_se_r18_fpn_shapes.py")
    places = ["--work-dir", tmp_path, "--data-root", shapes_root]
    options = ["--cfg-options", "train_cfg.max_epochs=1", "train_cfg.val_interval=1"]
    tool("train.py", config, *places, *options)
    log = next(tmp_path.glob("*/*.log")).read_text()
    assert "loss_mask" in log
    assert "coco/bbox_mAP" in log and "coco/segm_mAP" in log


def test_mmdets_own_training_tool_runs_our_configs(shapes_root: Path, tmp_path: Path) -> None:
    tool = Path(mmdet.__file__).parent / ".mim" / "tools" / "train.py"
    config = tmp_path / "mine.py"
    data, val = f"{shapes_root}/", f"{shapes_root}/annotations/instances_val2017.json"
    config.write_text(
        f"_base_ = {str(SE)!r}\n"
        "train_cfg = dict(max_epochs=1, val_interval=1)\n"
        f"train_dataloader = dict(dataset=dict(data_root={data!r}))\n"
        f"val_dataloader = dict(dataset=dict(data_root={data!r}))\n"
        f"val_evaluator = dict(ann_file={val!r})\n"
    )
    done = subprocess.run(
        [sys.executable, str(tool), str(config), "--work-dir", str(tmp_path / "w")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "w" / "epoch_1.pth").is_file()
    assert "coco/bbox_mAP" in done.stdout + done.stderr
