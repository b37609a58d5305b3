"""Names of weights in the model zoos that mmengine knows, and the URLs behind them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from mmengine.runner import checkpoint as mmengine_checkpoint

_ZOOS: dict[str, Callable[[], Mapping[str, str]]] = {
    "torchvision": mmengine_checkpoint.get_torchvision_models,
    "modelzoo": mmengine_checkpoint.get_torchvision_models,
    "open-mmlab": mmengine_checkpoint.get_external_models,
    "openmmlab": mmengine_checkpoint.get_external_models,
    "mmcls": mmengine_checkpoint.get_mmcls_models,
}


def current_name(source: str) -> str:
    """A source under its present name: OpenMMLab has renamed some, and still takes the old ones."""
    scheme, mark, name = source.partition("://")
    if scheme not in ("open-mmlab", "openmmlab"):
        return source
    return f"{scheme}{mark}{mmengine_checkpoint.get_deprecated_model_names().get(name, name)}"


def url_of(source: str) -> str | None:
    """The URL behind a name of a model zoo; a URL is its own, and a file has none.

    Raises:
        ValueError: If the zoo has no such name.
    """
    if source.startswith(("http://", "https://")):
        return source
    scheme, mark, name = current_name(source).partition("://")
    if not mark or scheme not in _ZOOS:
        return None
    urls = _ZOOS[scheme]()
    if name not in urls:
        raise ValueError(f"{source}: unknown name {name!r}{nearest(name, list(urls))}")
    return urls[name]


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of an error: which known names are nearest."""
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.4)
    return f"; the nearest are {', '.join(near)}" if near else ""
