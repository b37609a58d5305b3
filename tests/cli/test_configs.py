"""senet-mm configs."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.cli.configs import main
from tests.configs.reading import differences, read


def test_lists_what_the_pattern_names(capsys: pytest.CaptureFixture) -> None:
    main(["demo/*"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[1].split()[0] == "demo/faster_rcnn_se_r18_fpn_shapes"
    assert lines[1].endswith(
        "generated shapes: The demo's detector with SE-ResNet-18 "
        "(twin of demo/faster_rcnn_r18_fpn_shapes)"
    )


def test_writes_a_config_whole(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "new" / "mine.py"
    main(["senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py", "--out", str(out)])
    assert f"Written: {out}" in capsys.readouterr().out
    assert "_base_" not in out.read_text()
    assert not differences(Config.fromfile(out), read("demo/faster_rcnn_se_r18_fpn_shapes.py"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["faster_rcnn_se_r49_fpn"], "no config 'faster_rcnn_se_r49_fpn'.*faster_rcnn_se_r50_fpn"),
        (["demo/*", "--out", "x.py"], "4 are named 'demo/\\*'"),
        (["fcos_r50_fpn", "--out", "x.txt"], "x.txt: expected a name that ends in .py"),
        (["fcos_r50_fpn", "--out", "there.py"], "there.py exists already"),
    ],
)
def test_bad_input(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.py").touch()
    with pytest.raises((ValueError, OSError), match=message):
        main(arguments)
    assert [*tmp_path.iterdir()] == [tmp_path / "there.py"]
