"""The JSON schema of ``report.json``, made from the records that are written there."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ...io.files import write_whole
from ..comparison import Comparison

# raised where a key goes or means something else; new keys leave it
VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")
_SCALARS = {str: "string", Path: "string", int: "integer", bool: "boolean", type(None): "null"}


def report_schema() -> dict[str, Any]:
    """The schema, draft 2020-12; keys are described as in the records' docstrings."""
    records: dict[str, Any] = {}
    report = _record(Comparison, records)
    report["properties"] = {"version": {"const": VERSION}} | report["properties"]
    report["required"] = ["version", *report["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of senet-mm compare",
        **report,
        "$defs": dict(sorted(records.items())),
    }


def write_schema() -> Path:
    """Bring the file that is shipped up to date."""
    return write_whole(SCHEMA_FILE, json.dumps(report_schema(), indent=1) + "\n")


def _record(kind: type, records: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    described = _descriptions(kind)
    properties = {
        field.name: _schema(hints[field.name], records)
        | ({"description": described[field.name]} if field.name in described else {})
        for field in fields(kind)
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _schema(hint: Any, records: dict[str, Any]) -> dict[str, Any]:
    """Of a type hint; other dataclasses go into ``records``."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is float:  # what is not finite is null
        return {"type": ["number", "null"]}
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in records:
            records[hint.__name__] = {}  # it may hold itself
            records[hint.__name__] = _record(hint, records)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_schema(one, records) for one in inner]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(inner[1], records)}
    if origin is tuple and Ellipsis not in inner:
        items = [_schema(one, records) for one in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    if origin in (list, tuple, Sequence):
        return {"type": "array", "items": _schema(inner[0], records)}
    raise TypeError(f"report.json cannot hold {hint}")


def _descriptions(kind: type) -> dict[str, str]:
    """What the docstring of a record says of its attributes."""
    _, _, listed = inspect.getdoc(kind).partition("Attributes:\n")  # type: ignore[union-attr]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", listed, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
