import re

import pytest
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook

from senet_mm.runs.monitors import check_monitors


def config(*hooks: object, save_best: object = None, **metric: object) -> Config:
    return Config(
        dict(
            val_dataloader=dict(batch_size=1),
            val_evaluator=dict(dict(type="CocoMetric", ann_file="a.json"), **metric),
            default_hooks=dict(checkpoint=dict(type="CheckpointHook", save_best=save_best)),
            custom_hooks=list(hooks),
        )
    )


def stopping(monitor: str, min_delta: float = 0.001) -> dict:
    return dict(type="EarlyStoppingHook", monitor=monitor, min_delta=min_delta)


BBOX = "coco/bbox_mAP, coco/bbox_mAP_50, coco/bbox_mAP_75, coco/bbox_mAP_s, coco/bbox_mAP_m, coco/"


@pytest.mark.parametrize(
    ("cfg", "line"),
    [
        (config(stopping("bbox_mAP")), f"custom_hooks.0.monitor='bbox_mAP' .*'coco/bbox.*{BBOX}"),
        (config(EarlyStoppingHook("loss")), "custom_hooks.0.monitor='loss'"),
        (config(save_best="coco/segm_mAP"), f"default_hooks.checkpoint.save_best=.*{BBOX}"),
        (config(save_best=["coco/bbox_mAP", "x"], metric="segm"), "save_best='coco/bbox_mAP'"),
        (config(stopping("coco/bbox_mAP"), metric_items=["mAP_50"]), "one of coco/bbox_mAP_50$"),
    ],
)
def test_refused(cfg: Config, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        check_monitors(cfg)


def test_accepted() -> None:
    names = ["coco/bbox_mAP", "coco/segm_mAP_50"]
    check_monitors(config(*map(stopping, names), save_best=names, metric=["bbox", "segm"]))
    check_monitors(config(stopping("shapes/bbox_mAP"), prefix="shapes", save_best="auto"))
    # what computes other things, whose names are not known here
    check_monitors(config(stopping("coco/cat_precision"), classwise=True))
    check_monitors(config(stopping("accuracy/top1"), type="Accuracy"))


def test_without_a_validation_nothing_would_stop() -> None:
    cfg = config(stopping("coco/bbox_mAP"))
    cfg.val_dataloader = None
    with pytest.raises(ValueError, match=r"^custom_hooks\.0 .*watches validations: set val_data"):
        check_monitors(cfg)


def test_ten_points_of_ap_are_told(capsys: pytest.CaptureFixture) -> None:
    hook = stopping("coco/bbox_mAP")
    del hook["min_delta"]  # mmengine's default
    check_monitors(config(hook))
    told = capsys.readouterr().err
    assert re.match(r"note: custom_hooks\.0\.min_delta=0\.1: .* must gain 10 points", told)
    check_monitors(config(stopping("coco/bbox_mAP")))
    assert not capsys.readouterr().err
