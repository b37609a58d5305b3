"""Classes of config, annotation files and checkpoint that differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope

from senet_mm.coco.annotations import read_annotations

from .cases import Edit, Outcome, checkpoint, edit, file_of, read_by_mmdet

pytestmark = pytest.mark.slow

Run = Callable[..., Outcome]
NAMES = ("square", "triangle", "star", "ring", "cross", "sun", "moon")
TURNED = NAMES[::-1]
FEW = ("square", "star")


def no_change(data: dict) -> None:
    """Leave the file as it is."""


def reverse_categories(data: dict) -> None:
    data["categories"].reverse()


def keep_two(data: dict) -> None:
    data["categories"] = [c for c in data["categories"] if c["name"] in FEW]
    ids = {c["id"] for c in data["categories"]}
    data["annotations"] = [a for a in data["annotations"] if a["category_id"] in ids]


CONFIGS = [
    # (classes of the config, num_classes, what is done to the files, what the line says)
    (("Square", *NAMES[1:]), 7, no_change, r"has 'Square', which .* \(did you mean 'square'\?\)"),
    (tuple(n.upper() for n in NAMES), 7, no_change, "has 'SQUARE', 'TRIANGLE', .* its categories"),
    (("squares", *NAMES[1:]), 7, no_change, "did you mean 'square'"),
    ((*NAMES, "hexagon"), 8, no_change, "has 'hexagon', which .*instances_train2017.json has not"),
    (NAMES, 7, keep_two, "has 'triangle', 'ring', .* which .* has not"),
    (NAMES, 80, no_change, "model.roi_head.bbox_head.num_classes=80, but .* has 7 classes"),
    (NAMES, 3, no_change, "num_classes=3, but train_dataloader.dataset has 7 classes"),
    (FEW, 7, no_change, "num_classes=7, but train_dataloader.dataset has 2 classes"),
    (("square", "square"), 2, no_change, "metainfo.classes has 'square' more than once"),
    ("square", 1, no_change, r"metainfo.classes='square': expected a list of names, .*'square',"),
    (("square", 3), 2, no_change, "metainfo.classes=.'square', 3.: expected a list of names"),
    (7, 7, no_change, "metainfo.classes=7: expected a list of names"),
]


@pytest.mark.parametrize(("classes", "number", "change", "message"), CONFIGS)
@pytest.mark.parametrize("command", ["train", "test"])
def test_refused_in_one_line(
    tried: Run,
    root: Path,
    tmp_path: Path,
    config: Callable[..., Path],
    command: str,
    classes: Any,
    number: int,
    change: Edit,
    message: str,
) -> None:
    edit(root, change)
    own, work_dir = config(classes, number), ("--work-dir", tmp_path / "w")
    if command == "test":
        path = checkpoint(tmp_path / "epoch_1.pth", None)
        message = message.replace("train2017", "val2017").replace(
            "train_dataloader", "test_dataloader"
        )
        tried("test", own, path, *work_dir).refused(message)
    else:
        tried("train", own, *work_dir).refused(message)


def drawn(dataset: Any) -> list[list[str]]:
    """Names of the objects of each image, as the labels of a data set call them."""
    classes = dataset.metainfo["classes"]
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [[classes[one["bbox_label"]] for one in info["instances"]] for info in infos]


@pytest.mark.parametrize(
    ("classes", "number"), [(TURNED, 7), (NAMES, 7), (FEW, 2), (FEW[::-1], 2), (("moon",), 1)]
)
def test_names_follow_the_files_order(
    tried: Run,
    root: Path,
    tmp_path: Path,
    config: Callable[..., Path],
    classes: Sequence[str],
    number: int,
) -> None:
    outcome = tried("train", config(classes, number), "--work-dir", tmp_path / "w")
    notes = ["in another order"] if classes in (TURNED, FEW[::-1]) else []
    notes += ["their objects are left out"] if number < 7 else []
    outcome.accepted(*notes)
    init_default_scope("mmdet")
    cfg = outcome.config.val_dataloader.dataset
    file = read_annotations(file_of(root, "val"))
    expected = [
        [file.evaluated_classes[file.objects.category[row]] for row in file.objects_in(i, i + 1)]
        for i in range(len(file.image_ids))
    ]
    expected = [[name for name in names if name in classes] for names in expected]
    assert drawn(DATASETS.build(dict(cfg, pipeline=[]))) == expected
    assert read_by_mmdet(outcome.config)["coco/bbox_mAP"] == 1


def test_colours_follow_their_names(
    tried: Run, tmp_path: Path, config: Callable[..., Path]
) -> None:
    palette = [(i, i, i) for i in range(7)]
    more = f"data['metainfo']['palette'] = {palette!r}\ntrain_dataloader = dict(dataset=data)\n"
    outcome = tried("train", config(TURNED, 7, more=more), "--work-dir", tmp_path / "w")
    outcome.accepted("in another order")
    metainfo = outcome.config.train_dataloader.dataset.metainfo
    assert tuple(metainfo.classes) == NAMES
    assert [tuple(color) for color in metainfo.palette] == palette[::-1]


def test_a_file_of_names(tried: Run, tmp_path: Path, config: Callable[..., Path]) -> None:
    names = tmp_path / "names.txt"
    names.write_text("\n".join(NAMES))
    tried("train", config(str(names), 7), "--work-dir", tmp_path / "w").accepted()


def test_files_of_different_orders_are_refused(
    tried: Run, root: Path, tmp_path: Path, config: Callable[..., Path]
) -> None:
    edit(root, reverse_categories, ["val"])
    outcome = tried("train", config(NAMES, 7), "--work-dir", tmp_path / "w")
    outcome.refused("expected the same in the same order; .* sort 'categories'")
    outcome = tried("train", config(NAMES, 7, val=FEW), "--work-dir", tmp_path / "w")
    outcome.refused("val_dataloader.dataset has 'star', 'square': expected the same")


CHECKPOINTS = [
    # (classes of the checkpoint, what a test says)
    (TURNED, "labels would be taken for others; sort 'categories' of the annotation file"),
    ((*NAMES[:-1], "crescent"), "was trained on 7 classes .* give the data set that it was"),
    (tuple("abcdefg"), "was trained on 7 classes"),
    (FEW, "was trained on 2 classes"),
    ((*NAMES, "hexagon"), "was trained on 8 classes .* test_evaluator.classwise=True"),
]


@pytest.mark.parametrize(("classes", "message"), CHECKPOINTS)
def test_a_checkpoint_of_other_classes(
    tried: Run,
    root: Path,
    tmp_path: Path,
    config: Callable[..., Path],
    classes: Sequence[str],
    message: str,
) -> None:
    path, own = checkpoint(tmp_path / "epoch_1.pth", classes), config(NAMES, 7)
    where = ("--work-dir", tmp_path / "w")
    tried("test", own, path, *where).refused(message)
    tried("gates", own, path, *where).refused(message)
    tried("train", own, *where, "--resume", path).refused(message)
    other = checkpoint(tmp_path / "other.pth", NAMES)
    compared = ("compare", f"{own},{other}", f"{own},{path}", "--names", "a", "b")
    tried(*compared, "--out-dir", tmp_path / "out").refused(message)
    tuned = tried("train", own, *where, "--cfg-options", f"load_from={path}")
    if set(classes) == set(NAMES):
        tuned.refused(message)
    else:
        tuned.accepted("what its heads know of classes is taken for others, or starts anew")


@pytest.mark.parametrize("classes", [NAMES, None])
def test_a_checkpoint_of_the_same_classes_or_of_none(
    tried: Run,
    tmp_path: Path,
    config: Callable[..., Path],
    classes: Sequence[str] | None,
) -> None:
    path, own = checkpoint(tmp_path / "epoch_1.pth", classes), config(NAMES, 7)
    tried("test", own, path, "--work-dir", tmp_path / "w").accepted()


def test_pictures_are_drawn_with_the_checkpoints_names(
    tried: Run, root: Path, tmp_path: Path, config: Callable[..., Path]
) -> None:
    picture = tmp_path / "x.png"
    cv2.imwrite(str(picture), np.zeros((64, 64, 3), np.uint8))
    path, own = checkpoint(tmp_path / "epoch_1.pth", TURNED), config(NAMES, 7)
    outcome = tried("infer", own, path, picture, "--out-dir", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "the checkpoint's names are taken" in outcome.err


def test_a_checkpoint_is_tested_on_a_part_of_its_classes(
    tried: Run, tmp_path: Path, config: Callable[..., Path]
) -> None:
    path, own = checkpoint(tmp_path / "epoch_1.pth", NAMES), config(("moon",), 7)
    outcome = tried("test", own, path, "--work-dir", tmp_path / "w")
    outcome.refused(r"has 1 \('moon'\): evaluate all of its classes .*classwise=True")
