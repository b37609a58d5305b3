"""Recorded gates and their statistics against plain torch and numpy."""

import copy

import numpy as np
import pytest
import torch
from mmdet.models.backbones import ResNet
from torch import Tensor, nn

from senet_mm.backbones import SEResNet
from senet_mm.gates.statistics import GateRecorder, GateStatistics, find_blocks
from senet_mm.layers import SEBlock
from senet_mm.layers.se_config import PLACEMENTS
from senet_mm.necks import SEFPN, SENeck


class Detector(nn.Module):
    """A backbone and a neck."""

    def __init__(self, backbone: nn.Module, neck: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone, self.neck = backbone, neck

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.backbone(x)
        return maps if self.neck is None else self.neck(maps)


def expected_gates(block: SEBlock, x: Tensor) -> Tensor:
    """Eq. 2 and 3 of a sigmoid block, written out."""
    z = x.sum((2, 3)) / (x.shape[2] * x.shape[3])
    hidden = (z @ block.fc1.weight[:, :, 0, 0].T + block.fc1.bias).clamp(min=0)
    return 1 / (1 + torch.exp(-(hidden @ block.fc2.weight[:, :, 0, 0].T + block.fc2.bias)))


@pytest.fixture
def detector(randomize) -> nn.Module:
    """SE in every unit of a ResNet-18 and at the outputs of its FPN."""
    neck = SEFPN([64, 128, 256, 512], 32, num_outs=5, positions=["output"])
    model = randomize(Detector(SEResNet(18), neck)).double()
    model.eval()
    return model


def images(number: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(number, 3, 64, 64, dtype=torch.float64, generator=generator)


def test_names_of_the_paper() -> None:
    names = list(find_blocks(Detector(SEResNet(50))))
    blocks_per_stage = {2: 3, 3: 4, 4: 6, 5: 3}
    assert names == [f"SE_{s}_{b + 1}" for s, n in blocks_per_stage.items() for b in range(n)]
    block = find_blocks(Detector(SEResNet(50)))["SE_5_3"]
    assert (block.path, block.stage, block.unit) == ("backbone.layer4.2.se", 5, 2)
    assert block.parameters == 2 * 2048 * 128 + 2048 + 128


def test_names_of_plugins_necks_and_two_backbones() -> None:
    plugins = [
        dict(cfg=dict(type="mmdet.SEBlock", postfix=p), position=f"after_{p}")
        for p in ("conv2", "conv3")
    ]
    names = list(find_blocks(ResNet(50, plugins=plugins)))
    assert names[:2] == ["SE_2_1_se_blockconv2", "SE_2_1_se_blockconv3"] and len(names) == 32
    fpn = dict(in_channels=[64, 128], out_channels=16, num_outs=2)
    neck = SEFPN(positions=["input", "lateral"], se_cfg=dict(reduction=4), **fpn)
    names = list(find_blocks(Detector(nn.Identity(), neck)))
    assert names == ["neck_input_0", "neck_input_1", "neck_lateral_0", "neck_lateral_1"]
    wrapped = SENeck(dict(type="FPN", **fpn), positions=["output"])
    assert list(find_blocks(Detector(nn.Identity(), wrapped))) == ["neck_output_0", "neck_output_1"]
    pair = nn.ModuleDict(dict(teacher=SEResNet(18), student=SEResNet(18)))
    assert "teacher.layer1.0.se" in find_blocks(pair) and len(find_blocks(pair)) == 16


def test_a_model_without_se() -> None:
    with pytest.raises(ValueError, match="ResNet has no SE block"):
        GateRecorder(ResNet(18))


def test_gates_are_those_of_the_equations_and_the_model_is_untouched(detector) -> None:
    blocks = find_blocks(detector)
    inputs = {}
    hooks = [
        block.module.register_forward_pre_hook(
            lambda module, args, name=name: inputs.update({name: args[0]})
        )
        for name, block in blocks.items()
    ]
    x = images(3)
    detector(x)  # the hooks keep SE off its fast path
    for hook in hooks:
        hook.remove()
    before = [out.clone() for out in detector(x)]
    state = {name: dict(vars(block.module)) for name, block in blocks.items()}
    with GateRecorder(detector) as recorder, torch.no_grad():
        during = detector(x)
    gates = recorder.take()
    assert list(gates) == list(blocks) and len(gates) == 13
    for name, block in blocks.items():
        assert gates[name].shape == (3, block.module.fc2.out_channels)
        expected = expected_gates(block.module, inputs[name])
        torch.testing.assert_close(gates[name], expected, rtol=1e-10, atol=1e-12)
        assert vars(block.module) == state[name]
    for first, second, third in zip(before, during, detector(x), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-12)  # by another path
        assert torch.equal(first, third)
    assert recorder.take() == {}


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_every_placement_is_recorded(placement: str) -> None:
    model = SEResNet(50, se_cfg=dict(placement=placement))
    model.eval()
    with GateRecorder(model) as recorder, torch.no_grad():
        model(torch.randn(2, 3, 32, 32))
    assert len(recorder.take()) == 16


def test_an_exception_leaves_nothing_and_modes_are_kept(detector) -> None:
    detector.train()
    modes = [module.training for module in detector.modules()]
    with pytest.raises(KeyError), GateRecorder(detector), GateRecorder(detector):
        raise KeyError
    assert all("excite" not in vars(block.module) for block in find_blocks(detector).values())
    assert [module.training for module in detector.modules()] == modes
    copy.deepcopy(detector)


def test_excite_without_forward_several_calls_and_maps_of_gates() -> None:
    torch.manual_seed(0)
    block, x = SEBlock(8, reduction=2), torch.randn(2, 3, 8, 5, 4)
    with GateRecorder(nn.ModuleDict(dict(a=block))) as recorder, torch.no_grad():
        for z in x.mean((3, 4), keepdim=True).unbind(1):
            block.excite(z)
    expected = torch.stack([expected_gates(block, x[:, call]) for call in range(3)]).mean(0)
    torch.testing.assert_close(recorder.take()["a"], expected.double(), rtol=1e-5, atol=1e-6)
    spread = SEBlock(8, reduction=2, squeeze="none")
    with GateRecorder(nn.ModuleDict(dict(a=spread))) as recorder, torch.no_grad():
        spread(x[:, 0])
    pixels = x[:, 0].flatten(2).permute(0, 2, 1).reshape(-1, 8, 1, 1)
    expected = expected_gates(spread, pixels).reshape(2, 20, 8).mean(1)
    torch.testing.assert_close(recorder.take()["a"], expected.double(), rtol=1e-5, atol=1e-6)


def test_an_inner_recorder_leaves_the_outer_one_at_work(detector) -> None:
    with GateRecorder(detector) as outer, torch.no_grad():
        with GateRecorder(detector) as inner:
            detector(images(1))
        first = outer.take()
        assert torch.equal(first["SE_3_1"], inner.take()["SE_3_1"])
        detector(images(1, seed=1))
        assert inner.take() == {} and len(outer.take()) == 13


PRESENT = [{0}, {0, 2}, set(), {2}, {0, 2}, {0}]


@pytest.fixture
def statistics() -> tuple[GateStatistics, np.ndarray]:
    """Six images in three batches, of which class 1 is in none; and their gates."""
    gates = np.random.default_rng(0).uniform(size=(6, 5))
    statistics = GateStatistics(["cat", "dog", "bird"])
    for part in (slice(0, 1), slice(1, 4), slice(4, 6)):
        statistics.add({"SE_2_1": torch.from_numpy(gates[part])}, PRESENT[part])
    return statistics, gates


def test_means_and_variances_are_numpys(statistics) -> None:
    ours, gates = statistics
    assert ours.groups == ("all", "cat", "dog", "bird")
    assert ours.counts.tolist() == [6, 4, 0, 3]
    for group, members in ((0, range(6)), (1, [0, 1, 4, 5]), (3, [1, 3, 4])):
        rows = gates[list(members)]
        np.testing.assert_allclose(ours.mean("SE_2_1")[group], rows.mean(0), rtol=1e-12)
        np.testing.assert_allclose(ours.variance("SE_2_1")[group], rows.var(0), rtol=1e-10)
    assert ours.mean("SE_2_1")[2].isnan().all()


def test_variance_splits_into_between_and_within_classes(statistics) -> None:
    ours, gates = statistics
    between, within = ours.between_and_within_classes("SE_2_1")
    pairs = gates[[0, 1, 4, 5, 1, 3, 4]]
    cat, bird = pairs[:4], pairs[4:]
    np.testing.assert_allclose(between + within, pairs.var(0), rtol=1e-10)
    np.testing.assert_allclose(within, (4 * cat.var(0) + 3 * bird.var(0)) / 7, rtol=1e-10)


def test_nearly_constant_gates_keep_their_digits() -> None:
    gates = 0.7 + 1e-9 * np.random.default_rng(0).standard_normal((50, 4))
    ours = GateStatistics(["cat"])
    ours.add({"a": torch.from_numpy(gates)}, [{0}] * 50)
    np.testing.assert_allclose(ours.variance("a")[0], gates.var(0), rtol=1e-5)
    ours = GateStatistics(["cat"])
    for _ in range(3):
        ours.add({"a": torch.full((2, 4), 0.3)}, [{0}, set()])
    assert ours.variance("a").max() == 0


def test_what_is_no_gate_per_image_is_refused() -> None:
    ours = GateStatistics(["cat"])
    with pytest.raises(ValueError, match="a gated 3 maps for 2 images"):
        ours.add({"a": torch.rand(3, 4)}, [{0}, {0}])
    with pytest.raises(ValueError, match="a has gates that are not finite"):
        ours.add({"a": torch.tensor([[0.5, float("nan")]])}, [{0}])
