import json
from pathlib import Path

import cv2
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.evaluation.comparison import Result
from senet_mm.evaluation.pictures import draw_side_by_side
from senet_mm.evaluation.runs import Run
from senet_mm.utils.data_root import set_data_root


def test_one_panel_per_run_beside_the_truth(shapes_root: Path, tmp_path: Path) -> None:
    cfg = Config.fromfile(config_path("demo/faster_rcnn_r18_fpn_shapes.py"))
    set_data_root(cfg, shapes_root)
    run = Run(tmp_path, cfg, tmp_path / "none.pth")
    found = json.loads(run.ann_file.read_text())["annotations"]
    for box in found:
        box["score"] = 0.9
    (tmp_path / "all.json").write_text(json.dumps(found))
    (tmp_path / "none.json").write_text("[]")
    results = [Result(name, {}, 1, 1, None, tmp_path / f"{name}.json") for name in ("all", "none")]
    paths = draw_side_by_side(run, results, tmp_path / "out", num_pictures=2)
    assert len(paths) == 2
    picture = cv2.imread(str(paths[0]))
    truth, everything, nothing = (picture[28:, i * 388 : (i + 1) * 388] for i in range(3))
    assert picture.shape == (384 + 28, 3 * (384 + 4), 3)
    assert (truth != nothing).any()
    assert (everything != nothing).any()
