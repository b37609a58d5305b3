"""The sweep of timm's networks: its table, and a network of each kind."""

from __future__ import annotations

import pytest
import timm

from senet_mm.backbones import TimmBackbone
from studies import timm_sweep
from studies.timm_sweep import NETS, sweep_one, table


def test_one_network_of_each_family() -> None:
    modules = [timm.models.model_entrypoint(name).__module__ for name in NETS]
    assert len(set(NETS)) == 20
    assert len(set(modules)) == 20


@pytest.mark.parametrize(
    "name",
    [
        "mobilenetv3_small_100",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("densenet121", "legacy_xception", "efficientformer_l1", "hrnet_w18_small")
        ),
    ],
)
def test_a_network_of_each_kind(name: str) -> None:
    row = sweep_one(name, NETS[name])
    assert row.strides == [4, 8, 16, 32]
    assert row.blocks > 0 and row.se_parameters > 0
    assert ("stem and 4 stages" in row.freezing) == (name != "hrnet_w18_small")
    assert f"`{NETS[name]}` ({row.blocks})".replace("|", "\\|") in table([row])


def test_what_is_not_as_told_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimmBackbone, "out_channels", [1, 2, 3, 4])
    with pytest.raises(AssertionError, match="other channels than told"):
        sweep_one("mobilenetv3_small_100", NETS["mobilenetv3_small_100"])
    monkeypatch.undo()
    monkeypatch.setattr(timm_sweep.Stages, "until", lambda self, stage: [])
    with pytest.raises(AssertionError, match="parameters of stage 1 are not in it"):
        sweep_one("mobilenetv3_small_100", NETS["mobilenetv3_small_100"])
