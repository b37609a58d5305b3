"""How pictures are made ready for a detector, as its config says it, for those without mmdet."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config

from ..runs.data.datasets import datasets_of, transforms_of

# of mmdet's transforms those that leave the picture as it is, or are written down in the file
_KNOWN = ("LoadImageFromFile", "Resize", "LoadAnnotations", "PackDetInputs")
_RESIZE = {"type", "scale", "keep_ratio", "backend", "interpolation", "clip_object_border"}


def resize_of(cfg: Config) -> dict[str, Any]:
    """What the test pipeline of a config does to the size of a picture.

    Returns:
        ``scale``, two sides in pixels, and ``keep_ratio``: whether the picture is made as large as
        the longer and the shorter side allow, or exactly that wide and high.

    Raises:
        ValueError: If the pipeline changes pictures in a way that the exported file cannot tell.
    """
    dataset = next(datasets_of(cfg, "test_dataloader"), None)
    if dataset is None:
        raise ValueError(
            f"the config {cfg.filename or ''} has no test_dataloader, whose pipeline tells how "
            "pictures are resized"
        )
    resized = []
    for transform in transforms_of(dataset.get("pipeline")):
        kind = _name(transform.get("type"))
        if kind not in _KNOWN:
            _refuse(f"{kind} (expected {', '.join(_KNOWN)})")
        if kind == "LoadImageFromFile":
            _expect(transform, color_type="color", imdecode_backend="cv2", to_float32=False)
        if kind == "Resize":
            resized.append(transform)
    if len(resized) != 1:
        _refuse(f"Resize {len(resized)} times (expected once)")
    (resize,) = resized
    _expect(resize, backend="cv2", interpolation="bilinear")
    scale: Any = resize.get("scale")
    if not set(resize) <= _RESIZE or not isinstance(scale, (tuple, list)) or len(scale) != 2:
        _refuse(f"{dict(resize)} (expected a Resize by scale=(width, height))")
    return dict(scale=[int(side) for side in scale], keep_ratio=bool(resize.get("keep_ratio")))


def _name(kind: Any) -> str:
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    return name.rpartition(".")[2]


def _expect(transform: Any, **options: Any) -> None:
    for key, value in options.items():
        if transform.get(key, value) != value:
            _refuse(
                f"{_name(transform['type'])} with {key}={transform[key]!r} (expected {value!r})"
            )


def _refuse(what: str) -> None:
    raise ValueError(f"the pipeline in test_dataloader cannot be exported: it has {what}")
