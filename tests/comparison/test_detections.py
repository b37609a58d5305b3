"""What is detected, when, and whose results files are taken."""

import json
from pathlib import Path

import pytest

from senet_mm.comparison import detections as module
from senet_mm.comparison.detections import detect
from senet_mm.comparison.inputs import Inputs, resolve
from senet_mm.runs.detect import Inference
from tests.comparison.runs_on_disk import write_run


@pytest.fixture
def inferred(results_files: list[Path], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In place of inference: writes boxes, and keeps the names of the runs."""
    names: list[str] = []

    def infer(inference: Inference) -> None:
        names.append(inference.run.name)
        results = inference.run.work_dir / "epoch_1.bbox.json"
        results.write_text(results_files[len(names) - 1].read_text())

    monkeypatch.setattr(module, "infer", infer)
    return names


def test_missing_results_are_made_and_given_ones_are_taken(
    results_files, inferred: list[str], shapes_root: Path, tmp_path: Path
) -> None:
    runs = [write_run(tmp_path / name, shapes_root) for name in ("a", "b")]
    inputs = resolve([*runs, str(results_files[2])], out_dir=tmp_path)
    assert inferred == []
    found = detect(inputs)
    assert inferred == ["a", "b"] and list(found) == ["a", "b", "run2"]
    assert found["run2"][0] is inputs.given[results_files[2]]
    for (detections,), file in zip(found.values(), results_files, strict=True):
        assert len(detections.score) == len(json.loads(file.read_text()))
    assert found["a"][0].path == tmp_path / "a" / "epoch_1.bbox.json"


def test_masks_of_a_detector_without(
    inferred: list[str], shapes_root: Path, tmp_path: Path
) -> None:
    def inputs() -> Inputs:
        return resolve(sources, ["a", "b"], out_dir=tmp_path, iou_type="segm")

    sources = [write_run(tmp_path / "a", shapes_root), str(tmp_path / "b.segm.json")]
    (tmp_path / "b.segm.json").write_text("[]")
    with pytest.raises(FileNotFoundError, match="segm: the detector of .*/a has no masks"):
        detect(inputs())
    (tmp_path / "a" / "epoch_1.segm.json").write_text("[]")
    assert detect(inputs())["a"][0].path.name == "epoch_1.segm.json"
