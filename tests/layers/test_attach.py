"""SE behind any unit: what it computes, and that nothing else changes."""

from __future__ import annotations

import copy
import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from mmcv.cnn import ContextBlock
from mmdet.models.backbones import ResNet
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torchvision.models import mobilenet_v2, vgg11_bn

from senet_mm import attach_se, detach_se
from senet_mm.backbones import SEResNet
from senet_mm.layers import SEBlock
from senet_mm.layers.attach import attached_se, keep_attached
from tests.compat.internals import OLD_TORCH


class Net(nn.Module):
    """Units of all kinds: a convolution, a Sequential, a ReLU used twice, one that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.body = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU())
        self.unused = nn.Conv2d(3, 3, 1)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.stem(x)))
        x = self.relu(self.body(x))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def x() -> Tensor:
    torch.manual_seed(1)
    return torch.rand(2, 3, 17, 15)


def gated(block: SEBlock, x: Tensor) -> Tensor:
    """Eq. 2 to 4 in plain torch."""
    z = x.mean((2, 3))
    z = torch.relu(z @ block.fc1.weight[:, :, 0, 0].T + block.fc1.bias)
    z = torch.sigmoid(z @ block.fc2.weight[:, :, 0, 0].T + block.fc2.bias)
    return x * z[:, :, None, None]


def test_the_unit_returns_the_gated_map(net: Net, x: Tensor) -> None:
    blocks = attach_se(net, ["norm", "body"], dict(reduction=4))
    assert list(blocks) == ["norm", "body"]
    assert [block.fc1.in_channels for block in blocks.values()] == [8, 16]
    h = torch.relu(gated(blocks["norm"], nn.BatchNorm2d.forward(net.norm, net.stem(x))))
    h = gated(blocks["body"], net.body[2](net.body[1](net.body[0](h))))
    expected = net.head(torch.relu(h).mean((2, 3)))
    torch.testing.assert_close(net(x), expected)


def test_keys_of_the_plain_net_stay(net: Net) -> None:
    before = list(net.state_dict())
    attach_se(net, ["norm", "body"], dict(reduction=4))
    own = [
        f"{unit}.se.{fc}.{what}"
        for unit in ("norm", "body")
        for fc in ("fc1", "fc2")
        for what in ("weight", "bias")
    ]
    after = list(net.state_dict())
    assert [key for key in after if ".se." not in key] == before
    assert [key for key in after if ".se." in key] == own
    incompatible = net.load_state_dict(Net().state_dict(), strict=False)
    assert incompatible.missing_keys == own
    assert not incompatible.unexpected_keys


@pytest.mark.parametrize(
    "units",
    [
        r"norm|body",
        ("norm", "body"),
        lambda name, module: name in ("norm", "body"),
    ],
)
def test_units_are_named_by_pattern_names_or_function(net: Net, units: object) -> None:
    assert list(attach_se(net, units, dict(reduction=2))) == ["norm", "body"]


def test_options_may_differ_by_unit(net: Net) -> None:
    se_cfg = [dict(reduction=2, gate="tanh"), dict(squeeze_channels=3, bias=False)]
    blocks = attach_se(net, ["body", "norm"], se_cfg)
    assert blocks["body"].fc1.out_channels == 8
    assert blocks["body"].config.gate == "tanh"
    assert blocks["norm"].fc1.out_channels == 3
    assert blocks["norm"].fc1.bias is None


def test_another_attention_module_is_built_with_its_options(net: Net, x: Tensor) -> None:
    block = attach_se(net, ["body"], dict(type="ContextBlock", ratio=0.25))["body"]
    assert isinstance(block, ContextBlock)
    assert block.in_channels == 16
    assert net(x).isfinite().all()
    detach_se(net)


def test_identity_init_starts_as_the_plain_net(net: Net, x: Tensor) -> None:
    before = net(x)
    attach_se(net, ["norm", "body"], dict(reduction=4, identity_init=True))
    assert torch.equal(net(x), before)


def test_the_shape_pass_changes_nothing(net: Net) -> None:
    net.train()
    net.body.eval()
    modes = {name: module.training for name, module in net.named_modules()}
    before = {key: value.clone() for key, value in net.state_dict().items()}
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="reduction=64"):  # after the pass
        attach_se(net, ["norm"], dict(reduction=64))
    assert torch.equal(torch.get_rng_state(), state)
    assert {name: module.training for name, module in net.named_modules()} == modes
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())
    block = attach_se(net, ["norm"], dict(reduction=4))["norm"]
    assert block.training


def test_what_knows_no_shapes_is_run_on_zeros(net: Net) -> None:
    class Values(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * float(x.sum() >= 0)

    net.relu = Values()
    assert list(attach_se(net, ["norm"], dict(reduction=4))) == ["norm"]


def test_a_block_is_where_its_net_is() -> None:
    with torch.device("meta"):
        net = Net().double()
    block = attach_se(net, ["body"])["body"]
    assert block.fc1.weight.is_meta
    assert block.fc1.weight.dtype == torch.float64


def test_detach_gives_the_plain_net_back(net: Net, x: Tensor) -> None:
    before, keys = net(x), list(net.state_dict())
    attach_se(net, ["norm", "body"], dict(reduction=4))
    assert not torch.equal(net(x), before)
    assert detach_se(net) is net
    assert torch.equal(net(x), before)
    assert list(net.state_dict()) == keys
    assert not any(module._forward_hooks for module in net.modules())
    assert not attached_se(net)
    attach_se(net, ["norm"], dict(reduction=4))  # once more
    own = SEResNet(18)
    assert detach_se(own).layer1[0].se is not None  # not ours to take


def _deepcopied(net: nn.Module) -> nn.Module:
    return copy.deepcopy(net)


def _pickled(net: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(net))


def _saved(net: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copied", [_deepcopied, _pickled, _saved])
def test_copies_have_blocks_of_their_own(
    net: Net, x: Tensor, copied: Callable[[nn.Module], nn.Module]
) -> None:
    attach_se(net, ["norm", "body"], dict(reduction=4))
    before = net(x)
    other = copied(net)
    assert torch.equal(other(x), before)
    for block in attached_se(other).values():
        nn.init.constant_(block.fc2.bias, 3.0)
    assert not torch.equal(other(x), before)
    assert torch.equal(net(x), before)
    detach_se(other)
    assert torch.equal(net(x), before)


def test_weights_go_through_a_file(net: Net, x: Tensor, tmp_path: Path) -> None:
    attach_se(net, ["norm", "body"], dict(reduction=4))
    torch.save(net.state_dict(), tmp_path / "net.pth")
    other = Net().eval()
    attach_se(other, ["norm", "body"], dict(reduction=4))
    other.load_state_dict(torch.load(tmp_path / "net.pth", weights_only=True))
    assert torch.equal(other(x), net(x))


def test_compiled_and_exported(net: Net, x: Tensor) -> None:
    attach_se(net, ["norm", "body"], dict(reduction=4))
    expected = net(x)
    torch.testing.assert_close(torch.compile(net, fullgraph=True, backend="eager")(x), expected)
    if not OLD_TORCH:  # whose export knows no hooks
        program = torch.export.export(net, (x,))
        torch.testing.assert_close(program.module()(x), expected)
        assert {"norm.se.fc1.weight", "body.se.fc2.bias"} <= set(program.state_dict)
    torch.testing.assert_close(torch.jit.trace(net, x)(x), expected)
    torch.testing.assert_close(torch.fx.symbolic_trace(net)(x), expected)


def test_checkpointing_gives_the_same_gradients(net: Net, x: Tensor) -> None:
    attach_se(net, ["norm", "body"], dict(reduction=4))
    other = copy.deepcopy(net)
    net(x).sum().backward()
    x = x.requires_grad_()
    h = checkpoint(lambda x: other.relu(other.norm(other.stem(x))), x, use_reentrant=False)
    h = checkpoint(other.body, h, use_reentrant=False)
    other.head(other.relu(h).mean((2, 3))).sum().backward()
    for (name, a), b in zip(net.named_parameters(), other.parameters(), strict=True):
        if not name.startswith("unused"):
            torch.testing.assert_close(a.grad, b.grad)


def test_mmdet_checkpoints_units_with_it() -> None:
    torch.manual_seed(0)
    plain, with_cp = ResNet(18, norm_eval=True), ResNet(18, norm_eval=True, with_cp=True)
    for each in (plain, with_cp):
        attach_se(each, r"layer\d\.\d\.bn2")
    with_cp.load_state_dict(plain.state_dict())
    x = torch.rand(1, 3, 32, 32)
    for each in (plain, with_cp):
        each.train()
        sum(out.sum() for out in each(x)).backward()
    torch.testing.assert_close(
        plain.layer1[0].bn2.se.fc2.weight.grad, with_cp.layer1[0].bn2.se.fc2.weight.grad
    )


def test_distributed_training_reaches_the_blocks(net: Net, x: Tensor, tmp_path: Path) -> None:
    del net.unused  # it would be waited for
    attach_se(net, ["norm", "body"], dict(reduction=4))
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        parallel = nn.parallel.DistributedDataParallel(copy.deepcopy(net))
        parallel(x).sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    net(x).sum().backward()
    for a, b in zip(net.parameters(), parallel.module.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_autocast_squeezes_in_float32(net: Net, x: Tensor) -> None:
    attach_se(net, ["norm", "body"], dict(reduction=4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(x)
    torch.testing.assert_close(out.float(), net(x), rtol=0.05, atol=0.05)


def test_behind_the_last_norm_it_is_seresnet() -> None:
    torch.manual_seed(0)
    ours, plain = SEResNet(18), ResNet(18)
    for each in (ours, plain):
        each.eval()
    attach_se(plain, r"layer\d\.\d\.bn2")
    weights = {key.replace(".se.", ".bn2.se."): v for key, v in ours.state_dict().items()}
    plain.load_state_dict(weights)
    x = torch.rand(1, 3, 48, 40)
    for a, b in zip(ours(x), plain(x), strict=True):
        torch.testing.assert_close(a, b)


def test_the_fast_path_does_not_pass_it_by() -> None:
    """A unit whose norm is hooked takes the reference path."""
    torch.manual_seed(0)
    net = SEResNet(18).eval()
    x = torch.rand(1, 3, 48, 40)
    before = net(x)[0]
    for block in attach_se(net, r"layer1\.0\.bn2").values():
        nn.init.constant_(block.fc2.bias, -30.0)  # shut
        nn.init.zeros_(block.fc2.weight)
    assert not torch.allclose(net(x)[0], before)


def test_units_may_be_nested(x: Tensor) -> None:
    net = vgg11_bn().features.eval()
    parts = nn.Sequential(net[:4], net[4:8]).eval()
    blocks = attach_se(parts, ["0", "0.2", "1"])
    h = gated(blocks["0.2"], torch.relu(net[1](net[0](x))))
    h = gated(blocks["1"], net[7](net[6](net[5](net[4](gated(blocks["0"], net[3](h)))))))
    torch.testing.assert_close(parts(x), h)


def test_syncbn_takes_the_hook_and_keep_attached_brings_it_back(net: Net) -> None:
    attach_se(net, ["norm"], dict(reduction=4))
    exchanged = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert not exchanged.norm._forward_hooks
    keep_attached(exchanged)
    keep_attached(exchanged)  # once is enough
    assert len(exchanged.norm._forward_hooks) == 1


@pytest.mark.parametrize(
    ("units", "se_cfg", "message"),
    [
        ("boddy", {}, "units: 'boddy' matches no module of Net; the nearest are body"),
        (r"bod(", {}, "units='bod(' is no regular expression (missing ), unterminated"),
        (["norm", "bodi"], {}, "units: Net has no module 'bodi'; the nearest are body"),
        (["norm", "norm"], {}, "units: norm is named twice"),
        ([], {}, "units: an empty list names no module of Net"),
        (lambda name, module: False, {}, "units: the function matches no module of Net"),
        (["relu"], {}, "units: relu is called 2 times in a forward pass of Net"),
        (["unused"], {}, "units: unused is never called in a forward pass of Net"),
        (["head"], {}, "units: head returns a tensor of shape (1, 5): expected one map"),
        (["norm"], dict(reduction=4, placement="pre"), "unknown keys ['placement']: accepted"),
        (["norm"], dict(reduction=9), "se_cfg of norm: reduction=9: expected 1 to 8"),
        (["norm"], [{}, {}], "se_cfg has 2 entries: expected 1"),
        (["norm"], dict(type="ContextBlok"), "type='ContextBlok' is not registered"),
        (["norm"], dict(type="ContextBlock", ratoi=1), "se_cfg of norm: ContextBlock does not"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(net: Net, units, se_cfg, message: str) -> None:
    keys = list(net.state_dict())
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        attach_se(net, units, se_cfg)
    assert "\n" not in str(caught.value)
    assert list(net.state_dict()) == keys
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("units", [3, ["norm", 3], None])
def test_units_of_another_type(net: Net, units: object) -> None:
    with pytest.raises(TypeError, match="expected a regular expression, a list of names"):
        attach_se(net, units)


def test_se_in_its_place_already(net: Net) -> None:
    attach_se(net, ["norm"], dict(reduction=4))
    with pytest.raises(ValueError, match="norm has a member 'se' already, a SEBlock"):
        attach_se(net, ["norm"], dict(reduction=4))


def test_a_module_under_two_names_counts_once(net: Net) -> None:
    net.again = net.norm
    with pytest.raises(ValueError, match="again is named twice .norm is the same module"):
        attach_se(net, ["norm", "again"])
    assert list(attach_se(net, "norm|again", dict(reduction=4))) == ["norm"]


def test_channels_that_come_last_are_no_map() -> None:
    net = timm.create_model("swin_tiny_patch4_window7_224", depths=(1, 1, 1, 1), embed_dim=24)
    with pytest.raises(ValueError, match=r"layers.0 returns a tensor of shape \(1, 56, 56, 24\)"):
        attach_se(net, r"layers\.0")


def test_an_input_that_does_not_fit(net: Net) -> None:
    with pytest.raises(ValueError, match=r"Net does not run on an input of shape \(1, 4, 8, 8\)"):
        attach_se(net, ["norm"], input_shape=(1, 4, 8, 8))


def test_counts_of_the_paper_on_mobilenet_v2s_torchvision_twin() -> None:
    """Eq. 5 with biases: 2 C (C // r) + C // r + C for each block."""
    with torch.device("meta"):
        net = mobilenet_v2()
        plain = sum(p.numel() for p in net.parameters())
        blocks = attach_se(net, r"features\.\d+")
    added = sum(p.numel() for p in net.parameters()) - plain
    widths = [block.fc1.in_channels for block in blocks.values()]
    assert widths[0] == 32
    assert widths[-1] == 1280
    assert added == sum(2 * c * (c // 16) + c // 16 + c for c in widths)


def test_a_failure_without_a_message_is_told_by_its_kind() -> None:
    class Refuses(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            raise NotImplementedError

    with pytest.raises(ValueError, match=r"\(NotImplementedError\): give another input_shape"):
        attach_se(Refuses(), "conv", input_shape=(1, 3, 8, 8))


def test_what_is_no_network() -> None:
    with pytest.raises(TypeError, match="attach_se net='resnet50': expected a network"):
        attach_se("resnet50", "layer1")
