"""Configs and checkpoints without some SE blocks."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from senet_mm.gates.drop import drop, find_obstacles, select_blocks
from senet_mm.gates.statistics import find_blocks
from senet_mm.profiling.complexity import build_detector, count_parameters

X = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def make_config(**backbone: object) -> Config:
    """A detector with a backbone of two stages, and a neck with SE."""
    stages = dict(num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(0, 1))
    backbone = dict(type="SEResNet", depth=18, **stages) | backbone
    width = 64 if backbone["depth"] == 18 else 256
    levels = dict(in_channels=[width, 2 * width], out_channels=8)
    model = dict(
        type="RetinaNet",
        data_preprocessor=dict(type="DetDataPreprocessor"),
        backbone=backbone,
        neck=dict(type="SEFPN", **levels, num_outs=5, positions=["input"]),
        bbox_head=dict(
            type="RetinaHead",
            num_classes=3,
            in_channels=8,
            stacked_convs=1,
            feat_channels=8,
            anchor_generator=dict(
                type="AnchorGenerator", scales=[4], ratios=[1.0], strides=[4, 8, 16, 32, 64]
            ),
            bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
            loss_cls=dict(type="FocalLoss"),
            loss_bbox=dict(type="L1Loss"),
        ),
    )
    return Config(dict(model=model, default_scope="mmdet", work_dir="elsewhere"))


@pytest.fixture
def saved(tmp_path: Path, randomize):
    """Write a seeded checkpoint of a config in float64, as a wrapped model would; returns both."""

    def save(cfg: Config) -> tuple[torch.nn.Module, Path]:
        model = randomize(build_detector(cfg)).double()
        state = {f"module.{key}": value for key, value in model.state_dict().items()}
        path = tmp_path / "epoch_3.pth"
        meta = dict(dataset_meta=dict(classes=("a", "b", "c")), epoch=3, cfg="old")
        torch.save(dict(meta=meta, state_dict=state, optimizer={}), path)
        return model, path

    return save


def test_gates_that_differ_between_positions_cannot_be_dropped() -> None:
    model = build_detector(make_config(se_cfg=[dict(squeeze="none"), dict()]))
    blocks = find_blocks(model)
    obstacles = find_obstacles(model, blocks)
    assert {name for name in obstacles if name.startswith("SE_")} == {"SE_2_1", "SE_2_2"}
    assert "squeeze='none': its gates differ from position" in obstacles["SE_2_1"]
    with pytest.raises(ValueError, match="cannot be dropped: SE_2_1: squeeze='none'"):
        select_blocks(["SE_2_1"], blocks, obstacles)


def reload(config: Path, checkpoint: Path) -> torch.nn.Module:
    """The written model, with nothing missing and nothing left over."""
    model = build_detector(Config.fromfile(config))
    model.double()
    model.load_state_dict(torch.load(checkpoint, weights_only=False)["state_dict"])
    return model


@pytest.mark.parametrize(
    ("backbone", "names", "se_cfg"),
    [
        (dict(), ["SE_2_2", "SE_3_1"], [dict(blocks=(0,)), dict(blocks=(1,))]),
        (dict(se_cfg=dict(reduction=4)), ["SE_3_1", "SE_3_2"], [dict(reduction=4), None]),
        (
            dict(se_cfg=dict(branch_relu=True)),
            ["stage2"],
            [dict(branch_relu=True, blocks=()), dict(branch_relu=True)],
        ),
        (
            dict(depth=50, se_cfg=[dict(placement="pre", blocks=(0, 2)), dict(placement="conv2")]),
            ["SE_2_1", "3"],
            [dict(placement="pre", blocks=(2,)), None],
        ),
    ],
)
def test_constant_gates_fold_into_the_same_model(backbone, names, se_cfg, saved, tmp_path) -> None:
    cfg = make_config(**backbone)
    model, checkpoint = saved(cfg)
    blocks = find_blocks(model)
    chosen = select_blocks(names, blocks, find_obstacles(model, blocks))
    gates = {}
    for name in chosen:  # fc2 without weights: the same gates for every image
        block = blocks[name].module
        torch.nn.init.zeros_(block.fc2.weight)
        gates[name] = torch.sigmoid(block.fc2.bias.detach())
    loaded = torch.load(checkpoint, weights_only=False)
    torch.save(dict(loaded, state_dict=model.state_dict()), checkpoint)

    # float64 checkpoints are copied into float32 models
    torch.set_default_dtype(torch.float64)
    try:
        dropped = drop(cfg, checkpoint, gates, tmp_path / "dropped")
    finally:
        torch.set_default_dtype(torch.float32)

    new_cfg = Config.fromfile(dropped.config)
    assert [None if s is None else dict(s) for s in new_cfg.model.backbone.se_cfg] == se_cfg
    assert "work_dir" not in new_cfg and cfg.work_dir == "elsewhere"
    new_model = reload(dropped.config, dropped.checkpoint)
    saved_parameters = sum(blocks[name].parameters for name in chosen)
    assert dropped.parameters == count_parameters(new_model)
    assert dropped.parameters == count_parameters(model) - saved_parameters
    with torch.no_grad():
        for ours, expected in zip(
            new_model.neck(new_model.backbone(X)), model.neck(model.backbone(X)), strict=True
        ):
            assert (ours - expected).norm() < 1e-10 * expected.norm()
    written = torch.load(dropped.checkpoint, weights_only=False)
    assert written["meta"]["dataset_meta"] == dict(classes=("a", "b", "c"))
    assert written["meta"]["epoch"] == 3 and written["meta"]["folded_gates"] == chosen
    assert "blocks" in written["meta"]["cfg"] or "None" in written["meta"]["cfg"]
    assert "optimizer" not in written


def test_earlier_files_are_kept_unless_told(saved, tmp_path: Path) -> None:
    cfg = make_config()
    model, checkpoint = saved(cfg)
    gates = {"SE_2_1": torch.ones(64)}
    folder = tmp_path / "dropped"
    first = drop(cfg, checkpoint, gates, folder)
    with pytest.raises(FileExistsError, match=r"config\.py exists: give --force"):
        drop(cfg, checkpoint, gates, folder)
    (folder / "old.pth").touch()
    (folder / "old.py").touch()
    second = drop(cfg, checkpoint, {"SE_3_2": torch.ones(128)}, folder, force=True)
    assert first.config == second.config
    written = sorted(path.name for path in folder.iterdir())
    assert written == ["config.py", "epoch_3.pth", "last_checkpoint"]
    assert [dict(s) for s in Config.fromfile(second.config).model.backbone.se_cfg] == [
        {},
        dict(blocks=(0,)),
    ]


def test_a_checkpoint_of_another_model(saved, tmp_path: Path) -> None:
    _, checkpoint = saved(make_config(se_cfg=dict(reduction=8)))
    with pytest.raises(ValueError, match=r"epoch_3\.pth does not fit the config"):
        drop(make_config(), checkpoint, {"SE_2_1": torch.ones(64)}, tmp_path / "dropped")
    with pytest.raises(ValueError, match="'suggested' names no block here"):
        drop(make_config(), checkpoint, {}, tmp_path / "dropped")
    assert not (tmp_path / "dropped").exists()


def test_selection() -> None:
    model = build_detector(make_config())
    blocks = find_blocks(model)
    obstacles = find_obstacles(model, blocks)
    assert obstacles.keys() == {"neck_input_0", "neck_input_1"}

    def select(*names: str) -> list[str]:
        return select_blocks(names, blocks, obstacles, ["SE_3_2", "SE_2_1"])

    assert select("stage3", "SE_2_2", "SE_3_1") == ["SE_2_2", "SE_3_1", "SE_3_2"]
    assert select("2") == select("stage2") == ["SE_2_1", "SE_2_2"]
    assert select("suggested") == ["SE_2_1", "SE_3_2"]
    for unknown in ("stage4", "SE_2_3", "layer1"):
        with pytest.raises(ValueError, match=rf"{unknown}: expected .*stage2, stage3.*SE_2_1, SE"):
            select(unknown)
    with pytest.raises(ValueError, match=r"neck_input_1: neck.gates.input.1 is in no residual"):
        select("neck_input_1")


def test_plugins_and_placements_that_cannot_be_dropped() -> None:
    plugins = [dict(cfg=dict(type="SEBlock"), position="after_conv2")]
    stages = [dict(placement="post"), dict(placement="identity")]
    model = build_detector(make_config(depth=50, se_cfg=stages, plugins=plugins))
    obstacles = find_obstacles(model, find_blocks(model))
    assert "placement='post' gates the sum" in obstacles["SE_2_1"]
    assert "is a plugin" in obstacles["SE_2_1_se_block"]
    assert "SE_3_1" not in obstacles
    assert "no layer that could take the constants" in obstacles["SE_3_2"]
