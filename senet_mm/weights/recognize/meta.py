"""What checkpoints of mmengine and of ours say of their backbone and its images."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...layers import SEConfig
from .attached import attached_options, gates_whole_units
from .geometry import Hidden
from .normalization import Preprocessing
from .plugins import SEPlugins, se_plugins

META_KEY = "senet_mm"  # below `meta`, in files that our converter wrote
_BACKBONES = ("ResNet", "ResNetV1d", "ResNeXt", "SEResNet", "SEResNetV1d", "SEResNeXt", "SENet")


# a config in a form that is not known here tells nothing
_UNREADABLE = (SyntaxError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Stated:
    """What a checkpoint says itself.

    Attributes:
        hidden: The options of its backbone that the tensors do not tell.
        plugins: Those of SE blocks among its plugins.
        preprocessing: How images must be fed to it.
        attached: Those of SE behind its units, see
            :func:`senet_mm.weights.recognize.attached.attached_options`.
    """

    hidden: Hidden | None = None
    plugins: SEPlugins = field(default_factory=dict)
    preprocessing: Preprocessing | None = None
    attached: Sequence[Mapping[str, Any]] = ()


def read_meta(meta: Mapping[str, Any]) -> Stated:
    """What a checkpoint says of its backbone and its images.

    Args:
        meta: ``meta`` of the checkpoint: ours, or mmengine's or mmcv's with the
            config of the training.
    """
    try:
        if META_KEY in meta:
            own = meta[META_KEY]
            said = own["preprocessing"]
            return Stated(
                Hidden.of_options(own["backbone"])
                if own["backbone"]["type"] in _BACKBONES
                else None,
                preprocessing=said and Preprocessing(**said),
            )
        # mmdet 2 called it config
        assigned = _assigned(str(meta.get("cfg") or meta.get("config") or ""))
        model = _items(assigned["model"])
        images = _preprocessing(
            model.get("data_preprocessor")
            or assigned.get("data_preprocessor")
            or assigned.get("img_norm_cfg")  # mmdet 2's
        )
        return replace(_of_backbone(_literal(model["backbone"])), preprocessing=images)
    except _UNREADABLE:
        return Stated()


def _of_backbone(options: dict[str, Any]) -> Stated:
    kind = str(options.pop("type")).rpartition(".")[2]
    if kind == "SEBackbone":
        se = attached_options(options.get("se_cfg", {}))
        stated = replace(_of_backbone(options["backbone"]), attached=se)
        if stated.hidden is None or not gates_whole_units(options["units"]):
            return stated
        # after the sum: this is what a placement says of SE in such a unit
        in_unit = SEConfig(**se[0], placement="post").hidden()
        return replace(stated, hidden=replace(stated.hidden, se=(in_unit,) * 4))
    if kind not in _BACKBONES:
        return Stated()
    if kind.startswith("SE"):
        options.setdefault("se_cfg", {})
    plugins = se_plugins(options.get("plugins"), options.get("num_stages", 4))
    return Stated(Hidden.of_options(options), plugins)


def _preprocessing(node: ast.expr | None) -> Preprocessing | None:
    try:
        return None if node is None else Preprocessing.of_config(_literal(node) or {})
    except _UNREADABLE:
        return None


def _assigned(text: str) -> dict[str, ast.expr]:
    """What a config's text, which is read and not run, assigns to each name."""
    return {
        ast.unparse(statement.targets[0]): statement.value
        for statement in ast.parse(text).body
        if isinstance(statement, ast.Assign)
    }


def _items(node: ast.expr) -> dict[str, ast.expr]:
    """The values of a ``dict(...)`` or a ``{...}``, as they stand there.

    Raises:
        ValueError: If it is something else.
    """
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        pairs: list[tuple[Any, ast.expr]] = [(word.arg, word.value) for word in node.keywords]
    elif isinstance(node, ast.Dict):
        pairs = [
            (key and ast.literal_eval(key), value)
            for key, value in zip(node.keys, node.values, strict=True)
        ]
    else:
        raise ValueError(f"no dict: {ast.unparse(node)}")
    if any(key is None for key, _ in pairs):
        raise ValueError(f"not known before it runs: {ast.unparse(node)}")
    return dict(pairs)


def _literal(node: ast.expr) -> Any:
    """The value of literals, calls of ``dict`` and names of classes."""
    if isinstance(node, (ast.Call, ast.Dict)):
        return {
            key: ast.unparse(value)
            if key == "type" and isinstance(value, (ast.Name, ast.Attribute))
            else _literal(value)
            for key, value in _items(node).items()
        }
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(item) for item in node.elts]
    return ast.literal_eval(node)
