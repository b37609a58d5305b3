"""The card says what is known, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from mmengine.config import Config

from senet_mm.runs.model_card import model_card

hub = pytest.importorskip("huggingface_hub")

BACKBONE = dict(
    type="SEResNet",
    depth=50,
    init_cfg=dict(type="Pretrained", checkpoint="timm://seresnet50.a1_in1k"),
)
DATA = dict(type="CocoDataset", data_root="data/cells/")
META = dict(epoch=3, iter=90, seed=1, dataset_meta=dict(classes=["red", "<b>white</b>"]))


def card(
    metrics: dict[str, float], meta: dict[str, Any] = META, backbone: Any = BACKBONE, **rest: Any
) -> Any:
    images = dict(mean=[1, 2, 3], std=[4, 5, 6], bgr_to_rgb=True)
    cfg = Config(
        dict(
            model=dict(type="FasterRCNN", backbone=backbone, data_preprocessor=images),
            train_dataloader=dict(dataset=dict(type="RepeatDataset", dataset=DATA)),
        )
    )
    return hub.ModelCard(model_card("me/net", cfg, meta, metrics, **rest))


def test_what_the_hub_reads() -> None:
    data = card({"coco/bbox_mAP": 0.375}, license="apache-2.0").data
    assert (data.license, data.pipeline_tag) == ("apache-2.0", "object-detection")
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value) == ("coco/bbox_mAP", 0.375)
    assert result.dataset_name == "CocoDataset cells"


def test_what_people_read() -> None:
    text = card({"coco/bbox_mAP": 0.375}).text
    assert "FasterRCNN with SEResNet 50" in text
    assert "| coco/bbox_mAP | 0.375 |" in text and "after epoch 3" in text
    assert "senet-mm infer config.py hf://me/net street.jpg" in text
    assert "RGB, mean [1, 2, 3], std [4, 5, 6]" in text
    assert "timm://seresnet50.a1_in1k" in text
    assert r"2: red, \<b>white\</b>" in text


def test_nothing_is_made_up() -> None:
    found = card({}, meta={})
    assert found.data.eval_results is None and found.data.license is None
    assert "has not validated it" in found.text
    for word in ("epochs", "seed", "classes"):
        assert f"| {word}" not in found.text


def test_a_backbone_around_another() -> None:
    inner = dict(type="TimmBackbone", model_name="vgg16_bn")
    text = card({}, backbone=dict(type="SEBackbone", backbone=inner, units="x")).text
    assert "SEBackbone around TimmBackbone vgg16_bn" in text
