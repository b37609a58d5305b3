"""The configs for semantic segmentation, where mmsegmentation is installed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

from senet_mm.weights.load.match import match_backbone
from senet_mm.weights.read.checkpoint import Checkpoint
from senet_mm.weights.recognize.backbone import find_backbone
from studies.label_maps import write_label_maps
from tests.configs.reading import CONFIGS, differences

pytest.importorskip("mmseg")

FOLDER = CONFIGS / "segmentation"
PAIRS = [
    ("deeplabv3plus_r50_d8_ade20k.py", "deeplabv3plus_se_r50_d8_ade20k.py"),
    ("fcn_r18_d8_shapes.py", "fcn_se_r18_d8_shapes.py"),
]


def read(name: str) -> Config:
    return Config.fromfile(FOLDER / name)


def build(cfg: Config) -> torch.nn.Module:
    return MODELS.build(dict(cfg.model, _scope_="mmseg"))


def test_every_config_is_in_a_pair() -> None:
    assert {path.name for path in FOLDER.glob("*.py")} == {name for pair in PAIRS for name in pair}


@pytest.mark.parametrize(("plain", "se"), PAIRS)
@pytest.mark.usefixtures("shapes_alone")
def test_a_pair_differs_in_the_backbone_alone(plain: str, se: str) -> None:
    differ = differences(read(plain), read(se))
    backbone = ".model.backbone."
    assert {backbone + "type", backbone + "se_cfg.reduction"} <= differ
    assert differ <= {backbone + k for k in ("type", "se_cfg.reduction", "init_cfg.checkpoint")}
    nets = [build(read(name)).state_dict() for name in (plain, se)]
    assert {key for key in nets[1] if ".se." not in key} == nets[0].keys()


@pytest.mark.parametrize(("plain", "se"), PAIRS)
@torch.no_grad()
def test_without_se_it_is_mmsegs_backbone(plain: str, se: str, randomize) -> None:
    """Dilations, strides and what mmseg alone has, contract_dilation."""
    nets = []
    for name in (plain, se):
        cfg = read(name).model.backbone
        cfg.pop("init_cfg", None)
        cfg.norm_cfg = dict(type="BN")
        if name == se:
            cfg.se_cfg = [None] * 4
        nets.append(MODELS.build(dict(cfg, _scope_="mmseg")))
    nets[1].load_state_dict(randomize(nets[0]).state_dict())
    x = torch.randn(1, 3, 65, 97)
    for net in nets:
        net.eval()  # mmseg's returns None
    for ours, theirs in zip(nets[1](x), nets[0](x), strict=True):
        assert theirs.std() > 0.1
        assert torch.equal(ours, theirs)


def test_weights_are_of_the_backbones() -> None:
    for name in PAIRS[0]:
        cfg = read(name).model.backbone
        source = cfg.init_cfg.checkpoint
        assert source.removeprefix("timm://") in timm.list_pretrained()
        weights = timm.create_model(source.removeprefix("timm://"), pretrained=False).state_dict()
        backbone = MODELS.build(dict(cfg, _scope_="mmseg"))
        if "_se_" in name:
            found = find_backbone(Checkpoint(source, weights))
            assert match_backbone(backbone, found)[1].is_complete
        else:
            assert weights.keys() - backbone.state_dict().keys() == {"fc.weight", "fc.bias"}


def told(work_dir: Path, name: str) -> list[float]:
    """The values of a number in the logs of a work dir."""
    logs = "".join(log.read_text() for log in sorted(work_dir.glob("*/*.log")))
    return [float(value) for value in re.findall(rf" {name}: ([\d.]+)", logs)]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS[1])
def test_two_iterations_and_a_test(
    name: str, shapes_root: Path, tmp_path: Path, tool: Callable[..., str]
) -> None:
    root = tmp_path / "shapes"
    root.mkdir()
    for folder in ("annotations", "train2017", "val2017"):
        (root / folder).symlink_to(shapes_root / folder)
    write_label_maps(root)
    common = [FOLDER / name, "--data-root", root, "--work-dir", tmp_path / "run"]
    options = ["--cfg-options", "test_dataloader.num_workers=0"]
    options += ["test_dataloader.persistent_workers=False"]
    tool(
        "train.py", *common, "--seed", 0, *options,
        "train_cfg.max_iters=2", "train_cfg.val_interval=2", "default_hooks.logger.interval=1",
        "default_hooks.checkpoint.interval=2", "train_dataloader.batch_size=2",
    )  # fmt: skip
    losses, (validated,) = told(tmp_path / "run", "loss"), told(tmp_path / "run", "mIoU")
    assert len(losses) == 2 and 0 < losses[0] < 10
    assert 0 <= validated <= 100
    tool("test.py", FOLDER / name, tmp_path / "run" / "iter_2.pth", *common[1:], *options)
    assert told(tmp_path / "run", "mIoU") == [validated, validated]
