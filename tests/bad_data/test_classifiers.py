"""What is wrong with the data of a classifier, kind by kind, before a run computes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from senet_mm.classification.scores import Scores, write_scores
from tests.classifier_data import CLASSES, write_cifar, write_config, write_folders, write_lists

from .cases import Outcome

pytest.importorskip("mmpretrain.models")
pytestmark = pytest.mark.filterwarnings("ignore")

Run = Callable[..., Outcome]
Spoil = Callable[[Path], object]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work dirs that no argument names are made where commands are run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "data")


@pytest.fixture
def train(tried: Run, tmp_path: Path) -> Run:
    def run(root: Path, *options: object, kind: str = "CustomDataset", more: str = "") -> Outcome:
        config = write_config(tmp_path / "own.py", root, kind, more)
        return tried("train", config, "--work-dir", tmp_path / "w", *options)

    return run


def moved(path: Path, *, to: str) -> None:
    shutil.move(path, path.with_name(to))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


FOLDERS = [
    # (what is changed, what the line says)
    (shutil.rmtree, "--data-root .*data is no folder: expected train/CLASS"),
    (lambda root: shutil.rmtree(root / "val"), r"val_dataloader.dataset: .*val is no folder"),
    (lambda root: shutil.rmtree(root / "val" / "cat"), "alone has 'cat'. Labels are numbered in"),
    (lambda root: (root / "val" / "ant").mkdir(), "1 of the 4 classes in .*val have no im"),
    (lambda root: moved(root / "val" / "dog", to="wolf"), "train_dataloader.*alone has 'dog'"),
    (
        lambda root: [path.unlink() for path in (root / "train" / "cat").iterdir()],
        "1 of the 3 classes in .*train have no images .first 'cat'; images end in .bmp",
    ),
    (
        lambda root: [shutil.move(p, root / "val" / f"{p.parent.name}{p.name}")
                      for p in (root / "val").glob("*/*")]
        and [p.rmdir() for p in (root / "val").iterdir() if p.is_dir()],
        r"val, which .* reads, has no folders of classes \(9 images lie in it\); expected",
    ),
    (lambda root: cut(root / "val" / "cat" / "1.png"), "1 pictures of val_.*cat/1.png: replace"),
    (lambda root: (root / "train/dog/0.png").write_bytes(b""), "1 pictures of train_.*dog/0.png"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), FOLDERS)
def test_folders(train: Run, folders: Path, spoil: Spoil, message: str) -> None:
    spoil(folders)
    outcome = train(Path("elsewhere"), "--data-root", folders)
    outcome.refused(message)
    assert outcome.config is None


def test_a_whole_folder_gives_its_classes(train: Run, folders: Path) -> None:
    outcome = train(Path("elsewhere"), "--data-root", folders)
    outcome.accepted("val_evaluator.topk is set to (1,)")
    cfg = outcome.config
    assert cfg.model.head.num_classes == cfg.data_preprocessor.num_classes == 3
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert tuple(loader.dataset.metainfo.classes) == CLASSES
        assert loader.dataset.data_root == str(folders)


def test_pictures_are_not_looked_at_where_that_is_said(train: Run, folders: Path) -> None:
    cut(folders / "val" / "cat" / "1.png")
    outcome = train(Path("elsewhere"), "--data-root", folders, "--no-check-images")
    assert outcome.code == 0, outcome.err


CLASS_NUMBERS = [
    # (more of the config, what the line says)
    (
        "model['head']['num_classes'] = 2",
        r"train_dataloader.dataset has 3 classes and labels up to 2, but model.head.num_classes=2: "
        "set model.head.num_classes=3",
    ),
    ("data['metainfo'] = dict(classes=('a', 'b'))", "has 2 classes .* and 3 folders of them"),
    (
        "data['metainfo'] = dict(classes=('dog', 'cat', 'bird'))",
        "labels are numbered in the order of its folders, 'bird', 'cat', 'dog': give",
    ),
    (
        "data['metainfo'] = dict(classes=('ant', 'cat', 'dog'))",
        "has the classes 'ant', 'cat', 'dog', but labels are numbered in the order of its folders",
    ),
]


@pytest.mark.parametrize(("more", "message"), CLASS_NUMBERS)
def test_classes_of_the_config(train: Run, folders: Path, more: str, message: str) -> None:
    again = "\ntrain_dataloader['dataset'].update(data)\nval_dataloader['dataset'].update(data)"
    train(folders, more=more + again).refused(message)


def test_classes_called_otherwise_than_their_folders(train: Run, folders: Path) -> None:
    more = "".join(
        f"{name}_dataloader['dataset']['metainfo'] = dict(classes=('ant', 'bee', 'fly'))\n"
        for name in ("train", "val")
    )
    outcome = train(folders, more=more)
    outcome.accepted("folders 'bird', 'cat', 'dog' are taken for the classes 'ant', 'bee', 'fly'")


def test_a_head_with_more_classes_is_told(train: Run, folders: Path) -> None:
    train(folders).accepted("head.num_classes=10, but train_dataloader.dataset has 3 classes")


LISTS = [
    # (what is changed, what the line says)
    (lambda meta: (meta / "val.txt").write_text(""), "val.txt is empty; expected lines"),
    (lambda meta: (meta / "val.txt").write_text("cat/0.png"), "line 1 of .*val.txt is 'cat/0.png'"),
    (lambda meta: (meta / "val.txt").write_text("cat/0.png 1\n\n"), "line 2 of .*val.txt is ''"),
    (lambda meta: (meta / "val.txt").write_text("cat/0.png one"), "expected `IMAGE LABEL`, with"),
    (lambda meta: (meta / "val.txt").write_text("cat/0.png -1"), "with the number of the class"),
    (lambda meta: (meta / "val.txt").write_text("cat/0.png 3"), "labels up to 3, but 3 classes"),
    (lambda meta: (meta / "val.txt").write_text("cat/0.png 12"), "labels up to 12, but model.head"),
    (lambda meta: (meta / "val.txt").write_bytes(b"\xe9.png 1"), "val.txt is no UTF-8 text"),
    (lambda meta: (meta / "val.txt").write_text("cat/none.png 1"), "cat/none.png: replace them"),
    (lambda meta: (meta / "val.txt").unlink(), "val.txt is no file; expected"),
]


@pytest.mark.parametrize(("spoil", "message"), LISTS)
def test_lists(train: Run, folders: Path, spoil: Spoil, message: str) -> None:
    spoil(write_lists(folders) / "meta")
    more = "".join(
        f"{name}_dataloader['dataset'].update(ann_file='meta/{name}.txt', "
        f"metainfo=dict(classes={CLASSES}))\n"
        for name in ("train", "val")
    )
    outcome = train(Path("elsewhere"), "--data-root", folders, more=more)
    outcome.refused(message)


def test_whole_lists(train: Run, folders: Path) -> None:
    write_lists(folders)
    outcome = train(Path("elsewhere"), "--data-root", folders, kind="ImageNet", more="".join(
        f"{name}_dataloader['dataset'].update(split='{name}', metainfo=dict(classes={CLASSES}))\n"
        for name in ("train", "val")
    ))  # fmt: skip
    outcome.accepted("model.head.num_classes=10, but train_dataloader.dataset has 3 classes")


CIFAR = [
    # (what is changed, what the line says)
    (shutil.rmtree, r"lacks 3 of 3 files \(data_batch_1, data_batch_2, test_batch\): unpack https"),
    (lambda folder: (folder / "test_batch").unlink(), r"lacks 1 of 3 files \(test_batch\)"),
    (lambda folder: cut(folder / "data_batch_2"), "data_batch_2 is damaged or another file: its M"),
]


@pytest.mark.parametrize(("spoil", "message"), CIFAR)
def test_cifar(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Spoil, message: str
) -> None:
    root = write_cifar(tmp_path / "data", monkeypatch)
    spoil(root / "cifar-10-batches-py")
    train(Path("elsewhere"), "--data-root", root, kind="CIFAR10").refused(message)


@pytest.mark.parametrize("inside", ["", "cifar-10-batches-py"])
def test_whole_cifar(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    root = write_cifar(tmp_path / "data", monkeypatch)
    outcome = train(Path("elsewhere"), "--data-root", root / inside, kind="CIFAR10")
    outcome.accepted("train_dataloader.dataset.download is set to False")
    assert outcome.config.val_dataloader.dataset.data_root == str(root)


def test_a_download_that_is_asked_for_is_told(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_cifar(tmp_path / "data", monkeypatch)
    shutil.rmtree(root / "cifar-10-batches-py")
    more = "train_dataloader['dataset']['download'] = val_dataloader['dataset']['download'] = True"
    outcome = train(root, kind="CIFAR10", more=more)
    outcome.accepted("train_dataloader.dataset.download=True: https://www.cs.toronto.edu")


def test_data_of_other_kinds(train: Run, folders: Path) -> None:
    outcome = train(Path("elsewhere"), "--data-root", folders, kind="MultiLabelDataset")
    outcome.refused("--data-root works with images in folders .*not with MultiLabelDataset")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("bird", "cat", "emu"), "was trained on 3 classes .*has 3 .*expected the same, as"),
        (("cat", "bird", "dog"), "was trained on 3 classes .'cat', 'bird', 'dog'."),
    ],
)
def test_a_checkpoint_of_other_classes(
    tried: Run, folders: Path, tmp_path: Path, classes: tuple[str, ...], message: str
) -> None:
    config = write_config(tmp_path / "own.py", folders)
    meta = dict(dataset_meta=dict(classes=classes))
    torch.save(dict(meta=meta, state_dict=dict(x=torch.zeros(1))), tmp_path / "x.pth")
    outcome = tried("test", config, tmp_path / "x.pth", "--data-root", folders)
    outcome.refused(f"the checkpoint .*x.pth {message}")
    options = ["--data-root", folders, "--work-dir", tmp_path / "w"]
    told = tried("train", config, *options, "--cfg-options", f"load_from={tmp_path / 'x.pth'}")
    told.accepted("what its head knows of classes is taken for others", "topk")


def test_commands_of_detectors(tried: Run, folders: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "own.py", folders)
    torch.save({}, tmp_path / "x.pth")
    says = "works on detection, but the config .*own.py is for classification"
    tried("infer", config, tmp_path / "x.pth", folders / "val/cat/0.png").refused(f"infer {says}")
    tried("gates", config, tmp_path / "x.pth").refused(f"gates {says}")
    tried("benchmark", "--configs", config, config, "--parts", "detector", "--quick").refused(says)
    run = f"{config},{tmp_path / 'x.pth'}"
    tried("compare", run, "x.bbox.json").refused("x.bbox.json: expected a classifier")
    tried("test", config, tmp_path / "x.pth", "--out", tmp_path / "x.pkl").refused(
        "x.pkl: a config for classification gives a .npz file"
    )


def test_augmentation_without_a_pipeline(tried: Run, folders: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "own.py", folders)
    torch.save(dict(state_dict=dict(x=torch.zeros(1))), tmp_path / "x.pth")
    outcome = tried("test", config, tmp_path / "x.pth", "--tta", "--work-dir", tmp_path / "w")
    outcome.refused("--tta: the config .*own.py has no tta_pipeline: add it")
    run = f"{config},{tmp_path / 'x.pth'}"
    compare = ["compare", run, run, "--names", "a", "b", "--tta", "--out-dir", tmp_path / "w"]
    tried(*compare).refused("--tta: the config .*own.py has no tta_pipeline: add it")
    scores = Scores("x", np.eye(1), np.zeros(1, int), np.array(["0.png"]), np.array(["cat"]))
    write_scores(tmp_path / "x.npz", scores)
    compare[1] = tmp_path / "x.npz"
    tried(*compare).refused("--tta: .*x.npz holds scores that are made already: expected a work")
    more = "tta_pipeline = [dict(type='TestTimeAug', transforms=[[dict(type='PackInputs')]])]"
    config = write_config(tmp_path / "own.py", folders, more=more)
    outcome = tried("test", config, tmp_path / "x.pth", "--tta", "--work-dir", tmp_path / "w")
    assert outcome.config.model.type == "mmpretrain.AverageClsScoreTTA"
    assert outcome.config.model.module.type == "ImageClassifier"
    assert outcome.config.test_dataloader.dataset.pipeline[0].type == "TestTimeAug"
