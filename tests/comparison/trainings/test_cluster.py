import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("submitit")

from senet_mm.comparison.trainings.cluster import Cluster, TrainingJob
from senet_mm.comparison.trainings.plan import State
from senet_mm.comparison.trainings.run import train_missing
from tests.comparison.trainings.fake import make

pytestmark = pytest.mark.slow  # a job imports all that we import
LOCAL = dict(cluster="local")


def test_trainings_are_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("senet_mm.comparison.trainings.run._POLL", 0.05)
    script = """if True:
        import os, sys
        print("job", os.environ["SUBMITIT_EXECUTOR"])
        if sys.argv[1] == "1": sys.exit("error: no space left")"""
    trainings = make(monkeypatch, tmp_path, script, State.NEW, State.NEW)
    with pytest.raises(ValueError, match=r"1 of 2 trainings failed.*seed 1 \(no space left; see"):
        train_missing(trainings, Cluster(tmp_path / "submitit", LOCAL), "again")
    assert trainings[0].output.read_text() == "job local\n"


def test_a_job_that_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (one,) = make(monkeypatch, tmp_path, "import time; time.sleep(60)", State.NEW)
    job = Cluster(tmp_path / "submitit", LOCAL).start(one)
    assert job.poll() is None
    job.stop(signal.SIGINT)
    while (code := job.poll()) is None:
        time.sleep(0.1)
    assert code == 1


def test_a_job_that_is_queued_again_runs_the_same_command() -> None:
    job = TrainingJob(["train", "--resume"], "out")
    assert job.checkpoint().function is job


def test_parameters_that_submitit_does_not_take(tmp_path: Path) -> None:
    for parameters in (LOCAL | dict(mem_gbs=3), dict(cluster="none")):
        with pytest.raises(ValueError, match="--submitit: "):
            Cluster(tmp_path, parameters)
