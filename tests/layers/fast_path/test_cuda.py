"""The fast path on a GPU, Triton kernels and all, against the reference path there."""

import copy

import pytest
import torch
from torch import Tensor

from senet_mm.backbones import SEResNet
from senet_mm.layers.fast_path import Path, choose
from senet_mm.layers.fast_path.use_triton import VARIABLE

from .units import make, reference

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _on_small_maps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "triton")


def results(model: SEResNet, x: Tensor, *, amp: bool) -> list[Tensor]:
    """Outputs and gradients."""
    x = x.clone().requires_grad_()
    with torch.autocast("cuda", torch.float16, enabled=amp):
        outs = model(x)
    sum(out.float().square().mean() for out in outs).backward()
    return [*outs, x.grad, *(p.grad for p in model.parameters() if p.grad is not None)]


def test_kernels() -> None:
    pytest.importorskip("triton")
    from . import triton_cases

    with torch.device("cuda"):
        triton_cases.check_all()


@pytest.fixture
def _no_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)


@pytest.mark.usefixtures("_no_tf32")
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("depth", [18, 50])
def test_fast_path_equals_the_reference(depth, layout, frozen, randomize) -> None:
    plain = randomize(SEResNet(depth, norm_eval=frozen, se_cfg=dict(fused=False)))
    fused = SEResNet(depth, norm_eval=frozen)
    fused.load_state_dict(plain.state_dict())
    exact = copy.deepcopy(plain).double().cuda()
    models = [model.cuda().to(memory_format=layout) for model in (plain, fused)]
    for model in (exact, *models):
        model.train()
    draws = torch.randn(5, 2, 3, 97, 66, device="cuda", generator=torch.Generator("cuda"))
    for amp in (False, True):
        ratios = []
        for x in draws:
            x = x.contiguous(memory_format=layout)
            exact.zero_grad(set_to_none=True)
            truth = results(exact, x.double(), amp=False)
            errors = []
            for model in models:
                model.zero_grad(set_to_none=True)
                pairs = zip(results(model, x, amp=amp), truth, strict=True)
                # of an SE block whose hidden channels are all zero no gradient is left
                relative = [
                    (one.double() - true).norm() / true.norm() for one, true in pairs if true.any()
                ]
                errors.append(torch.stack(relative).detach())
            theirs, ours = errors
            assert (ours[:4] <= 1.5 * theirs[:4] + 1e-5).all()
            ratios.append(((ours + 1e-7) / (theirs + 1e-7)).log().mean().exp())
        # where rounding turns the sign of one element at a ReLU, all gradients below are off by
        # far more than it, in one of the two by chance: not in most draws
        assert torch.stack(ratios).median() < 1.2, ratios


def test_float16_gradients_overflow_no_earlier_than_the_reference_s() -> None:
    unit = make("bottleneck").float().cuda()
    torch.nn.init.constant_(unit.bn3.weight, 1 / 64)  # the gradient of the weight is scaled by it
    torch.nn.init.zeros_(unit.bn3.bias)
    unit.bn3.running_mean.zero_()
    x = 2 + torch.rand(1, 64, 16, 16, device="cuda")
    results = []
    for net in (unit, reference(unit)):
        with torch.autocast("cuda", torch.float16):
            out = net(x)
        results += torch.autograd.grad(out, net.conv3.weight, torch.full_like(out, 1000.0))
    ours, theirs = results
    assert theirs.isfinite().all() and theirs.abs().max() * 64 > 2 * 65504
    assert (ours - theirs).norm() <= 0.02 * theirs.norm()


def test_small_maps_take_the_reference(monkeypatch) -> None:
    unit = make("bottleneck").float().cuda()
    for pixels, path in ((16, Path.REFERENCE), (1024, Path.CONV)):
        x = torch.rand(1, 64, pixels, pixels, device="cuda")
        with torch.no_grad():
            h = unit.first(x.expand(2, -1, -1, -1) if pixels > 16 else x)
            monkeypatch.delenv(VARIABLE)
            assert choose(unit.tail(), h, x.expand(len(h), -1, -1, -1))[0] is path
            monkeypatch.setenv(VARIABLE, "triton")
            assert choose(unit.tail(), h, x.expand(len(h), -1, -1, -1))[0] is Path.CONV
