import copy
import itertools

import pytest
import torch
from mmdet.models.necks import FPN
from mmdet.registry import MODELS
from torch import Tensor

from senet_mm.necks.se_fpn import POSITIONS, SEFPN

CHANNELS, OUT = [16, 32, 64, 128], 24
MAPS = [(2, c, 33 >> i, 40 >> i) for i, c in enumerate(CHANNELS)]
EVERY = [c for n in range(1, 4) for c in itertools.combinations(POSITIONS, n)]


def maps() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(size, generator=generator) for size in MAPS]


def pair(positions: tuple[str, ...], **options: object) -> tuple[FPN, SEFPN]:
    torch.manual_seed(0)
    plain = FPN(CHANNELS, OUT, num_outs=5, **options)
    se = SEFPN(CHANNELS, OUT, num_outs=5, positions=positions, se_cfg=dict(reduction=4), **options)
    missing, unexpected = se.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all(key.startswith("gates.") for key in missing)
    return plain, se


@pytest.mark.parametrize(
    "options", [{}, dict(start_level=1, add_extra_convs="on_output"), dict(add_extra_convs=True)]
)
def test_without_a_position_it_is_fpn_bit_for_bit(options: dict) -> None:
    plain, se = pair((), **options)
    assert se.state_dict().keys() == plain.state_dict().keys()
    for ours, theirs in zip(se(maps()), plain(maps()), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("positions", EVERY)
@pytest.mark.parametrize("start_level", [0, 1])
def test_gates_act_where_they_are_said_to(positions: tuple[str, ...], start_level: int) -> None:
    plain, se = pair(positions, start_level=start_level)
    inputs = maps()
    if "input" in positions:
        for level, gate in enumerate(se.gates["input"], start=start_level):
            inputs[level] = gate(inputs[level])
    laterals = [
        conv(inputs[level]) for level, conv in enumerate(plain.lateral_convs, start=start_level)
    ]
    if "lateral" in positions:
        laterals = [gate(x) for gate, x in zip(se.gates["lateral"], laterals, strict=True)]
    for level in range(len(laterals) - 1, 0, -1):
        size = laterals[level - 1].shape[2:]
        laterals[level - 1] = laterals[level - 1] + torch.nn.functional.interpolate(
            laterals[level], size=size, mode="nearest"
        )
    outs = [conv(x) for conv, x in zip(plain.fpn_convs, laterals, strict=True)]
    while len(outs) < 5:
        outs.append(outs[-1][:, :, ::2, ::2])
    if "output" in positions:
        outs = [gate(x) for gate, x in zip(se.gates["output"], outs, strict=True)]
    for ours, expected in zip(se(maps()), outs, strict=True):
        torch.testing.assert_close(ours, expected)


def test_every_parameter_gets_a_gradient_and_copies_are_independent() -> None:
    _, se = pair(POSITIONS, start_level=1)
    twin = copy.deepcopy(se)
    sum(out.square().mean() for out in twin(maps())).backward()
    for name, parameter in twin.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert all(parameter.grad is None for parameter in se.parameters())


def test_identity_init_survives_init_weights() -> None:
    torch.manual_seed(0)
    se = SEFPN(
        CHANNELS, OUT, num_outs=5, positions=POSITIONS, se_cfg=dict(reduction=4, identity_init=True)
    )
    se.init_weights()
    plain = FPN(CHANNELS, OUT, num_outs=5)
    plain.load_state_dict({k: v for k, v in se.state_dict().items() if not k.startswith("gates.")})
    for ours, theirs in zip(se(maps()), plain(maps()), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(positions=["top"]), ValueError, r"positions=\['top'\].*'lateral'"),
        (dict(positions=["input", "input"]), ValueError, "at most once"),
        (dict(positions="input"), TypeError, "expected a sequence"),
        (
            dict(positions=["lateral"], se_cfg=dict(reduction=99)),
            ValueError,
            "SE at 'lateral', level 0: reduction=99",
        ),
    ],
)
def test_bad_options_are_named(options: dict, error: type[Exception], message: str) -> None:
    cfg = dict(type="SEFPN", in_channels=CHANNELS, out_channels=OUT, num_outs=5)
    with pytest.raises(error, match=message):
        MODELS.build(cfg | options)
