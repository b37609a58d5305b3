"""What a backbone is given: names, stages and norms."""

from __future__ import annotations

import pytest
from torch import nn

from senet_mm.backbones import SEResNet, TimmBackbone
from senet_mm.backbones.arguments import check_names, check_norm, check_out_indices


def test_names() -> None:
    check_names(SEResNet, ["depth", "frozen_stages", "se_cfg", "with_cp"])
    check_names(TimmBackbone, ["drop_path_rate"])  # timm says what it takes
    with pytest.raises(TypeError, match="SEResNet takes no 'output_stride': strides and dilations"):
        check_names(SEResNet, ["depth", "output_stride"])


@pytest.mark.parametrize("right", [(0,), [1, 3], range(4)])
def test_stages(right: object) -> None:
    check_out_indices(right, 4)


@pytest.mark.parametrize("wrong", [(), 3, (4,), (-1,), "3", None, {1}])
def test_what_names_no_stages(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"out_indices=.*: expected stages 0 to 3, such as \(3,\)"):
        check_out_indices(wrong, 4)


@pytest.mark.parametrize("right", ["BN", "SyncBN", "GN", nn.BatchNorm2d])
def test_norms(right: object) -> None:
    check_norm(dict(type=right))


@pytest.mark.parametrize("wrong", [None, "BN", {}, dict(num_groups=32)])
def test_what_is_no_norm(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"norm_cfg=.*: expected a dict with a type"):
        check_norm(wrong)
