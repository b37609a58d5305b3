"""The recipes of docs/recipes.md do what the page says."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmdet.datasets import CocoDataset
from mmdet.evaluation import CocoMetric
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from yapf.yapflib import yapf_api

from senet_mm.cli import test as testing
from senet_mm.runs.work_dir import read_run
from tests.attempts import Attempt
from tests.docs.recipes import changed, recipe, records, run, save_weights, write

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _configs_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each checkpoint has its config, which is laid out beautifully, in seconds."""
    monkeypatch.setattr(yapf_api, "FormatCode", lambda text, **_: (text, True))


def test_loggers(tmp_path: Path, shapes_root: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    more = "train_cfg = dict(max_epochs=2, val_interval=1)\n"
    record = run(
        write(tmp_path, recipe("Loggers: TensorBoard, Weights & Biases, MLflow"), more=more),
        shapes_root,
    )
    events = EventAccumulator(str(record.work_dir / "tensorboard")).Reload()
    (scalars,) = record.work_dir.glob("*/vis_data/scalars.json")
    logged = [json.loads(line) for line in scalars.read_text().splitlines()]
    # two iterations in an epoch
    for name, steps in (("loss", [1, 2, 3, 4]), ("coco/bbox_mAP", [2, 4])):
        assert [event.step for event in events.Scalars(name)] == steps
        expected = [entry[name] for entry in logged if name in entry]
        assert [event.value for event in events.Scalars(name)] == pytest.approx(expected)


def test_early_stopping(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the fourth gains less than a thousandth upon the third, and so do three in a row
    found = iter([0.1, 0.2, 0.3, 0.3009, 0.3, 0.3008, 0.5])
    monkeypatch.setattr(
        CocoMetric, "compute_metrics", lambda *_: {"bbox_mAP": next(found), "bbox_mAP_50": 0.9}
    )
    more = "train_cfg = dict(max_epochs=9, val_interval=1)\n"
    more += "default_hooks['checkpoint'] = dict(interval=4)\n"
    config = write(tmp_path, recipe("Early stopping"), more=more)
    options = ["train_dataloader.dataset.indices=2", "val_dataloader.dataset.indices=1"]
    work_dir = run(config, shapes_root, "--cfg-options", *options).work_dir
    saved = {path.name for path in work_dir.glob("*.pth")}
    assert saved == {"epoch_4.pth", "epoch_6.pth", "best_coco_bbox_mAP_epoch_4.pth"}
    assert read_run(work_dir).checkpoint.name == "epoch_6.pth"


def test_averaged_weights(tmp_path: Path, shapes_root: Path) -> None:
    more = "train_cfg = dict(max_epochs=3, val_interval=99)\n"
    record = run(write(tmp_path, recipe("Averaged weights (EMA)"), more=more), shapes_root)
    assert len(record.weights) == 6
    average = {key: value.double() for key, value in record.weights[0].items()}
    for step, weights in enumerate(record.weights[1:], 1):
        rate = (1 - 0.0002) * math.exp(-(1 + step) / 2000) + 0.0002
        for key, value in weights.items():
            average[key] += rate * (value.double() - average[key])
    checkpoint = torch.load(record.work_dir / "epoch_3.pth", weights_only=False)
    for key, value in checkpoint["state_dict"].items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), average[key], rtol=1e-5, atol=1e-7)
    assert changed(checkpoint["state_dict"], record.final) >= {
        "backbone.layer4.1.se.fc2.weight",
        "backbone.layer4.1.bn2.running_var",
    }
    trained = {key[7:]: v for key, v in checkpoint["ema_state_dict"].items() if key != "steps"}
    assert not changed(record.final, trained)
    # what test and compare see
    run_dir = read_run(record.work_dir)
    testing.main([str(record.work_dir / "recipe.py"), str(run_dir.checkpoint)])
    assert not changed(records[-1].tested[0], checkpoint["state_dict"])


# every anchor counts, so that pictures of one size have equally many samples
ALL_ANCHORS = """
group_norm = dict(type="GN", num_groups=4)
model.update(
    type="RPN",
    train_cfg=dict(
        rpn=dict(
            assigner=dict(pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5),
            sampler=dict(num=1_000_000),
        )
    ),
)
model["backbone"].update(norm_cfg=group_norm)
model["neck"].update(norm_cfg=group_norm)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="SGD", lr=0.1), clip_grad=None, accumulative_counts=1
)
param_scheduler = []
train_dataloader["batch_size"] = 1
"""


def test_gradient_accumulation(tmp_path: Path, shapes_root: Path) -> None:
    config = write(tmp_path, recipe("Gradient accumulation"), more=ALL_ANCHORS)
    record = run(config, shapes_root)
    assert len(record.batches) == 4
    assert not changed(record.initial, record.weights[2])

    # one step on a batch of four, in plain torch
    init_default_scope("mmdet")
    model = MODELS.build(Config.fromfile(config).model).train()
    model.load_state_dict(record.initial)
    whole = {key: sum((batch[key] for batch in record.batches), []) for key in record.batches[0]}
    losses = model(**model.data_preprocessor(whole, training=True), mode="loss")
    assert set(losses) == {"loss_rpn_cls", "loss_rpn_bbox"}
    sum(sum(loss) for loss in losses.values()).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    for key, value in model.state_dict().items():
        torch.testing.assert_close(record.final[key], value, rtol=1e-4, atol=1e-6)
    assert changed(record.initial, record.final) >= {"backbone.layer4.1.se.fc2.weight"}


