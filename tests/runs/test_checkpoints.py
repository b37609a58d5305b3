"""Every checkpoint that a config names, wherever it does, is read safely before a run."""

from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.model import PretrainedInit

from senet_mm.backbones import SEResNet
from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs import checkpoints
from senet_mm.runs.checkpoints import check_checkpoints
from senet_mm.runs.training.resume import check_resume
from senet_mm.runs.work_dir import read_run
from senet_mm.weights.read import sources
from senet_mm.weights.read.file import read_file
from senet_mm.weights.read.sources import fetch
from tests.runs.runners import make_runner

pytestmark = pytest.mark.slow


def config(name: str, **options: object) -> Config:
    cfg = Config.fromfile(config_path(name))
    cfg.merge_from_dict(options)
    return cfg


def test_every_checkpoint_of_a_training_is_read(tmp_path: Path, monkeypatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(checkpoints, "check", lambda source, *, keep: read.append(source))
    cfg = config("faster_rcnn_se_r50_fpn.py", work_dir=str(tmp_path))
    cfg.model.backbone.init_cfg = [
        dict(type="Kaiming", layer="Conv2d"),
        dict(type="Pretrained", checkpoint="a.safetensors"),  # our backbones read these
    ]
    plain = dict(type="ResNet", depth=50, init_cfg=cfg.model.backbone.init_cfg)
    cfg.teacher = dict(type="SEBackbone", backbone=plain, init_cfg=cfg.model.backbone.init_cfg)
    cfg.model.neck.init_cfg = dict(type="Pretrained", checkpoint="b.pth", prefix="neck.")
    cfg.model.roi_head.bbox_head.init_cfg = dict(type=PretrainedInit, checkpoint="c.pth")
    cfg.model.init_cfg = dict(type="Pretrained", checkpoint="d.pth")
    check_checkpoints(cfg, initialize=True)
    assert sorted(read) == [*["a.safetensors"] * 3, "b.pth", "c.pth", "d.pth"]
    read.clear()
    cfg.pop("teacher")
    cfg.model = dict(backbone=dict(type="ResNet", pretrained="e.pth"))
    check_checkpoints(cfg, initialize=True)
    check_checkpoints(cfg, initialize=True, resumed="epoch_1.pth")
    cfg.load_from = "f.pth"
    check_checkpoints(cfg, initialize=True)
    assert read == ["e.pth", "e.pth", "epoch_1.pth", "e.pth", "f.pth"]
    cfg.model.backbone.pretrained = "a.safetensors"
    with pytest.raises(ValueError, match=r"mmengine, which loads a\.safetensors here"):
        check_checkpoints(cfg, initialize=True)


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
        dict(backbone=dict(type="SEResNet", pretrained=None)),
        dict(backbone=dict(type="SEBackbone", init_cfg=dict(type="Pretrained"))),
        dict(backbone=dict(type="SEBackbone", backbone=dict(type="ResNet", pretrained=None))),
        dict(
            backbone=dict(
                type="SEBackbone", backbone=dict(type="ResNet", init_cfg=dict(type="Pretrained"))
            )
        ),
        dict(neck=dict(type="RFP", rfp_backbone=dict(type="DetectoRS_ResNet", pretrained=None))),
        dict(teacher_config=dict(model=dict(init_cfg=dict(type="Pretrained")))),
        dict(teacher_config=dict(model=dict(backbone=dict(type="ResNet", pretrained=None)))),
        dict(detector=dict(type="ATSS", train_cfg=dict(load_from=None))),
    ],
)
def test_no_code_of_a_checkpoint_runs_however_it_is_named(model: dict, evil: Path) -> None:
    """A checkpoint in each place of a config, under a name that mmengine takes for a local file."""
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        check_checkpoints(Config(dict(model=_put(model, "x://evil.pth"))), initialize=True)
    assert not evil.exists()


def _put(part: object, source: str) -> object:
    """A config with a checkpoint in the one place that is left open."""
    if isinstance(part, list):
        return [_put(item, source) for item in part]
    if not isinstance(part, dict):
        return part
    filled = {key: source if value is None else _put(value, source) for key, value in part.items()}
    initializer = filled.get("type") is PretrainedInit or "Pretrained" in str(filled.get("type"))
    return filled | (dict(checkpoint=source) if initializer else {})


