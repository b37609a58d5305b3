"""The table of what dropping gates costs, from detections that are there."""

from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.coco.metrics import METRICS, coco_metrics
from senet_mm.gates import effect as gate_drop
from senet_mm.gates.drop import Dropped
from senet_mm.gates.effect import compare_dropped
from senet_mm.runs.work_dir import Run


def test_before_after_and_the_difference(
    shapes_root: Path, results_files, tmp_path: Path, monkeypatch
) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    cfg = Config(dict(test_dataloader=dict(dataset=dict(ann_file=str(ann_file)))))
    cfg.dump(tmp_path / "dropped.py")
    dropped = Dropped(tmp_path / "dropped.py", tmp_path / "b.pth", parameters=900)
    files = {"a.pth": results_files[0], "b.pth": results_files[1]}

    def detect(run: Run, *, pictures: bool) -> Path:
        assert run.work_dir == (tmp_path / "x" if run.checkpoint.name == "a.pth" else tmp_path)
        return files[run.checkpoint.name]

    monkeypatch.setattr(gate_drop, "detect", detect)
    table = compare_dropped(cfg, tmp_path / "a.pth", dropped, tmp_path / "x", parameters=1000)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    header, _, *rows = rows
    assert header == ["", *METRICS, "params"]
    assert [row[0] for row in rows] == ["original", "dropped", "difference"]
    assert [row[-1] for row in rows] == ["1,000", "900", "-100"]
    before, after = (coco_metrics(ann_file, file) for file in results_files[:2])
    for column, name in enumerate(METRICS, start=1):
        cells = [row[column] for row in rows]
        if before[name] == -1:  # no large object is there
            assert cells == ["-"] * 3
            continue
        expected = [before[name], after[name], after[name] - before[name]]
        assert [float(cell) for cell in cells] == pytest.approx(
            [100 * value for value in expected], abs=0.0051
        )
