"""What is detected again, and what is left behind."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.runs import detect as module
from senet_mm.runs.detect import detect, plan, results_file
from senet_mm.runs.work_dir import Run


class Detector:
    """In the runner's place; writes what a detector with or without masks would."""

    kinds: tuple[str, ...] = ("bbox",)
    number = 0

    @classmethod
    def from_cfg(cls, cfg: Config) -> "Detector":
        detector = cls()
        detector.prefix = cfg.test_evaluator["outfile_prefix"]
        return detector

    def test(self) -> None:
        Detector.number += 1
        for kind in self.kinds:
            Path(f"{self.prefix}.{kind}.json").write_text(f'["{kind} {Detector.number}"]')


@pytest.fixture
def run(tmp_path: Path, monkeypatch) -> Run:
    monkeypatch.setattr(module, "Runner", Detector)
    monkeypatch.setattr(module, "check_data", lambda *_, **__: None)
    monkeypatch.setattr(module, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(Detector, "kinds", ("bbox",))
    monkeypatch.setattr(Detector, "number", 0)
    (tmp_path / "ann.json").write_text("{}")
    (tmp_path / "epoch_1.pth").write_bytes(b"weights")
    dataset = dict(type="CocoDataset", data_root=str(tmp_path), ann_file="ann.json")
    cfg = Config(dict(model=dict(type="A"), test_dataloader=dict(dataset=dataset), test_cfg={}))
    return Run(tmp_path, cfg, tmp_path / "epoch_1.pth")


def test_again_where_checkpoint_annotations_or_config_changed(run: Run) -> None:
    for number in (1, 1):
        assert json.loads(detect(run).read_text()) == [f"bbox {number}"]
    run.config.train_cfg = dict(max_epochs=3)  # detections do not depend on it
    assert json.loads(detect(run).read_text()) == ["bbox 1"]
    changes = (
        lambda: run.checkpoint.write_bytes(b"others"),
        lambda: run.ann_file.write_text("[]"),
        lambda: run.config.model.update(test_cfg=dict(score_thr=0.5)),
        lambda: run.config.test_dataloader.dataset.update(pipeline=[dict(type="Resize")]),
        lambda: run.config.test_cfg.update(fp16=True),
        lambda: (run.work_dir / "epoch_1.detected.json").write_text('{"checkpo'),
        lambda: (run.work_dir / "epoch_1.detected.json").unlink(),
        lambda: (run.work_dir / "epoch_1.bbox.json").unlink(),
    )
    for number, change in enumerate(changes, start=2):
        change()
        for _ in range(2):
            assert json.loads(detect(run).read_text()) == [f"bbox {number}"]


def test_masks_of_an_earlier_detector_are_not_left(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(Detector, "kinds", ("bbox", "segm"))
    detect(run)
    assert json.loads(results_file(run, "segm").read_text()) == ["segm 1"]
    monkeypatch.setattr(Detector, "kinds", ("bbox",))
    # nor those of a test that was killed
    (run.work_dir / "epoch_1.unfinished.segm.json").write_text("[]")
    run.config.model.type = "B"
    detect(run)
    assert not results_file(run, "segm").exists()
    assert sorted(path.name for path in run.work_dir.iterdir()) == [
        "ann.json",
        "epoch_1.bbox.json",
        "epoch_1.detected.json",
        "epoch_1.pth",
    ]


def test_a_plan_runs_nothing_and_reads_no_checkpoint_twice(run: Run, monkeypatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(module, "prepare", lambda cfg, *_, **__: checked.append(cfg.load_from))
    inference = plan(run)
    assert inference is not None and Detector.number == 0
    assert inference.config.load_from == str(run.checkpoint)
    module.infer(inference)
    assert checked == [str(run.checkpoint)]
    assert plan(run) is None  # and of what was detected nothing is read
    assert checked == [str(run.checkpoint)]


def test_nothing_counts_as_detected_while_files_are_replaced(run: Run, monkeypatch) -> None:
    detect(run)
    run.config.model.type = "B"

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(module.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        detect(run)
    assert not (run.work_dir / "epoch_1.detected.json").exists()
    assert not (run.work_dir / "epoch_1.bbox.json").exists()


def augmented(run: Run) -> list[str]:
    inference = plan(run, tta=True)
    if inference is not None:
        module.infer(inference)
    return json.loads(results_file(run, tta=True).read_text())


def test_augmented_images_have_detections_of_their_own(run: Run) -> None:
    cfg = run.config
    cfg.test_dataloader.dataset.pipeline = [dict(type="LoadImageFromFile"), dict(type="Pack")]
    assert json.loads(detect(run).read_text()) == ["bbox 1"]
    inference = plan(run, tta=True)
    assert inference is not None
    assert inference.config.model == dict(
        inference.config.model, type="DetTTAModel", module=cfg.model
    )
    assert inference.config.test_dataloader.dataset.pipeline[-1].type == "TestTimeAug"
    changes = (
        lambda: None,
        lambda: cfg.update(tta_model=dict(type="DetTTAModel", tta_cfg=dict(max_per_img=9))),
        lambda: cfg.tta_model.tta_cfg.update(max_per_img=8),
        lambda: cfg.update(tta_pipeline=[dict(type="TestTimeAug", transforms=[[dict(type="A")]])]),
        lambda: cfg.tta_pipeline[0].transforms[0].append(dict(type="B")),
    )
    for number, change in enumerate(changes, start=2):
        change()
        for _ in range(2):
            assert augmented(run) == [f"bbox {number}"]
        assert plan(run) is None  # what is of the images as they are stays
        assert json.loads(results_file(run).read_text()) == ["bbox 1"]
    cfg.model.type = "B"
    assert json.loads(detect(run).read_text()) == ["bbox 7"]
    assert json.loads(results_file(run, tta=True).read_text()) == ["bbox 6"]
    assert augmented(run) == ["bbox 8"]
