"""The options of SE: keys, defaults, checks, and what is documented of them."""

from __future__ import annotations

import inspect
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from senet_mm.layers import SEBlock, SEConfig
from senet_mm.layers.functions import ACTIVATIONS, SQUEEZES
from senet_mm.layers.se_config import PLACEMENTS

KEYS = [key.name for key in fields(SEConfig)]


def test_one_dict_serves_every_stage() -> None:
    assert SEConfig.parse(dict(reduction=8), 3) == (SEConfig(reduction=8),) * 3


def test_one_entry_per_stage() -> None:
    stages = SEConfig.parse((None, {}, ConfigDict(bias=False)), 3)
    assert stages == (None, SEConfig(), SEConfig(bias=False))


@pytest.mark.parametrize(
    ("se_cfg", "error", "message"),
    [
        ([{}, {}], ValueError, "2 entries: expected 4"),
        (None, TypeError, "se_cfg=None"),
        ("sigmoid", TypeError, "se_cfg='sigmoid'"),
        ([{}, 16, {}, {}], TypeError, "layer2 is 16"),
        (
            [{}, {}, dict(ratio=16), {}],
            ValueError,
            r"layer3 has unknown keys \['ratio'\].*reduction",
        ),
        (dict(in_channels=64), ValueError, r"unknown keys \['in_channels'\]"),
        ({1: 2}, ValueError, r"unknown keys \[1\]"),
    ],
)
def test_bad_se_cfg_is_named(se_cfg: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SEConfig.parse(se_cfg, 4)


FLAGS = ("bias", "identity_init", "branch_relu", "fused")
COUNT = "expected an integer of 1 or more"
BAD = [
    *((key, value, "expected True or False") for key in FLAGS for value in ("no", 1, None, [])),
    *(("reduction", value, COUNT) for value in (True, 16.0, "16", None)),
    ("reduction", 0, "expected 1 or more"),
    *(("squeeze_channels", value, COUNT) for value in (False, 8.0, "8")),
    ("squeeze_channels", -1, "expected 1 or more"),
    *(("squeeze", value, f"expected one of {list(SQUEEZES)}") for value in ("mean", None, [])),
    *(("gate", value, f"expected one of {list(ACTIVATIONS)}") for value in ("swish", 1, {})),
    *(("placement", v, f"expected one of {list(PLACEMENTS)}") for v in ("before", None, True)),
    *(("blocks", v, "expected a sequence of integers") for v in (1, "0", ["0"], (True,), {0})),
    ("blocks", (), "expected one or more; no SE in a stage is None"),
]


@pytest.mark.parametrize(("key", "value", "accepted"), BAD)
def test_a_bad_value_is_refused_in_one_line_that_names_it(key, value, accepted) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        SEConfig.parse([{}, {key: value}, {}, {}], 4)
    assert str(refused.value).startswith(f"se_cfg of layer2: {key}={value!r}: {accepted}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("key", "value", "accepted"), [row for row in BAD if row[0] != "blocks"])
def test_a_block_is_checked_by_the_same_code(key, value, accepted) -> None:
    """Directly, as a plugin of mmdet, and in a neck."""
    if key not in SEConfig().of_block():
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{key}'"):
            SEBlock(64, **{key: value})
        return
    neck = dict(type="SEFPN", in_channels=[32], out_channels=32, num_outs=1, positions=["input"])
    plugin = dict(cfg=dict(type="SEBlock", **{key: value}), position="after_conv3")
    for build in (
        lambda: SEBlock(64, **{key: value}),
        lambda: MODELS.build(dict(type="ResNet", depth=50, plugins=[plugin])),
        lambda: MODELS.build(neck | dict(se_cfg={key: value})),
    ):
        scope = DefaultScope.overwrite_default_scope("mmdet")  # mmcv looks plugins up there
        with scope, pytest.raises((TypeError, ValueError)) as refused:
            build()
        assert f"{key}={value!r}: {accepted}" in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(branch_relu=True, placement="pre"), "branch_relu=True with placement='pre'"),
        (dict(identity_init=True, gate="tanh", bias=False), "needs bias=True"),
    ],
)
def test_values_that_do_not_go_together(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SEConfig(**options)


def test_units() -> None:
    assert SEConfig().units(3) == {0, 1, 2}
    assert SEConfig(blocks=[2, 0]).units(3) == {0, 2}
    assert SEConfig(blocks=(), branch_relu=True).units(3) == set()
    for blocks in ((0, 3), (-1,), (1, 1)):
        message = rf"blocks={re.escape(repr(blocks))}: expected each of 0 to 2 at most once"
        with pytest.raises(ValueError, match=message):
            SEConfig(blocks=blocks).units(3)


def test_it_is_a_frozen_record() -> None:
    config = SEConfig(gate="tanh", blocks=[1])
    with pytest.raises(FrozenInstanceError):
        config.gate = "relu"
    assert config.changed() == dict(gate="tanh", blocks=(1,))
    assert SEConfig(**config.changed()) == config == SEConfig.of(config)
    assert {config, SEConfig.of(dict(gate="tanh", blocks=(1,)))} == {config}


def test_the_block_has_no_defaults_of_its_own() -> None:
    parameters = inspect.signature(SEBlock).parameters
    ours = SEConfig().of_block()
    assert {name: parameters[name].default for name in ours} == ours
    assert set(parameters) == {*ours, "in_channels", "init_cfg"}


def test_the_documented_table_has_every_key_default_and_choice(repo: Path) -> None:
    text = (repo / "docs/design_space.md").read_text()
    table = text.partition("| key |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == [f"`{key}`" for key in KEYS]
    for key, row in zip(fields(SEConfig), rows, strict=True):
        assert row[2] == f"`{key.default!r}`".replace("'", ""), key.name
    values = {row[0].strip("`"): row[1] for row in rows}
    for key, accepted in (("squeeze", SQUEEZES), ("gate", ACTIVATIONS), ("placement", PLACEMENTS)):
        assert re.findall(r"`(\w+)`", values[key]) == list(accepted)


def test_what_a_state_dict_does_not_record() -> None:
    hidden = SEConfig(gate="tanh").hidden()
    assert hidden == dict(squeeze="avg", gate="tanh", placement="standard", branch_relu=False)
