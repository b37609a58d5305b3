"""What a user gets wrong, kind by kind: one line that names it, and exit code 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from senet_mm.runs import settings

from ..attempts import Attempt
from .conftest import SE

pytestmark = pytest.mark.slow

Run = Callable[..., Attempt]

ARGUMENTS = [
    # (command line, what the line says)
    ("benchmark --rounds 1", "--rounds: 1: expected an integer of 2 or more"),
    ("benchmark --rounds many", "--rounds: many: expected an integer"),
    ("benchmark --batch 0", "--batch: 0: expected an integer of 1 or more"),
    ("benchmark --batch -2", "--batch: -2: expected an integer of 1 or more"),
    ("benchmark --size 0 64", "--size: 0: expected an integer"),
    ("benchmark --size 64 -64", "--size: -64: expected an integer"),
    ("benchmark --size 64", "--size: expected 2 arguments"),
    ("benchmark --device tpux", "--device: tpux: expected cpu, cuda or cuda:INDEX"),
    ("benchmark --device cuda:99", "--device: cuda:99: this machine has"),
    ("benchmark --depth 49", "--depth: invalid choice"),
    ("compare a.json b.json --confidence 95", "--confidence: 95: expected 0 to 1"),
    ("compare a.json b.json --confidence 1", "--confidence: 1: expected 0 to 1"),
    ("compare a.json b.json --confidence nan", "--confidence: nan: expected 0 to 1"),
    ("compare a.json b.json --num-resamples 1", "--num-resamples: 1: expected an integer of 2"),
    ("compare a.json b.json --num-images -1", "--num-images: -1: expected an integer of 0"),
    ("compare a.json b.json --seed -1", "--seed: -1: expected an integer of 0 or more"),
    ("compare a.json b.json --power 0", "--power: 0: expected 0 to 100, both left out"),
    ("compare a.json b.json --score-threshold 2", "--score-threshold: 2: expected 0 to 1"),
    ("compare a.json b.json --engine rust", "--engine: invalid choice"),
    ("compare a.json", "expected two runs or more, the baseline first"),
    ("complexity", "expected one config or more, or --paper"),
    (f"complexity {SE} --size -1 5", "--size: -1: expected an integer of 1 or more"),
    ("demo --epochs 0", "--epochs: 0: expected an integer of 1 or more"),
    ("demo --num-train 0", "--num-train: 0: expected an integer of 1 or more"),
    ("demo --seed 4294967296", "--seed: 4294967296: expected an integer, 0 to 4294967295"),
    (f"gates {SE} x.pth --max-images 0", "--max-images: 0: expected an integer of 1 or more"),
    (f"gates {SE} x.pth --max-deviation -1", "--max-deviation: -1: expected a number of 0"),
    (f"infer {SE} x.pth x.jpg --score-thr 2", "--score-thr: 2: expected 0 to 1"),
    (f"infer {SE} x.pth x.jpg --score-thr -0.1", "--score-thr: -0.1: expected 0 to 1"),
    (f"infer {SE} x.pth x.jpg --score-thr high", "--score-thr: high: expected 0 to 1"),
    (f"infer {SE} x.pth x.jpg --batch-size 0", "--batch-size: 0: expected an integer of 1"),
    (f"infer {SE} x.pth --device cuda:99", "--device: cuda:99: this machine has"),
    ("shapes out --num-val 0", "--num-val: 0: expected an integer of 1 or more"),
    ("shapes out --num-train 1.5", "--num-train: 1.5: expected an integer"),
    ("shapes out --image-size 10", "--image-size: 10: expected an integer of 64 or more"),
    ("shapes out --image-size 64 64 64", "expected a side or (height, width)"),
    ("shapes out --max-objects 0", "--max-objects: 0: expected an integer of 1 or more"),
    ("shapes out --seed -2", "--seed: -2: expected an integer of 0 or more"),
    (f"train {SE} --seed -1", "--seed: -1: expected an integer, 0 to"),
    (f"train {SE} --cfg-options depth", "--cfg-options: depth: expected KEY=VALUE"),
    (f"train {SE} --cfg-options model..depth=3", "model..depth=3: expected KEY=VALUE"),
    (f"train {SE} --cfg-options =3", "=3: expected KEY=VALUE"),
    (f"train {SE} --cfg-options model.x=[1,2", "Imbalanced brackets"),
    (f"train {SE} --epochs 3", "unrecognized arguments: --epochs 3"),
    ("convert a.pth b.pth --backbone style", "--backbone: style: expected KEY=VALUE"),
    (f"test {SE} x.pth --out results.json", "--out results.json: expected a .pkl or .pickle"),
]

OPTIONS = [
    # (option, what the line says)
    ("modle.backbone.depth=34", "nothing reads modle; did you mean model.backbone.depth?"),
    ("model.bakcbone.depth=34", "did you mean model.backbone.depth?"),
    ("model.backbone.dept=34", "did you mean model.backbone.depth or"),
    ("backbone.depth=34", "did you mean model.backbone.depth?"),
    ("lr=0.1", "nothing reads lr; did you mean optim_wrapper.optimizer.lr?"),
    ("optim_wrapper.optimizer.lrate=0.1", "nothing reads optim_wrapper.optimizer.lrate"),
    ("optim_wrapper.acumulative_counts=2", "did you mean optim_wrapper.accumulative_counts?"),
    ("train_dataloader.bacth_size=1", "did you mean train_dataloader.batch_size"),
    ("train_dataloader.batchsize=1", "did you mean train_dataloader.batch_size"),
    ("train_cfg.max_epoch=3", "did you mean train_cfg.max_epochs?"),
    ("model.test_cfg.rcnn.scroe_thr=0.1", "did you mean model.test_cfg.rcnn.score_thr?"),
    ("model.backbone.init_cfg.checkpont=x.pth", "nothing reads model.backbone.init_cfg.checkpont"),
    ("default_hooks.checkpoint.max_keep_ckpt=1", "did you mean default_hooks.checkpoint.max_keep"),
    ("default_hooks.chekpoint.interval=1", "did you mean default_hooks.checkpoint.interval?"),
    ("param_scheduler.9.end=3", "is a list of"),
    ("param_scheduler.first.end=3", "expected an index from 0 to"),
    ("model.backbone.depth.x=3", "model.backbone.depth is 18, which has no x"),
    ("test_evaluator.claswise=True", "did you mean test_evaluator.classwise?"),
    ("model.backbone=34", "model.backbone holds settings; expected model.backbone.KEY=VALUE"),
    ("train_dataloader.dataset.ann_file=3", "dataset.ann_file=3: expected a name or a path"),
    ("custom_hooks=[EMAHook]", "custom_hooks.0='EMAHook': expected a dict of settings"),
    # numbers with which a run does nothing or fails late
    ("train_cfg.max_epochs=0", "train_cfg.max_epochs=0: expected an integer of 1 or more"),
    ("train_cfg.max_epochs=-3", "train_cfg.max_epochs=-3: expected an integer of 1 or more"),
    ("train_cfg.max_epochs=many", "train_cfg.max_epochs='many': expected an integer"),
    ("train_cfg.val_interval=0", "train_cfg.val_interval=0: expected an integer of 1 or more"),
    ("train_dataloader.batch_size=0", "train_dataloader.batch_size=0: expected an integer of 1"),
    ("train_dataloader.num_workers=-1", "train_dataloader.num_workers=-1: expected an integer"),
    ("optim_wrapper.optimizer.lr=fast", "optim_wrapper.optimizer.lr='fast': expected a number"),
    ("optim_wrapper.optimizer.lr=nan", "optim_wrapper.optimizer.lr=nan: expected a number"),
    ("optim_wrapper.accumulative_counts=0", "optim_wrapper.accumulative_counts=0: expected"),
    ("default_hooks.checkpoint.interval=0", "default_hooks.checkpoint.interval=0: expected an"),
    ("randomness.seed=-5", "randomness.seed=-5: expected an integer from 0 to 4294967295"),
    (
        "model.backbone.type=SEResNet50",
        "type='SEResNet50' is not registered; the nearest are SERes",
    ),
    ("optim_wrapper.optimizer.type=SDG", "type='SDG' is not registered; the nearest are SGD"),
    ("train_dataloader.sampler.type=Nope", "type='Nope' is not registered"),
]

CONFIGS = [
    # (name, text, what the line says)
    ("division.py", "x = 1\nmodel = 1 / 0", "division by zero (ZeroDivisionError, line 2 of"),
    ("self.py", "_base_ = './self.py'", "name one another, self.py -> self.py"),
    ("nobase.py", "_base_ = './none.py'", "none.py', which"),
    ("syntax.py", "model = dict(", "is no valid config: '(' was never closed (line 1)"),
    ("name.py", "model = dict(a=b)", "name 'b' is not defined"),
    ("key.py", "model = {}['depth']", "'depth' (KeyError, line 1 of"),
    ("index.py", "model = [][0]", "list index out of range (IndexError, line 1 of"),
    ("recursion.py", "def f():\n    return f()\nmodel = f()", "nested too deeply"),
    ("memory.py", "model = [0] * 2**62", "MemoryError, line 1 of"),
    ("flow.yaml", "model: [1,\n  a: b", "ParserError"),
    ("half.json", '{"model":', "JSONDecodeError"),
    ("list.json", "[1]", "it holds no keys"),
    ("latin.py", "model = '\xe9'".encode("latin-1"), "can't decode byte 0xe9"),
    ("none.py", "x = 1", "has no model"),
    ("number.py", "model = 3", "model=3: expected a dict of settings"),
    ("backbone.py", "model = dict(type='X', backbone=3)", "model.backbone=3: expected a dict"),
    ("hooks.py", "model = dict(type='X')\ncustom_hooks = [1]", "custom_hooks.0=1: expected a dict"),
    ("loader.py", "model = dict(type='X')\ntest_dataloader = []", "test_dataloader=[]: expected"),
    ("words.txt", "hello", "Only py/yml/yaml/json type are supported"),
]

PARTS = [
    # (option, what the line says) of what is found while the run is built
    ("model.backbone.depth=20", "model.backbone (SEResNet): depth=20: expected one of"),
    ("model.backbone.se_cfg.ratio=4", "model.backbone (SEResNet): "),
    ("model.neck.num_outs=1", "model.neck (FPN): "),
    ("model.backbone.norm_cfg.type=BatchNrom", "BatchNrom"),
]


def refused(attempt: Attempt, expected: str) -> None:
    assert attempt.code == 2, attempt.err
    assert len(attempt.errors) == 1 and "Traceback" not in attempt.err, attempt.err
    assert expected in attempt.errors[0]


@pytest.mark.parametrize(("line", "expected"), ARGUMENTS)
def test_arguments(attempt: Run, line: str, expected: str) -> None:
    refused(attempt(*line.split(" ")), expected)


@pytest.mark.parametrize(("option", "expected"), OPTIONS)
def test_options(
    attempt: Run, shapes_root: Path, tmp_path: Path, option: str, expected: str
) -> None:
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    refused(attempt("train", SE, *data, "--cfg-options", option), expected)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    "line",
    [
        "--amp",
        "--cfg-options optim_wrapper.type=AmpOptimWrapper",
        "--cfg-options optim_wrapper.type=mmengine.AmpOptimWrapper",
    ],
)
def test_mixed_precision_without_a_gpu(
    attempt: Run, shapes_root: Path, tmp_path: Path, monkeypatch, line: str
) -> None:
    monkeypatch.setattr(settings, "get_device", lambda: "cpu")
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    expected = "AmpOptimWrapper (--amp) trains in mixed precision, which takes a GPU; this run has"
    refused(attempt("train", SE, *data, *line.split()), expected)
    assert not (tmp_path / "w").exists()


def test_flags_on_a_config_without_what_they_set(attempt: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(f"_base_ = {SE!r}\noptim_wrapper = auto_scale_lr = None\n")
    line = ("train", path, "--work-dir", tmp_path / "w")
    refused(attempt(*line, "--amp"), f"--amp: {path} has no optim_wrapper")
    refused(attempt(*line, "--auto-scale-lr"), f"{path} has no auto_scale_lr.base_batch_size")


@pytest.mark.parametrize(("name", "text", "expected"), CONFIGS)
def test_config_files(
    attempt: Run, tmp_path: Path, name: str, text: str | bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(attempt("train", path, "--work-dir", tmp_path / "w"), expected)
    refused(attempt("complexity", path), str(path))


def test_a_model_without_a_type(attempt: Run, tmp_path: Path) -> None:
    path = tmp_path / "typeless.py"
    path.write_text("model = dict()")
    refused(attempt("train", path, "--work-dir", tmp_path / "w"), "model has no type")


@pytest.mark.parametrize(("option", "expected"), PARTS)
def test_parts(attempt: Run, shapes_root: Path, tmp_path: Path, option: str, expected: str) -> None:
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    refused(attempt("train", SE, *data, "--cfg-options", option), expected)


@pytest.mark.parametrize(
    ("launcher", "expected"),
    [
        ("slurm", "the environment variable SLURM_PROCID is not set: srun sets it"),
        ("mpi", "the environment variable OMPI_COMM_WORLD_RANK is not set: mpirun sets it"),
        ("pytorch", "is not set: torchrun sets it"),
    ],
)
def test_launchers(
    attempt: Run, shapes_root: Path, tmp_path: Path, monkeypatch, launcher: str, expected: str
) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    refused(attempt("train", SE, *data, "--launcher", launcher), expected)


def test_an_option_that_nothing_reads_later_is_told(
    attempt: Run, shapes_root: Path, tmp_path: Path
) -> None:
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    options = ["data_root=elsewhere", "train_cfg.max_epochs=0"]
    tried = attempt("train", SE, *data, "--cfg-options", *options)
    assert "note: --cfg-options data_root has no effect" in tried.err
    assert "set train_dataloader.dataset.data_root" in tried.err


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        ("--out", "folder.pkl", "is a folder: expected a file"),
        ("--out", "file/x.pkl", "cannot write to --out"),
        ("--show-dir", "file", "cannot write to --show-dir"),
        ("--work-dir", "file/w", "cannot write to the work dir"),
    ],
)
def test_outputs_are_checked_before_the_evaluation(
    attempt: Run, shapes_root, se_checkpoint, tmp_path, flag: str, value: str, expected: str
) -> None:
    (tmp_path / "folder.pkl").mkdir()
    (tmp_path / "file").touch()
    places = {"--work-dir": tmp_path / "w"} | {flag: tmp_path / value}
    arguments = [part for pair in places.items() for part in pair]
    tried = attempt("test", SE, se_checkpoint, "--data-root", shapes_root, *arguments)
    refused(tried, expected)
    assert "Epoch(test)" not in tried.out


def test_a_loss_that_is_nan_stops_the_training(
    attempt: Run, shapes_root: Path, tmp_path: Path
) -> None:
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w", "--seed", 0]
    options = ["train_cfg.max_epochs=1", "optim_wrapper.optimizer.lr=1e30"]
    options += ["param_scheduler=[]", "default_hooks.checkpoint.by_epoch=False"]
    options += ["default_hooks.checkpoint.interval=1", "optim_wrapper.clip_grad=None"]
    tried = attempt("train", SE, *data, "--cfg-options", *options)
    refused(tried, "at iteration")
    assert "no checkpoint was saved" in tried.errors[0] or ".pth" in tried.errors[0]
    for path in (tmp_path / "w").glob("*.pth"):
        state = torch.load(path, weights_only=False)["state_dict"]
        assert all(bool(value.isfinite().all()) for value in state.values()), path


def test_results_of_half_the_images(attempt: Run, shapes_root: Path, tmp_path: Path) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    objects = json.loads(ann_file.read_text())["annotations"]
    found = [
        {key: a[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9}
        for a in objects
    ]
    whole, half = tmp_path / "whole.bbox.json", tmp_path / "half.bbox.json"
    whole.write_text(json.dumps(found))
    half.write_text(json.dumps([entry for entry in found if entry["image_id"] < 4]))
    out = ["--out-dir", tmp_path / "out", "--num-resamples", 20]
    tried = attempt("compare", whole, half, "--ann-file", ann_file, *out)
    assert tried.code == 0, tried.err
    assert "half.bbox.json has no detection for 3 of the 6 images with objects" in tried.out
    assert "whole.bbox.json has no" not in tried.out
