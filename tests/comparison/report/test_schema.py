import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from senet_mm.comparison.report.schema import SCHEMA_FILE, VERSION, _schema, report_schema
from senet_mm.comparison.report.write import write_report


def test_the_shipped_file_is_up_to_date() -> None:
    write = "python -c 'from senet_mm.comparison.report.schema import write_schema as w; w()'"
    assert json.loads(SCHEMA_FILE.read_text()) == report_schema(), f"bring it up to date: {write}"


def test_a_report_is_as_its_schema_says(compared, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    report = json.loads(write_report(*compared, tmp_path)[1].read_text())
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(report)
    assert report["version"] == VERSION
    # and no other
    for change in (dict(version=0), dict(num_images="6"), dict(detectors=[{}])):
        assert not validator.is_valid(report | change)
    # every key that is written is described
    assert report.keys() == schema["properties"].keys()


@dataclass(frozen=True)
class Leaf:
    """A leaf.

    Attributes:
        size: In points, on
            two lines.
        inner: More of them.
    """

    size: float
    inner: "tuple[Leaf, ...]"


def test_hints_become_schemas() -> None:
    records: dict = {}
    assert _schema(Leaf | None, records) == {"anyOf": [{"$ref": "#/$defs/Leaf"}, {"type": "null"}]}
    assert records["Leaf"]["properties"] == {
        "size": {"type": ["number", "null"], "description": "In points, on two lines."},
        "inner": {
            "type": "array",
            "items": {"$ref": "#/$defs/Leaf"},
            "description": "More of them.",
        },
    }
    assert _schema(dict[str, Path], {}) == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }
    pair = _schema(tuple[int, bool], {})
    assert pair["prefixItems"] == [{"type": "integer"}, {"type": "boolean"}] and not pair["items"]
    with pytest.raises(TypeError, match="report.json cannot hold"):
        _schema(set[int], {})
