"""Two real processes on CPUs: one downloads and checks, both stop, none waits for ever."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch.distributed import TCPStore

from senet_mm.backbones import SEResNet
from senet_mm.runs.processes import start_processes

SE = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
RUN = """
import sys
from senet_mm.cli import errors
from senet_mm.cli import train
from mmengine.runner import Runner

def start(cfg):
    runner = Runner(**{name: cfg.get(name) for name in ("model", "work_dir", "launcher")}, cfg=cfg)
    runner.model.module.init_weights()
    print("STARTED", runner.rank, runner.world_size, type(runner.model).__name__)
    runner.train = lambda: None
    return runner

Runner.from_cfg = start
errors.run(train.main)
"""


@pytest.fixture
def two(repo: Path, tmp_path: Path) -> Iterator[Callable[..., list[tuple[int, str, str]]]]:
    """Start the training tool in two processes, as torchrun does; the system chooses the port."""
    started: list[subprocess.Popen] = []
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)

    def start(*arguments: object) -> list[tuple[int, str, str]]:
        for rank in ("0", "1"):
            env = dict(
                RANK=rank,
                LOCAL_RANK=rank,
                WORLD_SIZE="2",
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=str(store.port),
                TORCHELASTIC_USE_AGENT_STORE="True",
                TORCHELASTIC_RESTART_COUNT="0",
                TORCH_HOME=str(tmp_path / "torch"),
                CUDA_VISIBLE_DEVICES="-1",
                PYTHONPATH=str(repo),
                PYTHONWARNINGS="ignore",
            )
            command = [sys.executable, "-c", RUN, SE, "--launcher", "pytorch"]
            started.append(
                subprocess.Popen(
                    [*command, *map(str, arguments)],
                    env=os.environ | env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        outputs = [process.communicate(timeout=300) for process in started]
        return [(p.returncode, *output) for p, output in zip(started, outputs, strict=True)]

    yield start
    for process in started:
        process.kill()


class Weights(http.server.BaseHTTPRequestHandler):
    """Serves a file slowly enough for a second process to ask for it too."""

    content = b""
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        threading.Event().wait(1)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    path = tmp_path / "served.pth"
    torch.save(SEResNet(18).state_dict(), path)
    Weights.content, Weights.asked = path.read_bytes(), []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Weights) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


@pytest.mark.slow
def test_one_process_downloads_and_both_start(two, server, shapes_root: Path, tmp_path) -> None:
    init_cfg = "model.backbone.init_cfg."
    url = f"http://127.0.0.1:{server.server_address[1]}/x.pth"
    arguments = ["--data-root", shapes_root, "--work-dir", tmp_path / "w", "--cfg-options"]
    options = ("_delete_=True", "type=Pretrained", f"checkpoint={url}")
    done = two(*arguments, *(init_cfg + option for option in options))
    for rank, (code, out, err) in enumerate(done):
        assert code == 0, err
        assert f"STARTED {rank} 2 MMDistributedDataParallel" in out
    assert Weights.asked == ["/x.pth"]


@pytest.mark.slow
def test_what_one_process_finds_stops_both_in_one_line(two, shapes_root, tmp_path) -> None:
    (tmp_path / "file").touch()
    done = two("--data-root", shapes_root, "--work-dir", tmp_path / "file" / "w")
    assert [code for code, *_ in done] == [2, 2]
    lines = [line for _, _, err in done for line in err.splitlines() if "rror" in line]
    assert len(lines) == 1 and lines[0].startswith("error: cannot write to the work dir"), lines


def test_what_cannot_start(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("SLURM_PROCID", "0")
    with pytest.raises(ValueError, match="--launcher slurm needs GPUs"):
        start_processes(Config(dict(launcher="slurm")))
    with pytest.raises(ValueError, match="launcher='ray': expected none, pytorch, slurm, mpi"):
        start_processes(Config(dict(launcher="ray")))
