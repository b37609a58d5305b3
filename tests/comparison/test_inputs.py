import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from senet_mm.comparison.inputs import DetectorRun, Inputs, resolve
from senet_mm.runs import detect
from tests.comparison.runs_on_disk import write_run

pytestmark = pytest.mark.slow

CONFIG = "senet_mm::demo/faster_rcnn_r18_fpn_shapes.py"


@pytest.fixture(autouse=True)
def no_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "Runner", None)


@pytest.fixture
def sources(shapes_root: Path, tmp_path: Path) -> dict[str, str]:
    work_dir = write_run(tmp_path / "plain", shapes_root)
    (tmp_path / "detectron2.bbox.json").write_text("[]")
    return dict(
        work_dir=work_dir,
        pair=f"{next(Path(work_dir).glob('*.py'))},{work_dir}/epoch_1.pth",
        results=str(tmp_path / "detectron2.bbox.json"),
    )


def read(
    sources: Sequence[str | Path], names: Sequence[str] | None = None, **options: object
) -> list[DetectorRun]:
    inputs = resolve(list(map(str, sources)), names, **options)
    return [run for runs in inputs.runs.values() for run in runs]


def test_each_kind_and_its_name(sources: dict[str, str], tmp_path: Path) -> None:
    work_dir, pair, results = read(sources.values(), out_dir=tmp_path / "out")
    assert (work_dir.detector, work_dir.run.checkpoint.name) == ("plain", "epoch_1.pth")
    assert work_dir.results_file == tmp_path / "plain" / "epoch_1.bbox.json"
    assert pair.detector == "faster_rcnn_r18_fpn_shapes"
    slot = pair.run.work_dir
    assert slot.parent == tmp_path / "out" / "detections"
    assert slot.name.startswith("faster_rcnn_r18_fpn_shapes-")
    assert pair.run.checkpoint == Path(sources["work_dir"]) / "epoch_1.pth"
    assert (results.detector, results.run) == ("detectron2", None)
    assert results.results_file == Path(sources["results"])


def test_the_seed_is_that_of_the_config(shapes_root: Path, sources, tmp_path: Path) -> None:
    def seeded(cfg: Config) -> None:
        cfg.randomness = dict(seed=7)

    work_dir = write_run(tmp_path / "seven", shapes_root, change=seeded)
    runs = read([work_dir, *sources.values()], out_dir=tmp_path / "out")
    assert [run.seed for run in runs] == [7, None, None, None]


def test_names(sources: dict[str, str], tmp_path: Path) -> None:
    runs = read(sources.values(), ["a", "b", "b"], out_dir=tmp_path)
    assert [run.detector for run in runs] == ["a", "b", "b"]
    with pytest.raises(ValueError, match="--names has 1 names: expected 3, one per run"):
        read(sources.values(), ["a"], out_dir=tmp_path)


def test_detections_of_a_pair_have_a_place_of_their_own(sources, tmp_path: Path) -> None:
    other = tmp_path / "plain" / "epoch_2.pth"
    shutil.copy(tmp_path / "plain" / "epoch_1.pth", other)
    other_pair = sources["pair"].replace("epoch_1", "epoch_2")

    def places(*given: str) -> list[Path]:
        return [run.run.work_dir for run in read(given, ["a", "b"], out_dir=tmp_path)]

    first, second = places(sources["pair"], other_pair)
    assert first != second
    # whatever they are compared with, and in whatever order
    assert places(other_pair, sources["pair"]) == [second, first]


def test_results_files_share_a_name_only_when_told(
    sources, shapes_root: Path, tmp_path: Path
) -> None:
    options = dict(
        out_dir=tmp_path, ann_file=shapes_root / "annotations" / "instances_val2017.json"
    )
    names = ("plain.bbox.json", "a.b/run.v2.bbox.json", "a.b/run.v3.segm.json", "run.v2.json")
    files = [tmp_path / name for name in names]
    (tmp_path / "a.b").mkdir()
    for file in files:
        file.write_text("[]")
    runs = read(files[:3], iou_type="segm", **options)
    assert [run.detector for run in runs] == ["plain", "run.v2", "run.v3"]
    for pair, name in (
        ((files[1], files[3]), "run.v2"),
        ((sources["work_dir"], files[0]), "plain"),
    ):
        with pytest.raises(ValueError, match=f"would all be named '{name}': give --names"):
            read(pair, **options)
        with pytest.raises(ValueError, match=r"only \['a'\] to compare"):  # one name, as told
            read(pair, ["a", "a"], **options)
    # work dirs do, as seeds of one detector
    twin = tmp_path / "seed1" / "plain"
    shutil.copytree(sources["work_dir"], twin)
    runs = read([sources["work_dir"], twin, files[1]], out_dir=tmp_path)
    assert [run.detector for run in runs] == ["plain", "plain", "run.v2"]


