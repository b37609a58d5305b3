"""One data set in three layouts, up to what mmdet reads of it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.data.data_root import set_data_root
from senet_mm.runs.data.layouts.places import coco_places
from senet_mm.runs.data.layouts.store import FOLDER

from .folders import coco_data, detections, metrics, write_voc, write_yolo

WRITE = {"yolo": write_yolo, "voc": write_voc}


@pytest.fixture(scope="module")
def made(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The embedded data set as a YOLO and as a VOC folder."""
    root = tmp_path_factory.mktemp("layouts")
    return {name: write(shapes_root, root / name) for name, write in WRITE.items()}


@pytest.fixture
def roots(made: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """Copies to be spoiled."""
    return {
        name: Path(shutil.copytree(root, tmp_path / name, symlinks=True))
        for name, root in made.items()
    }


def config() -> Config:
    return Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))


@pytest.mark.parametrize("layout", WRITE)
def test_the_same_numbers_as_of_cocos_files(
    layout: str, roots: dict[str, Path], shapes_root: Path
) -> None:
    truth = coco_data(shapes_root, "val")
    found = coco_places(roots[layout], [one["name"] for one in truth["categories"]])
    assert found is not None and found[0] == roots[layout]
    theirs = detections(truth)
    expected = metrics(shapes_root / "annotations" / "instances_val2017.json", theirs)
    got = metrics(found[1]["val"].ann_file, theirs)
    np.testing.assert_array_equal(got[[0, 1, 2, 6, 7, 8]], expected[[0, 1, 2, 6, 7, 8]])
    assert 0.1 < expected[0] < 0.9


@pytest.mark.parametrize("layout", WRITE)
def test_a_config_reads_them(layout: str, roots: dict[str, Path], shapes_root: Path) -> None:
    init_default_scope("mmdet")
    cfg = config()
    set_data_root(cfg, roots[layout])
    assert cfg.model.roi_head.bbox_head.num_classes == 7
    for loader, split in (("train", "train"), ("val", "val"), ("test", "val")):
        mine = cfg[f"{loader}_dataloader"].dataset
        assert mine.data_root == f"{roots[layout]}/" and mine.ann_file.startswith(f"{FOLDER}/")
        dataset = DATASETS.build(dict(mine, pipeline=[], filter_cfg=None))
        assert len(dataset) == len(coco_data(shapes_root, split)["images"])
        infos = [dataset.get_data_info(index) for index in range(len(dataset))]
        assert all(Path(info["img_path"]).is_file() for info in infos)
        objects = sum(len(info["instances"]) for info in infos)
        assert objects == len(coco_data(shapes_root, split)["annotations"])
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert evaluator.ann_file == str(roots[layout] / cfg.val_dataloader.dataset.ann_file)


def test_files_are_made_once_and_anew_where_labels_change(
    roots: dict[str, Path], capsys: pytest.CaptureFixture
) -> None:
    root = roots["yolo"]
    before = {path for path in root.rglob("*") if path.is_file()}
    contents = {path: path.read_bytes() for path in before}

    def files() -> list[Path]:
        found = coco_places(root)
        assert found is not None
        return [found[1][split].ann_file for split in ("train", "val")]

    first = files()
    assert "taken as background" in capsys.readouterr().err
    times = [path.stat().st_mtime_ns for path in first]
    assert files() == first and [path.stat().st_mtime_ns for path in first] == times
    assert capsys.readouterr().err == ""
    # nothing of the user's is touched, and what is new is in one folder
    assert {path: path.read_bytes() for path in before} == contents
    new = {path for path in root.rglob("*") if path.is_file()} - before
    assert {path.parent.name for path in new} == {FOLDER}
    label = next((root / "labels" / "val").iterdir())
    label.write_text("0 0.5 0.5 0.1 0.1\n")
    train, val = files()
    assert train == first[0] and val != first[1]
    assert first[1].is_file()  # what was trained with it may be compared still
    # pictures without their label file are others than with an empty one
    label.write_text("")
    empty = files()[1]
    label.unlink()
    assert files()[1] not in (val, empty)


