import json
import shutil
from pathlib import Path

import pytest
import torch
from mmdet.datasets import CocoDataset
from mmengine.config import Config
from mmengine.model import PretrainedInit

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs import preflight as checks
from senet_mm.runs.data_root import set_data_root
from senet_mm.runs.preflight import check_checkpoints, check_data, check_fit, check_frozen


def config(name: str, **options: object) -> Config:
    cfg = Config.fromfile(config_path(name))
    cfg.merge_from_dict(options)
    return cfg


@pytest.mark.parametrize("name", ["faster_rcnn_r50_fpn.py", "demo/faster_rcnn_r18_fpn_shapes.py"])
def test_pretrained_or_unfrozen_runs_pass(name: str) -> None:
    check_frozen(config(name))


def test_frozen_random_weights_are_refused() -> None:
    name = "ablations/table10_r2.py"
    with pytest.raises(ValueError, match="frozen_stages=1 and norm_eval=True.*init_cfg"):
        check_frozen(config(name))
    backbone = "model.backbone."
    with pytest.raises(ValueError, match="frozen_stages=-1 and norm_eval=True"):
        check_frozen(config(name, **{backbone + "frozen_stages": -1}))
    check_frozen(config(name, **{backbone + "frozen_stages": -1, backbone + "norm_eval": False}))
    weights = {backbone + "init_cfg.type": "Pretrained", backbone + "init_cfg.checkpoint": "a.pth"}
    check_frozen(config(name, **weights))
    check_frozen(config(name, load_from="a.pth"))


def test_defaults_of_the_backbone_count_and_what_does_nothing_does_not(tmp_path: Path) -> None:
    cfg = config("faster_rcnn_se_r50_fpn.py")
    cfg.model.backbone = dict(type="SEResNet", depth=50)  # mmdet's default is norm_eval=True
    with pytest.raises(ValueError, match="frozen_stages=-1 and norm_eval=True"):
        check_frozen(cfg)
    cfg.model.backbone.norm_cfg = dict(type="GN", num_groups=32)
    check_frozen(cfg)
    cfg = config("ablations/table10_r2.py")
    cfg.model.init_cfg = dict(type="Pretrained", checkpoint="detector.pth")
    check_frozen(cfg)


def test_resuming_counts_as_weights_only_where_there_is_a_checkpoint(tmp_path: Path) -> None:
    cfg = config("ablations/table10_r2.py", resume=True, work_dir=str(tmp_path))
    with pytest.raises(ValueError, match="would freeze random ones"):
        check_frozen(cfg)
    (tmp_path / "last_checkpoint").write_text("epoch_1.pth")
    check_frozen(cfg)


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


def test_fit() -> None:
    model = {"a.weight": torch.zeros(2, 3), "b.weight": torch.zeros(4)}
    check_fit({"module.a.weight": torch.ones(2, 3), "module.b.weight": torch.ones(4)}, model, "x")
    with pytest.raises(ValueError, match=r"x\.pth .*1 are missing and 0.*b\.weight is missing"):
        check_fit({"a.weight": torch.ones(2, 3)}, model, "x.pth")
    with pytest.raises(ValueError, match=r"a\.weight is \(2, 9\), expected \(2, 3\)"):
        check_fit({"a.weight": torch.ones(2, 9), "b.weight": torch.ones(4)}, model, "x.pth")


def test_every_checkpoint_of_a_training_is_read(tmp_path: Path, monkeypatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(checks, "fetch", read.append)
    cfg = config("faster_rcnn_se_r50_fpn.py", work_dir=str(tmp_path))
    cfg.model.backbone.init_cfg = [
        dict(type="Kaiming", layer="Conv2d"),
        dict(type="Pretrained", checkpoint="a.safetensors"),  # our backbones read these
    ]
    cfg.model.neck.init_cfg = dict(type="Pretrained", checkpoint="b.pth", prefix="neck.")
    cfg.model.roi_head.bbox_head.init_cfg = dict(type=PretrainedInit, checkpoint="c.pth")
    cfg.model.init_cfg = dict(type="Pretrained", checkpoint="d.pth")
    check_checkpoints(cfg)
    assert sorted(read) == ["a.safetensors", "b.pth", "c.pth", "d.pth"]
    read.clear()
    cfg.model = dict(backbone=dict(type="ResNet", pretrained="e.pth"))
    cfg.resume = True
    check_checkpoints(cfg)
    (tmp_path / "last_checkpoint").write_text("epoch_1.pth")
    check_checkpoints(cfg)
    cfg.load_from = "f.pth"
    check_checkpoints(cfg)
    assert read == ["e.pth", "e.pth", "epoch_1.pth", "e.pth", "f.pth"]
    cfg.model.backbone.pretrained = "a.safetensors"
    with pytest.raises(ValueError, match=r"mmengine, which loads a\.safetensors here"):
        check_checkpoints(cfg)


@pytest.mark.parametrize(
    "model",
    [
        dict(backbone=dict(type="ResNet", init_cfg=dict(type="mmengine.Pretrained"))),
        dict(backbone=dict(type="SEResNet", init_cfg=dict(type="mmengine.Pretrained"))),
        dict(backbone=dict(type="SEResNet", init_cfg=[dict(type=PretrainedInit)])),
        dict(neck=dict(init_cfg=dict(type="Kaiming", override=dict(type="Pretrained")))),
        dict(
            backbone=dict(
                type="SEResNet", init_cfg=dict(type="Kaiming", override=dict(type="Pretrained"))
            )
        ),
        dict(type="KnowledgeDistillationSingleStageDetector", teacher_ckpt=None),
        dict(tracker=dict(motion=dict(checkpoint=None))),
        dict(backbone=dict(type="ResNet", pretrained=None)),
    ],
)
def test_no_code_of_a_checkpoint_runs_however_it_is_named(
    model: dict, tmp_path: Path, monkeypatch
) -> None:
    """A checkpoint in each place of a config, under a name that mmengine takes for a local file."""
    proof = tmp_path / "ran.txt"
    (tmp_path / "x:").mkdir()
    torch.save({"x": RunsCode(proof)}, tmp_path / "x:" / "evil.pth")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        check_checkpoints(Config(dict(model=_put(model, "x://evil.pth"))))
    assert not proof.exists()


def _put(part: object, source: str) -> object:
    """A config with a checkpoint in the one place that is left open."""
    if isinstance(part, list):
        return [_put(item, source) for item in part]
    if not isinstance(part, dict):
        return part
    filled = {key: source if value is None else _put(value, source) for key, value in part.items()}
    initializer = filled.get("type") is PretrainedInit or "Pretrained" in str(filled.get("type"))
    return filled | (dict(checkpoint=source) if initializer else {})


def test_the_pointer_of_a_work_dir_runs_no_code(tmp_path: Path, monkeypatch) -> None:
    proof = tmp_path / "ran.txt"
    (tmp_path / "x:").mkdir()
    torch.save({"x": RunsCode(proof)}, tmp_path / "x:" / "evil.pth")
    (tmp_path / "last_checkpoint").write_text("x://evil.pth")
    monkeypatch.chdir(tmp_path)
    cfg = Config(dict(model=dict(), resume=True, work_dir=str(tmp_path)))
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        check_checkpoints(cfg)
    assert not proof.exists()


class RunsCode:
    """An object whose pickle creates a file when it is read."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return Path.touch, (self.proof,)