def test_the_pointer_of_a_work_dir_runs_no_code(tmp_path: Path, evil: Path) -> None:
    (tmp_path / "last_checkpoint").write_text("x://evil.pth")
    cfg = Config(dict(model=dict(), resume=True, work_dir=str(tmp_path)))
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        check_resume(cfg)
    (tmp_path / "net.py").write_text("model = dict()\n")
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        read_run(tmp_path)
    assert not evil.exists()


@pytest.mark.parametrize(
    "part",
    [
        dict(custom_hooks=[dict(type="TeacherHook", teacher_ckpt=None)]),
        dict(test_evaluator=dict(postprocess_tracklet_cfg=[dict(type="AFLink", checkpoint=None)])),
        dict(second_run=dict(load_from=None)),
        dict(load_from=None),
    ],
)
@pytest.mark.parametrize("initialize", [True, False])
def test_nor_outside_the_model(part: dict, initialize: bool, evil: Path) -> None:
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        check_checkpoints(
            Config(dict(model=dict(), **_put(part, "x://evil.pth"))), initialize=initialize
        )
    assert not evil.exists()


def test_nor_in_a_teachers_config_file(evil: Path, tmp_path: Path) -> None:
    teacher = tmp_path / "teacher.py"
    teacher.write_text("model = dict(backbone=dict(type='ResNet', pretrained='x://evil.pth'))")
    model = dict(type="KnowledgeDistillationSingleStageDetector", teacher_config=str(teacher))
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects"):
        check_checkpoints(Config(dict(model=model)), initialize=True)
    assert not evil.exists()
    model["teacher_config"] = "nope/teacher.py"
    with pytest.raises(FileNotFoundError, match=r"nope/teacher\.py"):
        check_checkpoints(Config(dict(model=model)), initialize=True)


def test_a_test_initializes_nothing(monkeypatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(checkpoints, "check", lambda source, *, keep: read.append(source))
    cfg = config("faster_rcnn_r50_fpn.py", load_from="epoch_1.pth")
    cfg.model.teacher_ckpt = "teacher.pth"
    cfg.model.neck.pretrained = "neck.pth"
    check_checkpoints(cfg, initialize=False)
    assert read == ["teacher.pth", "epoch_1.pth"]


def test_a_backbone_of_ours_reads_what_mmengine_does_not(monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "check", lambda source, *, keep: None)
    for kind in ("SEResNet", "mmdet.SEResNet", SEResNet):
        backbone = dict(type=kind, depth=50, pretrained="a.safetensors")
        check_checkpoints(Config(dict(model=dict(backbone=backbone))), initialize=True)


def test_a_checkpoint_is_read_once(tmp_path: Path, monkeypatch) -> None:
    """By the check; the backbone and the hook are given its tensors, and then they are gone."""
    read: list[str] = []

    def count(path: str, **options: object) -> dict:
        read.append(str(path))
        return read_file(path, **options)

    monkeypatch.setattr(sources, "read_file", count)
    path = tmp_path / "x.pth"
    for kind in ("SEResNet", "ResNet"):
        read.clear()
        torch.save(MODELS.build(dict(type=kind, depth=18)).state_dict(), path)
        cfg = config("demo/faster_rcnn_r18_fpn_shapes.py")
        cfg.model.backbone.type = kind
        cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint=str(path))
        for _ in range(2):
            check_checkpoints(cfg, initialize=True)
        assert [c for c in sources._checked.values() if c is not None]
        make_runner(cfg, tmp_path / "work", dict(type="WeightsHook")).train()
        assert read == [str(path)]
        assert not [c for c in sources._checked.values() if c is not None]
    # another file of that name is read
    torch.save({"w": torch.zeros(1)}, path)
    assert list(fetch(str(path)).state_dict) == ["w"]


@pytest.fixture
def evil(tmp_path: Path, monkeypatch) -> Path:
    """A checkpoint ``x://evil.pth`` that makes this file where it is unpickled."""
    proof = tmp_path / "ran.txt"
    (tmp_path / "x:").mkdir()
    torch.save({"x": RunsCode(proof)}, tmp_path / "x:" / "evil.pth")
    monkeypatch.chdir(tmp_path)
    return proof


class RunsCode:
    """An object whose pickle creates a file when it is read."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return Path.touch, (self.proof,)
