"""A whole detector of mmdet as one function of a picture, in plain tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .one_stage import candidates, proposals
from .tensors import nms_by_group, picture_size
from .two_stage import classify, masks_in

PRECISIONS = ("fp32", "fp16", "int8")


class PlainDetector(nn.Module):
    """mmdet's ``predict`` for one picture, without Python that looks at values.

    Args:
        model: A detector that :func:`senet_mm.export.supported.check_supported` takes, in eval
            mode.
        suppress: Whether non-maximum suppression ends it; else all candidates are given.
        precision: One of ``PRECISIONS``: of the layers, which are changed in place. Boxes, scores
            and what is pooled are computed in float32. What will be int8 is float32 here.

    Raises:
        ValueError: If this torch does not know float16 on a CPU.
    """

    def __init__(self, model: nn.Module, *, suppress: bool = True, precision: str = "fp32") -> None:
        super().__init__()
        self.model: Any = model
        self.suppress = suppress
        self.precision = precision
        if precision == "fp16":
            _check_half()
            for name, part in model.named_children():
                if name != "data_preprocessor":
                    part.half()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what :meth:`forward` gives."""
        masks = getattr(self.model, "with_mask", False)
        return ("boxes", "labels", "scores", *(["masks"] if masks else []))

    @property
    def test_cfg(self) -> Any:
        """Thresholds and limits of the last step."""
        if hasattr(self.model, "roi_head"):
            return self.model.roi_head.test_cfg
        return self.model.bbox_head.test_cfg

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Detect the objects of a picture.

        Args:
            image: Of shape (H, W, 3), uint8, blue, green and red as OpenCV reads them.

        Returns:
            Boxes (N, 4) in pixels of it, labels (N,), scores (N,) and, of a detector with a mask
            head, masks (N, S, S): the probability of the object over its box.
        """
        bounds = picture_size(image)
        x = self._prepared(image)
        maps = self.model.extract_feat(x.half() if self.precision == "fp16" else x)
        if hasattr(self.model, "roi_head"):
            rois = proposals(self.model.rpn_head, maps, bounds)
            boxes, scores, labels = classify(self.model.roi_head, maps, rois, bounds)
        else:
            boxes, scores, labels = candidates(self.model.bbox_head, maps, bounds)
        if self.suppress:
            cfg = self.test_cfg
            groups = torch.zeros_like(labels) if cfg.nms.get("class_agnostic") else labels
            kept = nms_by_group(boxes, scores, groups, cfg.nms.iou_threshold)
            kept = kept[: cfg.max_per_img]
            boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        if "masks" in self.outputs:
            return boxes, labels, scores, masks_in(self.model.roi_head, maps, boxes, labels)
        return boxes, labels, scores

    def _prepared(self, image: Tensor) -> Tensor:
        """What mmdet's data preprocessor makes of a picture: (1, 3, H', W')."""
        preprocessor = self.model.data_preprocessor
        x = image.permute(2, 0, 1)[None].to(torch.float32)
        if preprocessor._channel_conversion:
            x = x[:, [2, 1, 0]]
        if hasattr(preprocessor, "mean"):
            x = (x - preprocessor.mean) / preprocessor.std
        divisor = preprocessor.pad_size_divisor
        bottom, right = -x.shape[2] % divisor, -x.shape[3] % divisor
        return F.pad(x, (0, right, 0, bottom), value=preprocessor.pad_value)


def _check_half() -> None:
    try:
        F.conv2d(torch.ones(1, 1, 1, 1).half(), torch.ones(1, 1, 1, 1).half())
    except RuntimeError as error:
        raise ValueError(
            f"--precision fp16: torch {torch.__version__} has no convolution in float16 on a CPU: "
            "export with a newer one (2.11 has it), or in fp32"
        ) from error
