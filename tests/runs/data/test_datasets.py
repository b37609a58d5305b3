import pytest
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.data.datasets import single_test_set


def test_the_one_test_data_set() -> None:
    cfg = Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))
    inner = cfg.test_dataloader.dataset
    cfg.test_dataloader.dataset = dict(type="ConcatDataset", datasets=[inner])
    assert single_test_set(cfg).ann_file == inner.ann_file
    cfg.test_dataloader.dataset = dict(type="ConcatDataset", datasets=[inner, inner])
    with pytest.raises(ValueError, match="expected one data set in test_dataloader.* 2 data sets"):
        single_test_set(cfg)
    del inner["ann_file"]
    cfg.test_dataloader.dataset = inner
    with pytest.raises(ValueError, match=r"\(CocoDataset\) names no annotation file"):
        single_test_set(cfg)
    cfg.pop("test_dataloader")
    with pytest.raises(ValueError, match="expected one data set in test_dataloader.* none"):
        single_test_set(cfg)
