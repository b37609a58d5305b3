import json
import shutil
from pathlib import Path

import pytest
import torch
from mmdet.datasets import CocoDataset
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.config import inference_config, load_config
from senet_mm.runs.data.check import check_data
from senet_mm.runs.data.data_root import set_data_root
from senet_mm.runs.preflight import prepare


def config(name: str, **options: object) -> Config:
    cfg = Config.fromfile(config_path(name))
    cfg.merge_from_dict(options)
    return cfg


def test_data(shapes_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "shapes"
    shutil.copytree(shapes_root, root)
    cfg = config("faster_rcnn_r50_fpn.py")
    with pytest.raises(FileNotFoundError, match="data/coco/annotations/instances_val2017.json"):
        check_data(cfg, ("val_dataloader",))
    set_data_root(cfg, root)
    loaders = ("train_dataloader", "val_dataloader", "test_dataloader")
    check_data(cfg, loaders)
    image = next((root / "val2017").iterdir())
    image.unlink()
    with pytest.raises(FileNotFoundError, match=image.name):
        check_data(cfg, loaders)
    check_data(cfg, loaders[:1])


def test_every_way_to_name_a_data_set(shapes_root: Path) -> None:
    cfg = config("faster_rcnn_r50_fpn.py")
    dataset = cfg.test_dataloader.dataset
    dataset.type = CocoDataset
    with pytest.raises(FileNotFoundError, match="data/coco"):
        check_data(cfg, ("test_dataloader",))
    dataset.backend_args = dict(backend="petrel")  # not on the local disk
    check_data(cfg, ("test_dataloader",))
    dataset.backend_args = None
    set_data_root(cfg, shapes_root)
    dataset.data_root = f"{shapes_root}/val2017/"
    dataset.ann_file = "../annotations/instances_val2017.json"
    del dataset["data_prefix"]
    check_data(cfg, ("test_dataloader",))


def test_a_training_set_without_annotations_is_refused(shapes_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "empty"
    shutil.copytree(shapes_root, root)
    path = root / "annotations" / "instances_train2017.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(annotations=[])))
    cfg = config("faster_rcnn_r50_fpn.py")
    set_data_root(cfg, root)
    with pytest.raises(ValueError, match="nothing to train on"):
        check_data(cfg, ("train_dataloader",))


def test_prepare_is_idempotent(shapes_root: Path, tmp_path: Path) -> None:
    cfg = config("demo/faster_rcnn_r18_fpn_shapes.py", work_dir=str(tmp_path / "w"))
    set_data_root(cfg, shapes_root)
    prepare(cfg, "train")
    once = cfg.pretty_text
    prepare(cfg, "train")
    assert cfg.pretty_text == once
    assert [hook["type"] for hook in cfg.custom_hooks] == [
        "mmengine.SeedHook",
        "mmengine.FiniteHook",
        "mmengine.WholeCheckpointHook",
        "mmengine.ResumeHook",
        "mmengine.WeightsHook",
    ]
    assert (tmp_path / "w").is_dir()
    cfg.resume = True
    prepare(cfg, "train")
    assert cfg.custom_hooks[-1]["type"] == "mmengine.CheckFitHook"


def test_a_test_reads_its_checkpoint_and_refuses_what_does_not_fit(
    shapes_root: Path, tmp_path: Path
) -> None:
    cfg = config("demo/faster_rcnn_r18_fpn_shapes.py")
    set_data_root(cfg, shapes_root)
    torch.save({"x": torch.zeros(1)}, tmp_path / "a.pth")
    tested = inference_config(cfg, tmp_path / "a.pth", tmp_path / "test")
    prepare(tested, "test")
    assert "mmengine.CheckFitHook" in [hook["type"] for hook in tested.custom_hooks]
    (tmp_path / "a.pth").write_text("<html>")
    with pytest.raises(ValueError, match=r"a\.pth is a web page"):
        prepare(tested, "test")


def test_a_work_dir_that_cannot_be_written(shapes_root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cfg = load_config(
        "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py",
        work_dir=str(tmp_path / "file" / "x"),
        data_root=str(shapes_root),
    )
    with pytest.raises(OSError, match=r"cannot write to the work dir .*file/x.*--work-dir"):
        prepare(cfg, "train")


def test_a_launcher_that_did_not_start_this_process(monkeypatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    cfg = config("demo/faster_rcnn_r18_fpn_shapes.py", launcher="pytorch")
    with pytest.raises(ValueError, match=r"RANK is not set: torchrun sets it; start"):
        prepare(cfg, "train")