def test_a_file_of_masks_needs_the_flag(shapes_root: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.segm.json", tmp_path / "b.segm.json"]
    for file in files:
        file.write_text("[]")
    options = dict(
        out_dir=tmp_path, ann_file=shapes_root / "annotations" / "instances_val2017.json"
    )
    assert [run.results_file for run in read(files, iou_type="segm", **options)] == files
    with pytest.raises(ValueError, match=r"a\.segm\.json holds masks: give --iou-type segm"):
        read(files, **options)


def test_what_is_none_of_these_is_named(sources: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, message in (
        (str(tmp_path / "none"), "none not found: expected a work dir, CONFIG,CHECKPOINT, or a"),
        (str(tmp_path / "none.bbox.json"), "results file .*none.bbox.json not found"),
        (f"{CONFIG},{tmp_path / 'none.pth'}", "checkpoint .*none.pth not found"),
        (f"nope.py,{sources['work_dir']}/epoch_1.pth", "config nope.py not found"),
        (str(tmp_path / "empty"), "is no work dir of a training run: it has no config"),
    ):
        with pytest.raises(FileNotFoundError, match=message):
            read([source], out_dir=tmp_path)


def test_what_cannot_be_compared(results_files, shapes_root: Path, tmp_path: Path) -> None:
    good, poor, _ = results_files
    with pytest.raises(ValueError, match="give --ann-file"):
        read([good, poor], out_dir=tmp_path)
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    with pytest.raises(ValueError, match=r"only \['run0.bbox'\] to compare.*two detectors or more"):
        read([good, good], ["run0.bbox"] * 2, out_dir=tmp_path, ann_file=ann_file)
    train = shapes_root / "annotations" / "instances_train2017.json"
    data = json.loads(train.read_text())
    for image in data["images"]:
        image["id"] += 1000
    for annotation in data["annotations"]:
        annotation["image_id"] += 1000
    (tmp_path / "train.json").write_text(json.dumps(data))
    with pytest.raises(
        ValueError, match="image_id .* not among the 17 .*another data set or split"
    ):
        read([good, poor], out_dir=tmp_path, ann_file=tmp_path / "train.json")


def test_runs_on_different_annotations(shapes_root: Path, tmp_path: Path) -> None:
    sources = [write_run(tmp_path / split, shapes_root, split=split) for split in ("val", "train")]
    with pytest.raises(
        ValueError, match="different images cannot be compared: .*val2017.*train2017"
    ):
        read(sources, out_dir=tmp_path)


def test_given_annotations_must_be_those_of_the_runs(
    results_files, shapes_root: Path, tmp_path: Path
) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    run = write_run(tmp_path / "train", shapes_root, split="train")
    with pytest.raises(ValueError, match=r"--ann-file is not the test set of a run.*val2017.*trai"):
        read([results_files[0], run], out_dir=tmp_path, ann_file=ann_file)
    shutil.copy(ann_file, tmp_path / "same.json")
    run = write_run(tmp_path / "val", shapes_root)
    inputs = resolve(
        [str(results_files[0]), run], out_dir=tmp_path, ann_file=tmp_path / "same.json"
    )
    assert inputs.annotations.path == tmp_path / "same.json"


def test_what_cannot_be_augmented(results_files, shapes_root: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "plain", shapes_root)
    for sources in ([results_files[0], run], [run, results_files[0]], results_files[:2]):
        told = r"--tta: .*run0\.bbox\.json holds detections that are made already: expected a work"
        with pytest.raises(ValueError, match=told):
            read(sources, out_dir=tmp_path, tta=True)
    masks = [
        write_run(tmp_path / name, shapes_root, config=f"demo/mask_rcnn_{name}_fpn_shapes.py")
        for name in ("r18", "se_r18")
    ]
    for kind in ("bbox", "segm"):
        with pytest.raises(ValueError, match="--tta: mmdet's DetTTAModel merges boxes, and"):
            read(masks, out_dir=tmp_path, tta=True, iou_type=kind)


def test_bad_input_is_found(shapes_root: Path, tmp_path: Path) -> None:
    def nowhere(cfg) -> None:
        cfg.test_dataloader.dataset.data_prefix.img = "nope/"

    runs = [write_run(tmp_path / name, shapes_root) for name in ("a", "b")]
    with pytest.raises(FileNotFoundError, match="--image-dir .*nowhere is no folder"):
        read(runs, out_dir=tmp_path, image_dir=tmp_path / "nowhere")
    (tmp_path / "bad.bbox.json").write_text("[{}]")
    with pytest.raises(ValueError, match="entry 0 lacks"):
        read([*runs, tmp_path / "bad.bbox.json"], out_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match="image folder .*nope not found"):
        read([runs[0], write_run(tmp_path / "c", shapes_root, change=nowhere)], out_dir=tmp_path)
    (tmp_path / "b" / "epoch_1.pth").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="a web page"):
        read(runs, out_dir=tmp_path)


def test_what_must_be_detected_is_told_and_each_checkpoint_read_once(
    results_files, shapes_root: Path, tmp_path: Path, monkeypatch
) -> None:
    read_files: list[Path] = []
    load = torch.load
    monkeypatch.setattr(
        torch, "load", lambda file, **options: (read_files.append(file), load(file, **options))[1]
    )
    runs = [write_run(tmp_path / name, shapes_root) for name in ("a", "b")]
    sources = [*runs, f"{tmp_path}/../{tmp_path.name}/a", str(results_files[0])]
    inputs = resolve(sources, ["a", "b", "c", "file"], out_dir=tmp_path)
    assert isinstance(inputs, Inputs)
    assert [path.parent.name for path in read_files][:2] == ["a", "b"]
    assert list(inputs.runs) == ["a", "b", "c", "file"]
    # what two sources mean is detected once
    assert [inference.run.name for inference in inputs.inferences] == ["a", "b"]
    assert list(inputs.given) == [results_files[0]]
    assert inputs.image_dir == shapes_root / "val2017"
