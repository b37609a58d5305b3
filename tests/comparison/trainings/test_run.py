import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from senet_mm.comparison.trainings.launchers import Job, Processes
from senet_mm.comparison.trainings.plan import State, Training
from senet_mm.comparison.trainings.run import _progress, train_missing
from senet_mm.runs.training.interrupt import Interrupted, interruptible
from tests.comparison.trainings.fake import make

NEW, STARTED, FINISHED = State.NEW, State.STARTED, State.FINISHED
WAY_ON = "senet-mm compare --train a.py b.py"


@pytest.fixture(autouse=True)
def _on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("senet_mm.comparison.trainings.launchers.visible_gpus", list)
    monkeypatch.setattr("senet_mm.comparison.trainings.run._POLL", 0.02)


def test_what_is_missing_is_trained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    script = "import sys; print('seed', sys.argv[1])"
    trainings = make(monkeypatch, tmp_path, script, NEW, FINISHED, STARTED)
    train_missing(trainings, Processes(), WAY_ON)
    assert [one.output.exists() for one in trainings] == [True, False, True]
    assert trainings[2].output.read_text() == "seed 2\n"
    told = capsys.readouterr().err
    for line in ("se, seed 0: started", "se, seed 2: resumed", "se, seed 2: finished (0 are wait"):
        assert line in told
    train_missing(trainings[1:2], None, WAY_ON)  # there is nothing to launch


def test_a_failure_lets_the_others_finish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = """if True:
        import os, sys
        seed = int(sys.argv[1])
        if seed == 0:
            print("note: before"); print("error: loss is nan"); print("after"); sys.exit(2)
        if seed == 1:
            os.kill(os.getpid(), 9)
        print("done")"""
    trainings = make(monkeypatch, tmp_path, script, NEW, NEW, NEW)
    with pytest.raises(ValueError) as failure:
        train_missing(trainings, Processes(), WAY_ON)
    told = str(failure.value)
    assert told.startswith("2 of 3 trainings failed, the others are finished: se, seed 0 (loss is")
    assert f"se, seed 1 (ended by signal 9, SIGKILL; see {trainings[1].output})" in told
    assert told.endswith(f"go on with: {WAY_ON}") and "\n" not in told
    assert trainings[2].output.read_text() == "done\n"


def test_one_per_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "senet_mm.comparison.trainings.launchers.visible_gpus", lambda: ["3", "GPU-7"]
    )
    script = """if True:
        import os, time
        start = time.time(); time.sleep(0.2)
        print(os.environ["CUDA_VISIBLE_DEVICES"], start, time.time())"""
    trainings = make(monkeypatch, tmp_path, script, *[NEW] * 4)
    train_missing(trainings, Processes(), WAY_ON)
    spans: dict[str, list[tuple[float, float]]] = {}
    for one in trainings:
        gpu, start, end = one.output.read_text().split()
        spans.setdefault(gpu, []).append((float(start), float(end)))
    assert spans.keys() == {"3", "GPU-7"}
    for taken in spans.values():  # none begins before the one before it on its GPU has ended
        assert all(a[1] <= b[0] for a, b in zip(sorted(taken), sorted(taken)[1:], strict=False))
    both = [sorted(taken)[0] for taken in spans.values()]
    assert max(start for start, _ in both) < min(end for _, end in both)


def test_an_interrupt_ends_what_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = """if True:
        import pathlib, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("saved") or 143))
        pathlib.Path(sys.argv[2], "ready").touch()
        time.sleep(60)"""
    trainings = make(monkeypatch, tmp_path, script, NEW, NEW)

    def interrupt() -> None:
        while not (trainings[0].work_dir / "ready").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Interrupted) as stopped, interruptible():
        train_missing(trainings, Processes(), WAY_ON)
    assert stopped.value.exit_code == 143
    assert str(stopped.value) == f"interrupted with 0 of 2 trainings done; go on with: {WAY_ON}"
    assert trainings[0].output.read_text() == "saved\n"  # it was told, and waited for
    assert not trainings[1].work_dir.exists()


def test_what_cannot_be_started_ends_what_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Full(Processes):
        num_places = 2
        started: list[Job] = []

        def __init__(self) -> None:
            self._free = ["", ""]

        def start(self, training: Training) -> Job:
            if self.started:
                raise OSError("no space left")
            self.started.append(super().start(training))
            return self.started[0]

    trainings = make(monkeypatch, tmp_path, "import time; time.sleep(60)", NEW, NEW)
    # as where a script has started all of it in the background
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with pytest.raises(OSError, match="no space left"):
        train_missing(trainings, Full(), WAY_ON)
    signal.signal(signal.SIGINT, before)
    assert Full.started[0].poll() == -signal.SIGTERM


def test_progress_is_that_of_the_last_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (one,) = make(monkeypatch, tmp_path, "", STARTED)
    assert _progress(one) == "se, seed 0"
    for start, epochs in (("20260101_1", (1, 2, 3)), ("20260101_2", (4,))):
        folder = one.work_dir / start / "vis_data"
        folder.mkdir(parents=True)
        lines = [json.dumps(dict(loss=1.0, epoch=epoch)) for epoch in epochs]
        (folder / "scalars.json").write_text("\n".join([*lines, '{"coco/bbox_mAP": 0.1, "ste']))
    assert _progress(one) == "se, seed 0 4/6 epochs"
