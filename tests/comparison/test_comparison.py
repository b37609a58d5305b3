import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest
from mmdet.datasets import CocoDataset
from mmengine.config import Config

from senet_mm.comparison import detections
from senet_mm.comparison.comparison import Comparison, compare
from senet_mm.comparison.inputs import resolve
from senet_mm.comparison.report.sentences import notes
from senet_mm.paper import detection_row_of
from senet_mm.runs.detect import Inference, results_file
from tests.comparison.runs_on_disk import write_run

pytestmark = pytest.mark.slow


@pytest.fixture
def perfect_inference(results_files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def infer(inference: Inference) -> None:
        results_file(inference.run).write_text(results_files[0].read_text())

    monkeypatch.setattr(detections, "infer", infer)


def test_what_was_compared(compared, results_files) -> None:
    comparison, evaluation = compared
    assert comparison.names == ("good", "poor")
    assert comparison.detectors[1].results_files == tuple(results_files[1:])
    assert comparison.num_images == 24
    objects = json.loads(comparison.ann_file.read_text())["annotations"]
    assert comparison.num_objects == len([a for a in objects if not a["iscrowd"]])
    assert list(evaluation.detections) == ["good", "poor"]
    json.dumps(asdict(comparison), default=str)


def test_options_are_checked_before_inference(
    shapes_root: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(detections, "infer", None)
    sources = [write_run(tmp_path / name, shapes_root) for name in ("a", "b")]
    inputs = resolve(sources, out_dir=tmp_path)
    for options, message in (
        (dict(confidence=95), "confidence is 95"),
        (dict(num_resamples=1), "num_resamples is 1"),
        (dict(power=[0.01]), "--power goes by the spread over trainings, and a has one run"),
    ):
        with pytest.raises(ValueError, match=message):
            compare(inputs, **options)


def break_pictures(cfg: Config, folder: Path) -> None:
    """Let every picture of the test set be none; its cost is not measured then."""
    dataset = cfg.test_dataloader.dataset
    truth = json.loads((Path(dataset.data_root) / dataset.ann_file).read_text())
    folder.mkdir()
    for image in truth["images"]:
        (folder / image["file_name"]).write_text("no picture")
    dataset.data_prefix.img = str(folder)


def compare_without_pictures(run: str, other: Path, out_dir: Path) -> Comparison:
    inputs = resolve([run, str(other)], ["run", "other"], out_dir=out_dir, pictures=False)
    return compare(inputs, num_resamples=2)[0]


def test_what_is_out_of_the_ordinary_is_noted(
    perfect_inference, shapes_root: Path, results_files, tmp_path: Path
) -> None:
    found = json.loads(results_files[1].read_text())
    found[0]["bbox"][0] = -9
    edge = tmp_path / "edge.bbox.json"
    edge.write_text(json.dumps(found))
    config = "faster_rcnn_se_r50_fpn.py"
    run = write_run(
        tmp_path / "run",
        shapes_root,
        config=config,
        change=partial(break_pictures, folder=tmp_path / "broken"),
    )
    with pytest.warns(UserWarning, match="reach over"):
        comparison = compare_without_pictures(run, edge, tmp_path)
    assert comparison.detectors[0].cost is None
    assert comparison.detectors[0].paper is None  # seven classes are not COCO's
    text = " ".join(notes(comparison))
    assert f"1 of {len(found)} boxes of edge.bbox.json reach over" in text
    assert "The cost of run was not measured: a picture of its test set cannot be read" in text


def test_the_papers_row_stands_beside_cocos_classes_and_boxes_only(
    perfect_inference, shapes_root: Path, results_files, tmp_path: Path
) -> None:
    def of_coco(cfg: Config) -> None:
        dataset = cfg.test_dataloader.dataset
        truth = json.loads((shapes_root / dataset.ann_file).read_text())
        names = CocoDataset.METAINFO["classes"]
        truth["categories"] = [dict(id=i, name=name) for i, name in enumerate(names)]
        (tmp_path / "coco.json").write_text(json.dumps(truth))
        dataset.ann_file = str(tmp_path / "coco.json")
        break_pictures(cfg, tmp_path / "broken")
        dataset.metainfo = dict(classes=names)
        cfg.model.roi_head.bbox_head.num_classes = len(names)

    config = "faster_rcnn_se_r50_fpn.py"
    run = write_run(tmp_path / "run", shapes_root, config=config, change=of_coco)
    comparison = compare_without_pictures(run, results_files[1], tmp_path)
    assert comparison.detectors[0].paper == detection_row_of("faster_rcnn_se_r50_fpn")
