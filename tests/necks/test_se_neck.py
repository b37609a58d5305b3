import pytest
import torch
from mmdet.registry import MODELS
from torch import Tensor

from senet_mm.necks import SENeck
from senet_mm.necks.se_neck import _in_channels

CHANNELS, OUT = [16, 32, 64, 128], 24
FPN = dict(type="FPN", in_channels=CHANNELS, out_channels=OUT, num_outs=5)
NECKS = {
    "FPN": FPN,
    "PAFPN": FPN | dict(type="PAFPN"),
    "BFP chain": [FPN, dict(type="BFP", in_channels=OUT, num_levels=5, refine_level=2)],
    "NASFPN": FPN | dict(type="NASFPN", stack_times=2, norm_cfg=dict(type="BN")),
    "ChannelMapper": dict(type="ChannelMapper", in_channels=CHANNELS, out_channels=OUT),
}


def maps() -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        torch.randn(2, c, 64 >> i, 64 >> i, generator=generator) for i, c in enumerate(CHANNELS)
    )


def build(name: str, positions: list[str]) -> tuple[torch.nn.Module, SENeck]:
    torch.manual_seed(0)
    plain = MODELS.build(NECKS[name])
    se = SENeck(NECKS[name], positions=positions, se_cfg=dict(reduction=4))
    se.neck.load_state_dict(plain.state_dict())
    return plain, se


@pytest.mark.parametrize("name", NECKS)
def test_without_a_position_it_is_the_neck_bit_for_bit(name: str) -> None:
    plain, se = build(name, [])
    for ours, theirs in zip(se(maps()), plain(maps()), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", NECKS)
@pytest.mark.parametrize("positions", [["input"], ["output"], ["output", "input"]])
def test_gates_inputs_and_outputs(name: str, positions: list[str]) -> None:
    plain, se = build(name, positions)
    inputs: tuple[Tensor, ...] = maps()
    if "input" in positions:
        inputs = tuple(gate(x) for gate, x in zip(se.gates["input"], inputs, strict=True))
    outs = plain(inputs)
    if "output" in positions:
        outs = tuple(gate(x) for gate, x in zip(se.gates["output"], outs, strict=True))
    for ours, expected in zip(se(maps()), outs, strict=True):
        torch.testing.assert_close(ours, expected)
    sum(out.square().mean() for out in se(maps())).backward()
    for gate in se.gates.values():
        for parameter in gate.parameters():
            assert parameter.grad.isfinite().all()


def test_a_missing_level_is_named() -> None:
    _, se = build("FPN", ["input"])
    with pytest.raises(ValueError, match="3 maps: expected 4, one per level"):
        se(maps()[:3])


def test_building_leaves_batch_norm_alone() -> None:
    _, se = build("NASFPN", ["output"])
    assert se.neck.training
    fresh = MODELS.build(NECKS["NASFPN"]).state_dict()
    built = SENeck(NECKS["NASFPN"], positions=["output"]).neck.state_dict()
    for key, value in built.items():
        if "running" in key or "tracked" in key:
            assert torch.equal(value, fresh[key]), key


def test_bad_options_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"positions=\['lateral'\]: expected each of \['input', 'output'\]"
    ):
        MODELS.build(dict(type="SENeck", neck=FPN, positions=["lateral"]))
    yolo = dict(type="YOLOV3Neck", num_scales=3, in_channels=[64, 32, 16], out_channels=[32, 16, 8])
    with pytest.raises(ValueError, match=r"YOLOV3Neck takes no pyramid of \[64, 32, 16\] channels"):
        SENeck(yolo, positions=["output"])
    assert not SENeck(yolo).gates
    with pytest.raises(ValueError, match="SE at 'input': gate='swish'"):
        SENeck(FPN, positions=["input"], se_cfg=dict(gate="swish"))


ONE_LEVEL = dict(
    type="DilatedEncoder",
    in_channels=128,
    out_channels=16,
    block_mid_channels=8,
    num_residual_blocks=1,
    block_dilations=[2],
)


def assert_gradients(se: SENeck, inputs: tuple[Tensor, ...]) -> None:
    sum(out.square().mean() for out in se(inputs)).backward()
    for name, parameter in se.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(
    ("neck", "unread"),
    [
        (FPN | dict(start_level=1, add_extra_convs="on_output"), [0]),
        (FPN | dict(start_level=1, end_level=2, num_outs=2), [0, 3]),
        (FPN | dict(type="NASFCOS_FPN", start_level=1), [0]),
        (FPN | dict(type="PAFPN", start_level=2), [0, 1]),
        ([FPN | dict(start_level=1), NECKS["BFP chain"][1]], [0]),
    ],
)
def test_a_level_that_the_neck_does_not_read_has_no_gate(neck, unread) -> None:
    """Its parameters would get no gradient, and distributed training stop with an error."""
    torch.manual_seed(0)
    se = SENeck(neck, positions=["input", "output"], se_cfg=dict(reduction=4))
    gates = se.gates["input"]
    assert [level for level, gate in enumerate(gates) if not list(gate.parameters())] == unread
    assert_gradients(se, maps())
    # the keys of the others count all levels, as they always did
    keys = {key.split(".")[2] for key in se.state_dict() if key.startswith("gates.input")}
    assert keys == {str(level) for level in range(4) if level not in unread}


def test_a_neck_of_one_level() -> None:
    torch.manual_seed(0)
    se = SENeck(ONE_LEVEL, positions=["input", "output"], se_cfg=dict(reduction=4))
    last = maps()[-1]
    (out,) = se([last])
    se.neck.train()  # the same statistics for both
    expected = se.gates["output"][0](se.neck([se.gates["input"][0](last)])[0])
    torch.testing.assert_close(out, expected)
    assert_gradients(se, (last,))
    with pytest.raises(ValueError, match="4 maps: expected 1, .*out_indices"):
        se(maps())


@pytest.mark.skipif(MODELS.get("CLRFPN") is None, reason="mmdet has no CLRFPN here")
def test_a_neck_of_some_of_the_maps() -> None:
    """CLRNet's neck lists three maps and is given what the backbone has."""
    neck = dict(type="CLRFPN", in_channels=CHANNELS[:3], out_channels=OUT, num_outs=3)
    se = SENeck(neck, positions=["input"], se_cfg=dict(reduction=4))
    assert_gradients(se, maps()[:3])
    with pytest.raises(ValueError, match="4 maps: expected 3, .*out_indices"):
        se(maps())


def test_what_a_neck_says_of_maps_that_are_not_its_own_is_told() -> None:
    rfp = FPN | dict(
        type="RFP",
        rfp_steps=2,
        rfp_backbone=dict(type="DetectoRS_ResNet", depth=50, rfp_inplanes=OUT, output_img=True),
        aspp_out_channels=4,
    )
    with pytest.raises(ValueError, match="RFP takes no pyramid of .*: AssertionError"):
        SENeck(rfp, positions=["input"])
    one_map = dict(type="SEBlock", in_channels=8, reduction=1)
    with pytest.raises(ValueError, match="SEBlock takes no pyramid of"):
        SENeck(one_map, positions=["output"])
    with pytest.raises(ValueError, match="in_channels=None of neck SEBlock: expected one number"):
        _in_channels(dict(type="SEBlock"))
