"""Which detectors can be exported: those whose prediction we know step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmcv.ops import RoIAlign
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.models.dense_heads import RPNHead
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.detectors import SingleStageDetector, TwoStageDetector
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import nn

_KNOWN = "Faster, Mask and Cascade R-CNN, RetinaNet, FCOS and heads that predict as these do"
_NMS_KEYS = {"type", "iou_threshold", "class_agnostic", "split_thr"}


def check_supported(model: nn.Module) -> None:
    """Check that a detector predicts in the way that :mod:`senet_mm.export` writes down.

    Raises:
        ValueError: Naming the part that does not, and what is supported.
    """
    problem = next(_problems(model), None)
    if problem:
        raise ValueError(
            f"{type(model).__name__} cannot be exported: {problem}; supported: {_KNOWN}"
        )


def _problems(model: Any) -> Iterator[str]:
    preprocessor = getattr(model, "data_preprocessor", None)
    if type(preprocessor) is not DetDataPreprocessor:
        yield f"its data_preprocessor is a {type(preprocessor).__name__}"
    if _same(model, TwoStageDetector, "predict", "extract_feat"):
        yield from _problems_of_dense(model.rpn_head, RPNHead)
        yield from _problems_of_rois(model.roi_head)
    elif _same(model, SingleStageDetector, "predict", "extract_feat"):
        yield from _problems_of_dense(model.bbox_head, BaseDenseHead)
    else:
        yield "it predicts in a way of its own"


def _problems_of_dense(head: Any, kind: type) -> Iterator[str]:
    methods = ("_predict_by_feat_single", "_bbox_post_process")
    if not (_same(head, kind, *methods) and _same(head, BaseDenseHead, "predict_by_feat")):
        yield f"its {type(head).__name__} predicts in a way of its own"
    elif getattr(head.loss_cls, "custom_cls_channels", False):
        yield f"the scores of its {type(head.loss_cls).__name__} are activated in a way of its own"
    yield from _problems_of_nms(head.test_cfg)


def _problems_of_rois(head: Any) -> Iterator[str]:
    cascade = isinstance(head, CascadeRoIHead)
    kind = CascadeRoIHead if cascade else StandardRoIHead
    if not _same(head, kind, "predict_bbox", "predict_mask", "_bbox_forward", "_mask_forward"):
        yield f"its {type(head).__name__} predicts in a way of its own"
        return
    if head.with_shared_head:
        yield "its RoI head has a shared_head"
    names = ["bbox_roi_extractor", "bbox_head"]
    names += ["mask_roi_extractor", "mask_head"] if head.with_mask else []
    for name in names:
        part = getattr(head, name)
        for one in part if cascade else [part]:
            if not _known_part(one):
                yield f"its {name} is a {type(one).__name__} that works in a way of its own"
    yield from _problems_of_nms(head.test_cfg)


def _known_part(part: Any) -> bool:
    if isinstance(part, SingleRoIExtractor):
        aligned = all(
            type(layer) is RoIAlign and layer.pool_mode == "avg" for layer in part.roi_layers
        )
        return aligned and _same(part, SingleRoIExtractor, "forward", "map_roi_levels")
    if isinstance(part, BBoxHead):
        plain = part.with_reg and not part.custom_cls_channels
        return plain and _same(part, BBoxHead, "_predict_by_feat_single", "regress_by_class")
    return isinstance(part, FCNMaskHead) and _same(part, FCNMaskHead, "_predict_by_feat_single")


def _problems_of_nms(cfg: Any) -> Iterator[str]:
    nms = cfg.get("nms") or {}
    if nms.get("type") != "nms" or not set(nms) <= _NMS_KEYS:
        yield f"its test_cfg has nms={dict(nms)}, where type='nms' and iou_threshold are expected"


def _same(part: Any, kind: type, *methods: str) -> bool:
    """Whether methods are those of a class of mmdet's, and no override."""
    return isinstance(part, kind) and all(
        getattr(type(part), name) is getattr(kind, name) for name in methods
    )
