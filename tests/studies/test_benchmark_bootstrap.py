"""The bootstrap's benchmark from its command line."""

from __future__ import annotations

from pathlib import Path


def test_real_annotations(tool, shapes_root: Path, tmp_path: Path) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    arguments = ["--ann-file", ann_file, "--resamples", 20, "--out-dir", tmp_path / "out"]
    printed = tool("benchmark_bootstrap.py", *arguments, folder="studies")
    assert "6 images" in printed and "600 and 600 detections" in printed
    assert "bootstrap, 20 resamples of 2 result sets" in printed
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "first.bbox.json",
        "second.bbox.json",
    ]


def test_a_missing_file_is_one_line(tool, tmp_path: Path) -> None:
    arguments = ["--ann-file", tmp_path / "none.json", "--out-dir", tmp_path / "out"]
    assert "none.json" in tool("benchmark_bootstrap.py", *arguments, error=True, folder="studies")
