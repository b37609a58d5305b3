import shutil
from pathlib import Path

import pytest

from senet_mm.comparison.inputs import Entry, read_entries

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
    slot = pair.run.work_dir
    assert slot.parent == tmp_path / "out" / "detections"
    assert slot.name.startswith("faster_rcnn_r18_fpn_shapes-")
    assert pair.run.checkpoint == Path(sources["work_dir"]) / "epoch_2.pth"
    assert (results.name, results.run) == ("detectron2", None)
    assert results.results_file("bbox") == Path(sources["results"])


def test_names(sources: dict[str, str], tmp_path: Path) -> None:
    entries = read_entries(list(sources.values()), ["a", "b", "b"], out_dir=tmp_path)
    assert [entry.name for entry in entries] == ["a", "b", "b"]
    with pytest.raises(ValueError, match="--names has 1 names: expected 3, one per run"):
        read_entries(list(sources.values()), ["a"], out_dir=tmp_path)


def test_detections_of_a_pair_have_a_place_of_their_own(sources, tmp_path: Path) -> None:
    other = tmp_path / "plain" / "epoch_1.pth"
    other.touch()

    def places(*given: str) -> list[Path]:
        return [entry.run.work_dir for entry in read_entries(given, out_dir=tmp_path)]

    first, second = places(sources["pair"], f"{CONFIG},{other}")
    assert first != second
    # whatever they are compared with, and in whatever order
    assert places(f"{CONFIG},{other}", sources["pair"]) == [second, first]


def test_results_files_share_a_name_only_when_told(sources, tmp_path: Path) -> None:
    names = ("plain.bbox.json", "a.b/run.v2.bbox.json", "a.b/run.v3.segm.json", "run.v2.json")
    files = [tmp_path / name for name in names]
    (tmp_path / "a.b").mkdir()
    for file in files:
        file.write_text("[]")
    entries = read_entries(list(map(str, files[:3])), out_dir=tmp_path)
    assert [entry.name for entry in entries] == ["plain", "run.v2", "run.v3"]
    for pair, name in (
        ((files[1], files[3]), "run.v2"),
        ((sources["work_dir"], files[0]), "plain"),
    ):
        with pytest.raises(ValueError, match=f"would all be named '{name}': give --names"):
            read_entries(list(map(str, pair)), out_dir=tmp_path)
        read_entries(list(map(str, pair)), ["a", "a"], out_dir=tmp_path)
    # work dirs do, as seeds of one detector
    twin = tmp_path / "seed1" / "plain"
    shutil.copytree(sources["work_dir"], twin)
    entries = read_entries([sources["work_dir"], str(twin)], out_dir=tmp_path)
    assert [entry.name for entry in entries] == ["plain", "plain"]


def test_a_file_of_masks_needs_the_flag(tmp_path: Path) -> None:
    entry = Entry("a", "a", results=tmp_path / "a.segm.json")
    assert entry.results_file("segm") == entry.results
    with pytest.raises(ValueError, match=r"a\.segm\.json holds masks: give --iou-type segm"):
        entry.results_file("bbox")


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
    monkeypatch.setattr("senet_mm.comparison.inputs.detect", lambda run: tmp_path / "a.bbox.json")
    entry = Entry("a", "work_dirs/a", run=object())
    assert entry.results_file("bbox").name == "a.bbox.json"
    with pytest.raises(FileNotFoundError, match="segm: the detector of work_dirs/a has no masks"):
        entry.results_file("segm")
    (tmp_path / "a.segm.json").touch()
    assert entry.results_file("segm").name == "a.segm.json"
