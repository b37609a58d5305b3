"""The sweep of mmdet's zoo: its table, its limits, and a handful of directories."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict

from studies import zoo_sweep
from studies.zoo_sweep import ZOO, Row, configs, run, summary, table
from studies.zoo_sweep_one import is_detector, make_data, numbers_of_classes, small

LIMITS = dict(seconds=300, gigabytes=8)
# one of each kind: mmcv ops of their own, attention, masks, videos, a teacher, no loss of boxes
SOME = (
    "dyhead/atss_r50_fpn_dyhead_1x_coco.py",
    "carafe/mask-rcnn_r50_fpn-carafe_1x_coco.py",
    "dcnv2/faster-rcnn_r50_fpn_mdpool_1x_coco.py",
    "guided_anchoring/ga-rpn_r50_fpn_1x_coco.py",
    "deformable_detr/deformable-detr_r50_16xb2-50e_coco.py",
    "solov2/solov2_r50_fpn_1x_coco.py",
    "qdtrack/qdtrack_faster-rcnn_r50_fpn_4e_base.py",
    "ld/ld_r50-gflv1-r101_fpn_1x_coco.py",
)


@pytest.mark.slow
@pytest.mark.parametrize("config", SOME)
def test_config_runs_plain_and_with_its_twin(config: str) -> None:
    assert (ZOO / config).is_file()
    assert run(config, se=False, **LIMITS) == "ok"
    assert run(config, se=True, **LIMITS) == "ok"


@pytest.mark.slow
def test_one_detector_of_each_directory() -> None:
    chosen = configs()
    folders = [config.split("/")[0] for config in chosen]
    assert len(set(folders)) == len(folders) > 90
    assert "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py" in chosen


def test_a_config_without_detector_and_a_backbone_without_twin() -> None:
    reid = "reid/reid_r50_8xb32-6e_mot15train80_test-mot15val20.py"
    assert run(reid, se=False, **LIMITS) == "no detector"
    assert run("swin/mask-rcnn_swin-t-p4-w7_fpn_1x_coco.py", se=True, **LIMITS) == "no twin"


def test_what_goes_wrong_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("nope.py", se=False, **LIMITS).startswith("FileNotFoundError: ")

    def hang(config: Path, *, se: bool) -> str:
        while True:
            pass

    monkeypatch.setattr(zoo_sweep, "sweep_one", hang)
    assert run("any.py", se=False, seconds=0.5, gigabytes=8) == "not done after 0.5 s"

    def devour(config: Path, *, se: bool) -> str:
        return str(len(bytearray(int(9e9))))

    monkeypatch.setattr(zoo_sweep, "sweep_one", devour)
    assert run("any.py", se=False, **LIMITS).startswith("MemoryError")


def test_table_and_summary() -> None:
    rows = [
        Row("a/a_r50.py", "ok", "ok"),
        Row("b/b_swin.py", "ok", "no twin"),
        Row("c/c_r50.py", "ok", "ValueError: x | y"),
        Row("d/d_r50.py", "KeyError: 'k'", "KeyError: 'k'"),
        Row("e/data.py", "no detector", "no detector"),
    ]
    assert "| c | c_r50 | ok | ValueError: x \\| y |" in table(rows)
    assert "| d | d_r50 | KeyError: 'k' | the same |" in table(rows)
    assert summary(rows) == (
        "5 directories, 4 with a detector: 3 run; of these, 2 have a ResNet or ResNeXt backbone, "
        "and 1 run with its SE twin. With the twin alone fail: c/c_r50.py."
    )
    assert "fail" not in summary(rows[:2])


def test_a_detector_is_made_small() -> None:
    cfg = Config.fromfile(ZOO / "ld" / "ld_r50-gflv1-r101_fpn_1x_coco.py")
    assert is_detector(cfg)
    model = small(cfg.model)
    assert cfg.model.teacher_ckpt and model.teacher_ckpt is None
    assert model.backbone.init_cfg is None
    timm = small(ConfigDict(type="TIMMBackbone", pretrained=True))
    assert timm.pretrained is False
    assert small(ConfigDict(pretrained="torchvision://resnet50")).pretrained is None
    assert small(dict(norm_cfg=dict(type="MMSyncBN"))) == dict(norm_cfg=dict(type="BN"))
    assert small([dict(num=512, max_per_img=-1)]) == [dict(num=64, max_per_img=-1)]


@pytest.mark.parametrize(("classes", "largest"), [(1, 0), (80, 79), (1203, 254)])
def test_labels_are_of_the_classes(classes: int, largest: int) -> None:
    model = ConfigDict(type="FasterRCNN", roi_head=dict(mask_head=[dict(num_classes=classes)]))
    assert numbers_of_classes(model) == [classes]
    for sample in make_data(model, 64)["data_samples"]:
        assert 0 <= sample.gt_instances.labels.min() <= sample.gt_instances.labels.max() <= largest
        assert len(sample.gt_instances.masks) == len(sample.gt_instances.bboxes) == 4
        assert len(sample.proposals.bboxes) == 50
    model.rpn_head = dict(type="RPNHead")
    assert not any("proposals" in sample for sample in make_data(model, 64)["data_samples"])
