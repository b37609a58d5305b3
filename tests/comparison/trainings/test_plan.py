import json
import os
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from senet_mm.cli.train import parse_args
from senet_mm.comparison.trainings.plan import State, Training, plan_trainings
from senet_mm.runs import preflight
from senet_mm.runs.config import read_config

pytestmark = pytest.mark.slow

PAIR = [f"senet_mm::demo/faster_rcnn_{net}r18_fpn_shapes.py" for net in ("", "se_")]
NAMES = [Path(name).stem for name in PAIR]


@pytest.fixture
def plan(shapes_root: Path, tmp_path: Path):
    """Plan two seeds of the pair in a folder of this test."""

    def plan_with(configs: list[str] = PAIR, *args: object, **options: object) -> list[Training]:
        given = dict(num_seeds=2, out_dir=tmp_path / "out", data_root=str(shapes_root)) | options
        return plan_trainings(configs, *args, **given)

    return plan_with


def save(training: Training, epoch: int) -> None:
    """Leave what a training of so many epochs does."""
    training.work_dir.mkdir(parents=True, exist_ok=True)
    config = read_config(str(training.config))
    config.randomness = dict(seed=training.seed)
    config.dump(training.work_dir / training.config.name)
    content = dict(meta=dict(epoch=epoch, iter=5 * epoch), message_hub={}, optimizer={})
    weights = dict(state_dict=dict(a=torch.zeros(1)))
    torch.save(content | weights, training.work_dir / f"epoch_{epoch}.pth")
    (training.work_dir / "last_checkpoint").write_text(f"epoch_{epoch}.pth")


def test_what_is_on_the_disk_decides(plan, tmp_path: Path, shapes_root: Path) -> None:
    planned = plan()
    out = tmp_path / "out"
    assert [(one.detector, one.seed) for one in planned] == [
        (NAMES[0], 0), (NAMES[1], 0), (NAMES[0], 1), (NAMES[1], 1),
    ]  # fmt: skip
    assert {one.state for one in planned} == {State.NEW}
    assert {(one.length, one.unit) for one in planned} == {(6, "epoch")}
    assert planned[3].work_dir == out / NAMES[1] / "seed-1"
    # one config for all seeds, with the data root in it
    assert planned[3].config == planned[1].config == out / NAMES[1] / f"{NAMES[1]}.py"
    assert (
        Config.fromfile(planned[1].config).train_dataloader.dataset.data_root == f"{shapes_root}/"
    )
    command = planned[3].command
    assert command[command.index("-m") :][:3] == ["-m", "senet_mm.cli", "train"]
    args = parse_args(command[command.index("train") + 1 :])
    assert (args.config, args.seed, args.resume) == (str(planned[3].config), 1, "auto")
    assert args.work_dir == str(planned[3].work_dir)

    save(planned[0], 6)
    save(planned[3], 2)
    states = [one.state for one in plan()]
    assert states == [State.FINISHED, State.NEW, State.NEW, State.STARTED]
    # the data may move, and the work dirs with them
    moved = tmp_path / "moved"
    os.rename(out, tmp_path / "out2")
    moved.symlink_to(shapes_root)
    again = plan(out_dir=tmp_path / "out2", data_root=str(moved))
    assert [one.state for one in again] == states


def test_trainings_of_another_config_are_told(plan, tmp_path: Path) -> None:
    save(plan()[1], 2)
    told = (
        r"seed-0 holds a training of another config \(optim_wrapper\.optimizer\.lr was 0\.001 and"
    )
    with pytest.raises(ValueError, match=told):
        plan(options={"optim_wrapper.optimizer.lr": 0.01})
    # what does not bear upon the training may change
    plan(options={"default_hooks.logger.interval": 1, "train_dataloader.num_workers": 2})


def test_a_learning_rate_for_more_gpus_is_told(plan, capsys: pytest.CaptureFixture) -> None:
    small = {"train_dataloader.batch_size": 2}
    plan(options=small)
    assert (
        f"note: {NAMES[1]}: the learning rate is meant for a batch of 4, "
        in capsys.readouterr().err
    )
    plan(options=small | {"auto_scale_lr.enable": True})
    assert "learning rate" not in capsys.readouterr().err


def test_what_cannot_be_trained_is_told_first(plan, tmp_path: Path) -> None:
    for arguments, options, told in (
        ([[PAIR[0]] * 2], {}, f"two configs would be named '{NAMES[0]}': give --names"),
        ([PAIR, ["a"]], {}, "--names has 1 names: expected 2, one per config"),
        ([PAIR, ["a", "b/c"]], {}, "--names 'b/c': expected the name of a folder"),
        ([], {"masks": True}, "--iou-type segm: .*shapes.py evaluates no masks: expected 'segm'"),
        ([], {"options": {"train_cfg.max_epochs": None}}, "says nothing of a training: expected"),
        ([], {"options": {"train_cfg.max_epochs": 0}}, "train_cfg.max_epochs=0: expected an int"),
    ):
        with pytest.raises(ValueError, match=told):
            plan(*arguments, **options)
    assert not list(tmp_path.glob("out/*/*.py"))


def test_what_cannot_be_augmented_is_told_before_a_training(plan, tmp_path: Path) -> None:
    masks = [name.replace("faster", "mask") for name in PAIR]
    with pytest.raises(ValueError, match="--tta: mmdet's DetTTAModel merges boxes, and the config"):
        plan(masks, tta=True)
    assert not (tmp_path / "out").exists()
    planned = plan(tta=True)  # whose trainings are of the configs as they are
    assert Config.fromfile(planned[0].config).model.type == "FasterRCNN"


def test_what_stopped_early_is_finished(plan, tmp_path: Path) -> None:
    hook = dict(type="EarlyStoppingHook", monitor="coco/bbox_mAP", min_delta=0.001, patience=2)
    config = tmp_path / "stops.py"
    config.write_text(f"_base_ = {PAIR[1]!r}\ncustom_hooks = [{hook!r}]\n")
    configs = [str(config), PAIR[0]]
    first, *_ = plan(configs)
    save(first, 3)
    assert plan(configs)[0].state is State.STARTED
    counted = dict(monitor="coco/bbox_mAP", rule="greater", best_score=0.5, wait_count=2)
    marker = first.work_dir / ".validated"
    marker.write_text(f"15\n{json.dumps([counted])}")
    assert plan(configs)[0].state is State.FINISHED
    # of another point of the training
    marker.write_text(f"10\n{json.dumps([counted])}")
    assert plan(configs)[0].state is State.STARTED


def test_trainings_report_to_loggers(plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "check_loggers", lambda cfg: None)
    first, *_ = plan(loggers=["wandb", "mlflow"])
    backends = Config.fromfile(first.config).visualizer.vis_backends
    assert [one["type"] for one in backends] == ["LocalVisBackend", "WandbBackend", "MLflowBackend"]
    assert not any("save_dir" in one for one in backends)  # each training has its own
