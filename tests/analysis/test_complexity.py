from mmengine.config import Config

from senet_mm.analysis.complexity import (
    build_detector,
    count_multiply_adds,
    count_parameters,
    input_size,
)
from senet_mm.compat.packaged_configs import config_path


def test_faster_rcnn_r50_at_mmdets_published_figures() -> None:
    cfg = Config.fromfile(config_path("faster_rcnn_r50_fpn.py"))
    assert input_size(cfg) == (800, 1344)
    model = build_detector(cfg)
    assert round(count_parameters(model) / 1e6, 2) == 41.75
    counted = count_multiply_adds(model, (800, 1280)) / 1e9
    assert abs(counted - 207.07) < 2


def test_se_adds_its_fully_connected_layers_alone() -> None:
    configs = ("demo/faster_rcnn_r18_fpn_shapes.py", "demo/faster_rcnn_se_r18_fpn_shapes.py")
    plain, se = (build_detector(Config.fromfile(config_path(name))) for name in configs)
    channels = [64, 64, 128, 128, 256, 256, 512, 512]
    weights = sum(2 * c * (c // 16) for c in channels)
    biases = sum(c + c // 16 for c in channels)
    assert count_parameters(se) - count_parameters(plain) == weights + biases
    size = (256, 256)
    assert count_multiply_adds(se, size) - count_multiply_adds(plain, size) == weights
