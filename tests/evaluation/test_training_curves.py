import json
from pathlib import Path

from mmengine.config import Config

from senet_mm.evaluation.runs import Run
from senet_mm.evaluation.training_curves import read_curves


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


def test_no_log_no_curve(tmp_path: Path) -> None:
    curves = read_curves(Run(tmp_path, Config(), tmp_path / "x.pth"))
    assert (curves.loss, curves.precision) == ((), ())
