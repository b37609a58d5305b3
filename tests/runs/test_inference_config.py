from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.inference_config import inference_config


def test_a_test_of_one_process_that_leaves_the_config_alone(tmp_path: Path) -> None:
    cfg = Config.fromfile(config_path("demo/faster_rcnn_r18_fpn_shapes.py"))
    cfg.merge_from_dict(dict(launcher="pytorch", resume=True, work_dir="run"))
    cfg.model_wrapper_cfg = dict(type="MMDistributedDataParallel")
    before = cfg.pretty_text
    torch.save({"x": torch.zeros(1)}, tmp_path / "a.pth")
    tested = inference_config(cfg, tmp_path / "a.pth", tmp_path / "test")
    assert cfg.pretty_text == before
    assert (tested.work_dir, tested.load_from) == (str(tmp_path / "test"), str(tmp_path / "a.pth"))
    assert (tested.launcher, tested.resume) == ("none", False)
    assert "model_wrapper_cfg" not in tested
    assert "mmengine.CheckFitHook" in [hook["type"] for hook in tested.custom_hooks]
    other = inference_config(cfg, tmp_path / "a.pth", tmp_path / "other")
    assert other.experiment_name != tested.experiment_name
    assert tested.test_dataloader == cfg.test_dataloader
    (tmp_path / "a.pth").write_text("<html>")
    with pytest.raises(ValueError, match=r"a\.pth is a web page"):
        inference_config(cfg, tmp_path / "a.pth", tmp_path / "test")
