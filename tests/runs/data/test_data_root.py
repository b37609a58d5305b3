import json
import shutil
from pathlib import Path

import pytest
from mmdet.datasets import CocoDataset
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.data.data_root import set_data_root


@pytest.fixture
def cfg() -> Config:
    return Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))


def test_rewrites_every_path_and_the_classes(cfg: Config, shapes_root: Path) -> None:
    set_data_root(cfg, shapes_root)
    for loader, split in (("train", "train"), ("val", "val"), ("test", "val")):
        dataset = cfg[f"{loader}_dataloader"].dataset
        assert Path(dataset.data_root, dataset.ann_file).is_file()
        assert Path(dataset.data_root, dataset.data_prefix.img) == shapes_root / f"{split}2017"
        assert dataset.metainfo.classes[0] == "square"
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert evaluator.ann_file == str(shapes_root / "annotations/instances_val2017.json")
    assert cfg.model.roi_head.bbox_head.num_classes == 7


def test_reaches_wrapped_data_sets_and_lists_of_evaluators(cfg: Config, shapes_root: Path) -> None:
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type="RepeatDataset", times=2, dataset=inner)
    cfg.val_evaluator = [cfg.val_evaluator]
    set_data_root(cfg, shapes_root)
    assert cfg.train_dataloader.dataset.dataset.data_root == f"{shapes_root}/"
    assert cfg.val_evaluator[0].ann_file.startswith(str(shapes_root))


def test_reaches_every_evaluator_path(cfg: Config, shapes_root: Path) -> None:
    metric = dict(type="CocoPanopticMetric", seg_prefix="data/coco/annotations/panoptic/")
    cfg.test_evaluator = dict(type="MultiDatasetsEvaluator", metrics=[cfg.test_evaluator, metric])
    set_data_root(cfg, shapes_root)
    coco, panoptic = cfg.test_evaluator.metrics
    assert coco.ann_file == f"{shapes_root}/annotations/instances_val2017.json"
    assert panoptic.seg_prefix == f"{shapes_root}/annotations/panoptic/"


def test_data_sets_given_by_class_or_without_metainfo(cfg: Config, shapes_root: Path) -> None:
    cfg.train_dataloader.dataset.type = CocoDataset
    cfg.train_dataloader.dataset.metainfo = None
    set_data_root(cfg, shapes_root)
    assert cfg.model.roi_head.bbox_head.num_classes == 7


def test_what_it_cannot_move_is_named(cfg: Config, shapes_root: Path) -> None:
    cfg.test_dataloader.dataset.type = "LVISV1Dataset"
    with pytest.raises(ValueError, match="works with CocoDataset, not with LVISV1Dataset"):
        set_data_root(cfg, shapes_root)
    cfg.test_dataloader.dataset.type = "CocoDataset"
    cfg.train_dataloader.dataset.ann_file = "/data/train.json"
    with pytest.raises(ValueError, match="absolute path /data/train.json"):
        set_data_root(cfg, shapes_root)


def test_a_head_that_would_not_follow_is_an_error(cfg: Config, shapes_root: Path) -> None:
    cfg.model.roi_head.bbox_head.num_classes = 3
    with pytest.raises(ValueError, match="has 7 classes, but no head .* num_classes=80"):
        set_data_root(cfg, shapes_root)


def test_coco_classes_stay_as_they_are(cfg: Config, shapes_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "coco"
    shutil.copytree(shapes_root, root)
    for path in (root / "annotations").glob("*.json"):
        data = json.loads(path.read_text())
        data["annotations"] = []
        names = CocoDataset.METAINFO["classes"]
        data["categories"] = [dict(id=i, name=name) for i, name in enumerate(names)]
        path.write_text(json.dumps(data))
    set_data_root(cfg, root)
    assert cfg.model.roi_head.bbox_head.num_classes == 80
    assert "metainfo" not in cfg.train_dataloader.dataset


def test_a_missing_folder_and_an_empty_one(cfg: Config, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nope is no folder.*train2017/"):
        set_data_root(cfg, tmp_path / "nope")
    with pytest.raises(FileNotFoundError, match=r"has no annotation file.*senet-mm demo"):
        set_data_root(cfg, tmp_path)


def test_different_categories_in_the_two_files(cfg: Config, shapes_root: Path, tmp_path) -> None:
    root = tmp_path / "odd"
    shutil.copytree(shapes_root, root)
    path = root / "annotations" / "instances_val2017.json"
    data = json.loads(path.read_text())
    data["categories"][0]["name"] = "blob"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"differ: id \d+ 'square' and id \d+ 'blob'\); they"):
        set_data_root(cfg, root)
