"""What checkpoints of mmengine and of ours say of their backbone and its images."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from .geometry import Hidden
from .normalization import Preprocessing

KEY = "senet_mm"  # below `meta`, in files that our converter wrote
_BACKBONES = ("ResNet", "ResNetV1d", "ResNeXt", "SEResNet", "SEResNetV1d", "SEResNeXt", "SENet")


def read(meta: Mapping[str, Any]) -> tuple[Hidden | None, Preprocessing | None]:
    """The hidden options of a checkpoint's backbone and its preprocessing, where it tells.

    Args:
        meta: ``meta`` of the checkpoint: ours, or mmengine's with the config of
            the training.
    """
    if KEY in meta:
        own = meta[KEY]
        return Hidden.of_options(own["backbone"]), Preprocessing(**own["preprocessing"])
    try:
        model = _assigned(str(meta.get("cfg", "")), "model")
        backbone = dict(model["backbone"])
        kind = str(backbone.pop("type")).rpartition(".")[2]
        if kind not in _BACKBONES:
            return None, None
        if kind.startswith("SE"):
            backbone.setdefault("se_cfg", {})
        return (
            Hidden.of_options(backbone),
            Preprocessing.of_config(model.get("data_preprocessor") or {}),
        )
    # a config in a form that is not known here tells nothing
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError):
        return None, None


def _assigned(text: str, name: str) -> Any:
    """The value of ``name`` in a config's text, which is read and not run.

    Raises:
        KeyError: If nothing of that name is assigned.
        ValueError: If the value is more than literals and calls of ``dict``.
    """
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return _literal(statement.value)
    raise KeyError(name)


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        return {keyword.arg: _literal(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict) and None not in node.keys:
        pairs = zip(node.keys, node.values, strict=True)
        return {_literal(key): _literal(value) for key, value in pairs}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(item) for item in node.elts]
    return ast.literal_eval(node)