def test_a_read_only_folder(
    roots: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (roots["voc"] / FOLDER).touch()
    cfg = config()
    set_data_root(cfg, roots["voc"])
    assert Path(cfg.val_dataloader.dataset.ann_file).is_relative_to(tmp_path / "cache")
    init_default_scope("mmdet")
    dataset = DATASETS.build(dict(cfg.val_dataloader.dataset, pipeline=[]))
    assert Path(dataset.get_data_info(0)["img_path"]).is_file()
    # a config that was saved with these paths can be moved as any other
    set_data_root(cfg, roots["yolo"])
    assert cfg.val_dataloader.dataset.ann_file.startswith(f"{FOLDER}/")


def test_a_saved_config_finds_the_labels_of_today(roots: dict[str, Path]) -> None:
    root = roots["yolo"]
    cfg = config()
    set_data_root(cfg, root)
    old = cfg.val_dataloader.dataset.ann_file
    next((root / "labels" / "val").iterdir()).write_text("")
    set_data_root(cfg, root / "data.yaml")  # as ultralytics has it
    assert cfg.val_dataloader.dataset.data_root == f"{root}/"
    assert cfg.val_dataloader.dataset.ann_file != old


def test_broken_entries_are_one_line(roots: dict[str, Path]) -> None:
    for layout, spoil, told, given in (
        ("yolo", "labels/train/*.txt", r":1: 1 numbers; expected CLASS", "data.yaml"),
        ("voc", "Annotations/val_*.xml", r"no XML: syntax error", ""),
    ):
        file = sorted(roots[layout].glob(spoil))[0]
        file.write_text("nonsense")
        message = rf"the {layout.upper()} folder {roots[layout]} has 1 broken entry in its .* "
        with pytest.raises(ValueError, match=f"{message}.*{re.escape(str(file))}") as err:
            coco_places(roots[layout] / given)
        assert re.search(told, str(err.value))
        # which names one data set of several
        assert f"`senet-mm data {roots[layout] / given}` lists" in str(err.value)
        assert "\n" not in str(err.value)


def test_polygons_become_masks(shapes_root: Path, tmp_path: Path) -> None:
    data = coco_data(shapes_root, "val")
    for one in data["annotations"]:
        x, y, w, h = one["bbox"]
        one["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    root = tmp_path / "coco"
    shutil.copytree(shapes_root, root)
    for split in ("train", "val"):
        (root / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(data))
    shutil.rmtree(root / "train2017")
    shutil.copytree(root / "val2017", root / "train2017")
    found = coco_places(write_yolo(root, tmp_path / "yolo", polygons=True))
    assert found is not None
    made = json.loads(found[1]["val"].ann_file.read_text())["annotations"]
    for mine, one in zip(made, data["annotations"], strict=True):
        np.testing.assert_allclose(mine["segmentation"], one["segmentation"], atol=0.006)
        np.testing.assert_allclose(mine["bbox"], one["bbox"], atol=0.011)
        assert mine["area"] == pytest.approx(one["bbox"][2] * one["bbox"][3], abs=2)


def test_an_unknown_layout(tmp_path: Path) -> None:
    assert coco_places(tmp_path) is None
    (tmp_path / "x.txt").touch()
    with pytest.raises(
        FileNotFoundError, match=r"x\.txt has no annotation file\. Expected is COCO"
    ):
        set_data_root(config(), tmp_path / "x.txt")


def test_a_folder_with_a_val_split_alone(roots: dict[str, Path]) -> None:
    root = roots["voc"]
    (root / "ImageSets" / "Main" / "train.txt").unlink()
    cfg = config()
    set_data_root(cfg, root)
    assert cfg.test_dataloader.dataset.ann_file.startswith(f"{FOLDER}/instances_val")
    assert cfg.train_dataloader.dataset.data_root == f"{root}/"