def test_class_balanced_sampling(tmp_path: Path, shapes_root: Path) -> None:
    more = "train_dataloader['dataset'].pop('indices')\n"
    record = run(write(tmp_path, recipe("Class-balanced sampling"), more=more), shapes_root)
    seen = Counter(s.img_id for batch in record.batches for s in batch["data_samples"])

    # LVIS (arXiv 1908.03195), appendix B, from the file
    file = json.loads((shapes_root / "annotations/instances_train2017.json").read_text())
    classes: dict[int, set[int]] = {}
    for one in file["annotations"]:
        classes.setdefault(one["image_id"], set()).add(one["category_id"])
    images = Counter(category for shown in classes.values() for category in shown)
    repeats = {c: max(1, math.sqrt(0.5 / (n / len(classes)))) for c, n in images.items()}
    expected = {
        image: math.ceil(max(repeats[c] for c in shown)) for image, shown in classes.items()
    }
    assert seen == expected and set(expected.values()) == {1, 2}


def test_a_frozen_backbone(tmp_path: Path, shapes_root: Path) -> None:
    config = write(tmp_path, recipe("A frozen backbone, frozen gates"))
    weights = save_weights(config, tmp_path / "weights.pth")
    load = ["--cfg-options", f"load_from={tmp_path / 'weights.pth'}"]
    moved = changed(weights, run(config, shapes_root, *load).final)
    assert moved and not any(key.startswith("backbone.") for key in moved)
    assert {key.split(".")[0] for key in moved} == {"neck", "rpn_head", "roi_head"}


def test_frozen_gates(tmp_path: Path, shapes_root: Path) -> None:
    record = run(write(tmp_path, recipe("A frozen backbone, frozen gates", 1)), shapes_root)
    moved = changed(record.initial, record.final)
    gates = {key for key in record.initial if ".se." in key}
    assert len(gates) == 4 * 8 and not moved & gates
    parameters = {*record.rates[0]}
    assert parameters - moved <= gates and gates <= parameters


def test_a_larger_batch(tmp_path: Path, shapes_root: Path) -> None:
    config = write(tmp_path, recipe("A larger batch"))
    record = run(config, shapes_root, "--auto-scale-lr")
    assert record.initial_rate == pytest.approx(1e-3 * 8 / 4)  # the demo's rate is for four
    assert len(record.batches) == 1 and len(record.batches[0]["inputs"]) == 4


def test_mixed_precision_takes_a_gpu(
    tmp_path: Path, attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("senet_mm.runs.settings.get_device", lambda: "cpu")
    config = write(tmp_path, recipe("Mixed precision"))
    for arguments in ([config], [tmp_path / "small.py", "--amp"]):
        result = attempt("train", *arguments, "--work-dir", tmp_path / "w")
        (line,) = result.errors
        assert result.code == 2 and "AmpOptimWrapper" in line and "takes a GPU" in line


def test_several_scales(tmp_path: Path, shapes_root: Path) -> None:
    record = run(write(tmp_path, recipe("Several scales")), shapes_root)
    sides = {480, 512, 544, 576, 608, 640}
    trained = {image.shape[1:] for batch in record.batches for image in batch["inputs"]}
    assert len(trained) > 1 and trained <= {(side, side) for side in sides}
    cfg = Config.fromfile(record.work_dir / "recipe.py")
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert {dataset[0]["inputs"].shape[1] for _ in range(60)} == sides
    assert cfg.test_dataloader.dataset.pipeline[1].scale == (64, 64)


# the detector as it is on COCO
COCO_CLASSES = """
model["roi_head"]["bbox_head"]["num_classes"] = 80
for loader in (train_dataloader, val_dataloader):
    loader["dataset"]["metainfo"] = dict(_delete_=True)
"""


def test_own_classes(tmp_path: Path, shapes_root: Path, capfd: pytest.CaptureFixture) -> None:
    fragment = recipe("Own classes, from COCO's weights")
    place = "work_dirs/coco/epoch_12.pth"
    assert place in fragment
    fragment = fragment.replace(place, str(tmp_path / "coco.pth"))
    config = write(tmp_path, fragment, more=COCO_CLASSES)
    names = CocoDataset.METAINFO["classes"]
    weights = save_weights(config, tmp_path / "coco.pth", dataset_meta=dict(classes=names))
    record = run(config, shapes_root)
    told = capfd.readouterr().err
    assert "was trained on 80 classes ('person', " in told and "has 7 ('square', " in told
    assert "starts anew" in told
    head = {f"roi_head.bbox_head.fc_{n}.{p}" for n in ("cls", "reg") for p in ("weight", "bias")}
    assert changed(weights, record.initial) == head
    assert record.initial["roi_head.bbox_head.fc_cls.weight"].shape[0] == 7 + 1
    assert record.initial_rate == 0.002


def test_adamw_and_a_cosine(tmp_path: Path, shapes_root: Path) -> None:
    record = run(write(tmp_path, recipe("AdamW and a cosine")), shapes_root)
    total = 12 * len(record.batches)  # iterations of the recipe's twelve epochs
    for iteration, rates in enumerate(record.rates):
        warm_up = 0.001 + (1 - 0.001) * iteration / 499
        cosine = (1 + math.cos(math.pi * iteration / total)) / 2
        (rate,) = set(rates.values())
        assert rate == pytest.approx(1e-4 * warm_up * cosine)
