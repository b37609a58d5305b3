"""A config is read, changed as told, and copied for a test."""

from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.config import inference_config, load_config, read_config


def test_the_work_dir_is_named_after_the_config() -> None:
    cfg = load_config("senet_mm::faster_rcnn_se_r50_fpn.py")
    assert cfg.work_dir == "work_dirs/faster_rcnn_se_r50_fpn"


def test_a_missing_config() -> None:
    with pytest.raises(FileNotFoundError, match=r"config nope\.py not found"):
        read_config("nope.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = dict(", "is no valid config"),
        ("model = dict(a=b)", "is no valid config: name 'b'"),
        ("x = 1", "no model"),
        (
            "custom_imports = dict(imports=['absent_module'])",
            "custom_imports: Failed to import absent_module: No module named 'absent_module'; a "
            "module of your own is found where PYTHONPATH names its folder$",
        ),
    ],
)
def test_what_is_no_config(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.py .*{message}"):
        read_config(str(path))


def test_a_test_of_one_process_that_leaves_the_config_alone(tmp_path: Path) -> None:
    cfg = Config.fromfile(config_path("demo/faster_rcnn_r18_fpn_shapes.py"))
    cfg.merge_from_dict(dict(launcher="pytorch", resume=True, work_dir="run"))
    cfg.model_wrapper_cfg = dict(type="MMDistributedDataParallel")
    before = cfg.pretty_text
    tested = inference_config(cfg, tmp_path / "a.pth", tmp_path / "test")
    assert cfg.pretty_text == before
    assert (tested.work_dir, tested.load_from) == (str(tmp_path / "test"), str(tmp_path / "a.pth"))
    assert (tested.launcher, tested.resume) == ("none", False)
    assert "model_wrapper_cfg" not in tested
    other = inference_config(cfg, tmp_path / "a.pth", tmp_path / "other")
    assert other.experiment_name != tested.experiment_name
    assert tested.test_dataloader == cfg.test_dataloader
