import pytest
import torch
from mmdet.registry import MODELS
from mmengine.utils import digit_version
from timm.layers import SEModule
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from senet_mm.layers import SEBlock
from senet_mm.layers.functions import ACTIVATIONS, SQUEEZES

OLD_TORCH = digit_version(torch.__version__) < digit_version("2.6")


class Operations(TorchDispatchMode):
    """The names of all operations, of those in place too."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.namespace == "aten":
            self.names.append(function.overloadpacket.__name__.rstrip("_"))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(1, 32, 1, 1), (2, 32, 7, 5), (3, 64, 16, 16)])
def test_equals_timm(bias: bool, size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    reference = SEModule(size[1], rd_channels=size[1] // 8, bias=bias)
    block = SEBlock(size[1], reduction=8, bias=bias)
    block.load_state_dict(reference.state_dict())
    x = torch.randn(size)
    torch.testing.assert_close(block(x), reference(x), rtol=1e-6, atol=1e-6)


def test_equals_the_paper_equations_in_float64() -> None:
    torch.manual_seed(0)
    block = SEBlock(8, reduction=2).double()
    x = torch.randn(2, 8, 5, 3, dtype=torch.float64, requires_grad=True)
    z = x.sum(dim=(2, 3)) / 15  # Eq. 2
    w1, w2 = block.fc1.weight[:, :, 0, 0], block.fc2.weight[:, :, 0, 0]
    hidden = (z @ w1.T + block.fc1.bias).clamp(min=0)
    s = 1 / (1 + torch.exp(-(hidden @ w2.T + block.fc2.bias)))  # Eq. 3
    expected = x * s[:, :, None, None]  # Eq. 4
    torch.testing.assert_close(block(x), expected, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(block, (x,))


@pytest.mark.parametrize("gate", ACTIVATIONS)
def test_identity_init_is_the_identity_and_learns(gate: str) -> None:
    torch.manual_seed(0)
    block, x = SEBlock(16, 2, gate=gate, identity_init=True), torch.rand(3, 16, 5, 5)
    block.init_weights()
    assert torch.equal(block(x), x)
    before = {name: parameter.clone() for name, parameter in block.named_parameters()}
    optimizer = torch.optim.Adam(block.parameters(), lr=0.05)
    target = x * torch.linspace(0.5, 1.5, 16)[:, None, None]
    losses = []
    for _ in range(50):
        loss = (block(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    for name, parameter in block.named_parameters():
        assert not torch.equal(parameter, before[name]), f"{name} has not moved"


@pytest.mark.parametrize("squeeze", SQUEEZES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gate", ACTIVATIONS)
def test_identity_init_is_exact_in_every_type(gate: str, dtype, squeeze: str) -> None:
    for channels in (1, 16, 67):  # whole vectors of the processor, and a rest
        block = SEBlock(channels, 1, gate=gate, squeeze=squeeze, identity_init=True).to(dtype)
        x = torch.randn(3, channels, 5, 3, dtype=dtype)
        assert torch.equal(block(x), x)
        last = x.to(memory_format=torch.channels_last)
        assert torch.equal(block(last), x)


def test_identity_init_weights_do_not_load_silently_without_it() -> None:
    plain, identity = SEBlock(16), SEBlock(16, identity_init=True)
    with pytest.raises(RuntimeError, match="gate_scale"):
        plain.load_state_dict(identity.state_dict())
    with pytest.raises(RuntimeError, match="gate_scale"):
        identity.load_state_dict(plain.state_dict())


@pytest.mark.parametrize("gate", ["tanh", "relu"])
def test_identity_init_needs_the_bias_it_starts_from(gate: str) -> None:
    with pytest.raises(ValueError, match=f"identity_init=True with gate='{gate}' needs bias=True"):
        SEBlock(16, gate=gate, bias=False, identity_init=True)
    SEBlock(16, bias=False, identity_init=True)


def test_channels_last_gives_the_same_values_and_layout() -> None:
    torch.manual_seed(0)
    block, x = SEBlock(16, reduction=4), torch.randn(2, 16, 6, 7)
    out = block(x.to(memory_format=torch.channels_last))
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, block(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_squeeze_of_a_half_map_accumulates_in_float32(dtype: torch.dtype) -> None:
    # the sum of this map is 655360 * 10: beyond float16, and 1 + 2**-4 needs more bits in bfloat16
    x = torch.full((1, 1, 1024, 640), 10.0, dtype=dtype)
    x[..., ::2] += 1
    z = SEBlock(1, reduction=1).squeeze(x)
    assert z.dtype == dtype
    assert z.item() == 10.5


@pytest.mark.skipif(OLD_TORCH, reason="torch 2.1's tensors without values need the GPU they tell")
@torch.no_grad()
def test_on_a_gpu_it_launches_what_timm_s_does() -> None:
    launched = []
    with FakeTensorMode(), torch.device("cuda"):
        for block in (SEBlock(64), SEModule(64)):
            x = torch.empty(2, 64, 9, 7)
            with Operations() as operations:
                block(x)
            launched.append(operations.names)
    ours, timm_s = launched
    assert ours == timm_s == ["mean", "convolution", "relu", "convolution", "sigmoid", "mul"]


def test_autocast_gives_the_reference_to_bfloat16_precision() -> None:
    torch.manual_seed(0)
    block, x = SEBlock(64), torch.randn(2, 64, 9, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = block(x.bfloat16())
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), block(x), rtol=2e-2, atol=2e-2)


def test_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    block = SEBlock(16, reduction=2)
    block(torch.randn(4, 16, 3, 3)).square().sum().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_squeeze_channels_win_over_reduction() -> None:
    assert SEBlock(64, squeeze_channels=8).fc1.out_channels == 8
    assert SEBlock(64, reduction=64).fc1.out_channels == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(reduction=128), "reduction=128: expected 1 to 64"),
        (dict(reduction=0), "reduction=0"),
        (dict(squeeze_channels=0), "squeeze_channels=0"),
        (dict(squeeze="mean"), r"squeeze='mean': expected one of \['avg', 'max', 'none'\]"),
        (dict(gate="swish"), r"gate='swish': expected one of \['sigmoid', 'tanh', 'relu', "),
    ],
)
def test_bad_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SEBlock(64, **options)


@pytest.mark.parametrize("channels", [0, -4, 2.0])
def test_a_map_without_channels(channels: float) -> None:
    for options in ({}, dict(squeeze_channels=4)):
        with pytest.raises(ValueError, match=rf"in_channels={channels}: expected 1 or more"):
            SEBlock(channels, **options)


def test_registered_in_mmdet() -> None:
    block = MODELS.build(dict(type="SEBlock", in_channels=32, reduction=4))
    assert isinstance(block, SEBlock)
