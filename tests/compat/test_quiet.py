"""What the packages of the stack say while they are imported."""

from __future__ import annotations

import warnings

import pytest

from senet_mm.compat.quiet import quiet_imports


def test_known_notes_are_left_out_and_all_else_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(UserWarning, match="^numpy is old$") as told, quiet_imports():
        print("Could not import OneDL. Skipping OneDL datasets.")
        print("Line NMS is not compiled.")
        warnings.warn("faster_coco_eval is not installed, metrics will not ...", stacklevel=1)
        warnings.warn("numpy is old", stacklevel=1)
        assert capsys.readouterr().out == ""
    assert capsys.readouterr().out == "Line NMS is not compiled.\n"
    assert len(told) == 1


def test_what_was_said_before_an_error_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), quiet_imports():
        print("compiled for another numpy")
        raise ImportError("mmcv")
    assert capsys.readouterr().out == "compiled for another numpy\n"
