from pathlib import Path

import pytest

from senet_mm.evaluation.entries import Entry, read_entries

CONFIG = "senet_mm::demo/faster_rcnn_r18_fpn_shapes.py"


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, str]:
    work_dir = tmp_path / "plain"
    work_dir.mkdir()
    (work_dir / "net.py").write_text("model = dict()\n")
    (work_dir / "epoch_2.pth").touch()
    (work_dir / "last_checkpoint").write_text("epoch_2.pth")
    (tmp_path / "detectron2.bbox.json").write_text("[]")
    return dict(
        work_dir=str(work_dir),
        pair=f"{CONFIG},{work_dir / 'epoch_2.pth'}",
        results=str(tmp_path / "detectron2.bbox.json"),
    )


def test_each_kind_and_its_name(sources: dict[str, str], tmp_path: Path) -> None:
    work_dir, pair, results = read_entries(list(sources.values()), out_dir=tmp_path / "out")
    assert (work_dir.name, work_dir.run.checkpoint.name) == ("plain", "epoch_2.pth")
    assert pair.name == "faster_rcnn_r18_fpn_shapes"
    assert pair.run.work_dir == tmp_path / "out" / "detections" / "1"
    assert pair.run.checkpoint == Path(sources["work_dir"]) / "epoch_2.pth"
    assert (results.name, results.run) == ("detectron2", None)
    assert results.results_file("bbox") == Path(sources["results"])


def test_names(sources: dict[str, str], tmp_path: Path) -> None:
    entries = read_entries(list(sources.values()), ["a", "b", "b"], out_dir=tmp_path)
    assert [entry.name for entry in entries] == ["a", "b", "b"]
    with pytest.raises(ValueError, match="--names has 1 names: expected 3, one per run"):
        read_entries(list(sources.values()), ["a"], out_dir=tmp_path)


def test_what_is_none_of_these_is_named(sources: dict[str, str], tmp_path: Path) -> None:
    for source, message in (
        (str(tmp_path / "none"), "none not found: expected a work dir, CONFIG,CHECKPOINT, or a"),
        (str(tmp_path / "none.bbox.json"), "results file .*none.bbox.json not found"),
        (f"{CONFIG},{tmp_path / 'none.pth'}", "checkpoint .*none.pth not found"),
        (f"nope.py,{sources['work_dir']}/epoch_2.pth", "config nope.py not found"),
        (str(tmp_path), "is no work dir of a training run: it has no config"),
    ):
        with pytest.raises(FileNotFoundError, match=message):
            read_entries([source], out_dir=tmp_path)


def test_masks_of_a_detector_without(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("senet_mm.evaluation.entries.detect", lambda run: tmp_path / "a.bbox.json")
    entry = Entry("a", "work_dirs/a", run=object())
    assert entry.results_file("bbox").name == "a.bbox.json"
    with pytest.raises(FileNotFoundError, match="segm: the detector of work_dirs/a has no masks"):
        entry.results_file("segm")
    (tmp_path / "a.segm.json").touch()
    assert entry.results_file("segm").name == "a.segm.json"
