from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.pictures import load_pictures
from senet_mm.runs.data.data_root import set_data_root


@pytest.fixture
def cfg(shapes_root: Path) -> Config:
    cfg = Config.fromfile(config_path("demo/faster_rcnn_r18_fpn_shapes.py"))
    set_data_root(cfg, shapes_root)
    return cfg


def ids_of(batches: list[dict]) -> list[int]:
    assert all(len(batch["inputs"]) == len(batch["data_samples"]) == 1 for batch in batches)
    return [batch["data_samples"][0].img_id for batch in batches]


def test_pictures_are_spread_evenly_over_the_test_set(cfg: Config) -> None:
    everything = ids_of(load_pictures(cfg, 100))
    assert len(everything) == len(set(everything)) == 6
    assert ids_of(load_pictures(cfg, 3)) == [everything[place] for place in (0, 2, 5)]


def test_a_picture_that_cannot_be_read_is_told(cfg: Config, tmp_path: Path) -> None:
    cfg.test_dataloader.dataset.data_prefix.img = str(tmp_path)
    with pytest.raises(ValueError, match=r"a picture of its test set cannot be read .*\.jpg"):
        load_pictures(cfg, 2)
