import json
from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.comparison.curves import read_curves
from senet_mm.runs.work_dir import Run


def write_log(work_dir: Path, stamp: str, entries: list[dict]) -> None:
    folder = work_dir / stamp / "vis_data"
    folder.mkdir(parents=True)
    (folder / "scalars.json").write_text("\n".join(map(json.dumps, entries)) + '\n{"loss": 1, "st')


def test_what_a_resumed_run_logged_again_replaces_what_it_had_logged(tmp_path: Path) -> None:
    first = [dict(loss=3.0, step=10), dict(loss=2.0, step=20), {"coco/bbox_mAP": 0.1, "step": 1}]
    first += [dict(loss=9.0, step=30), dict(loss=9.5, step=40)]
    write_log(tmp_path, "20260101_000000", first)
    second = [dict(loss=1.5, step=30), {"coco/bbox_mAP": 0.2, "step": 2}]
    write_log(tmp_path, "20260102_000000", second)
    curves = read_curves(Run(tmp_path, Config(), tmp_path / "x.pth"))
    assert curves.loss == ((10, 3.0), (20, 2.0), (30, 1.5))
    assert curves.precision == ((1, 0.1), (2, 0.2))


def test_the_precision_of_masks_is_another(tmp_path: Path) -> None:
    write_log(tmp_path, "1", [{"coco/bbox_mAP": 0.1, "coco/segm_mAP": 0.3, "step": 1}])
    run = Run(tmp_path, Config(), tmp_path / "x.pth")
    assert read_curves(run).precision == ((1, 0.1),)
    assert read_curves(run, "segm").precision == ((1, 0.3),)


@pytest.mark.parametrize("epochs", [True, False])
def test_a_run_that_started_again_has_its_own_curves_only(epochs: bool, tmp_path: Path) -> None:
    def logged(loss: float, number: int) -> list[dict]:
        entries = [dict(loss=loss, step=10 * i) for i in range(1, number + 1)]
        if epochs:  # ten iterations each
            entries = [entry | dict(epoch=entry["step"] // 10) for entry in entries]
        found = [{"coco/bbox_mAP": loss / 10, "step": i if epochs else 10 * i} for i in (1, 2, 3)]
        return [*entries, *found[: number - 1]]

    write_log(tmp_path, "1", logged(5.0, 4))
    write_log(tmp_path, "2", logged(2.0, 1))
    curves = read_curves(Run(tmp_path, Config(), tmp_path / "x.pth"))
    assert (curves.loss, curves.precision) == (((10, 2.0),), ())


def test_no_log_no_curve(tmp_path: Path) -> None:
    curves = read_curves(Run(tmp_path, Config(), tmp_path / "x.pth"))
    assert (curves.loss, curves.precision) == ((), ())
