from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.data.data_root import set_data_root
from senet_mm.runs.training.learning_rate import scale_by_effective_batch


@pytest.mark.parametrize(("counts", "factor"), [(1, 0.5), (3, 1.5)])
def test_the_rate_follows_the_batch_of_a_step(
    shapes_root: Path, tmp_path: Path, counts: int, factor: float
) -> None:
    cfg = Config.fromfile(config_path("demo/faster_rcnn_se_r18_fpn_shapes.py"))
    set_data_root(cfg, shapes_root)
    cfg.work_dir = str(tmp_path)
    batch = cfg.train_dataloader.batch_size
    cfg.optim_wrapper.accumulative_counts = counts
    cfg.auto_scale_lr = dict(enable=True, base_batch_size=2 * batch)
    runner = Runner.from_cfg(cfg)
    scale_by_effective_batch(runner)
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.scale_lr(wrapper, runner.auto_scale_lr)
    assert wrapper.param_groups[0]["lr"] == pytest.approx(factor * cfg.optim_wrapper.optimizer.lr)
    assert runner.cfg.auto_scale_lr.base_batch_size == 2 * batch
