"""The fast path on a GPU, Triton kernels and all, against the reference path there."""

import copy

import pytest
import torch
from torch import Tensor

from senet_mm.backbones import SEResNet

from .units import make, reference

pytestmark = pytest.mark.gpu


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


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("depth", [18, 50])
def test_fast_path_equals_the_reference(depth, layout, frozen, randomize) -> None:
    plain = randomize(SEResNet(depth, norm_eval=frozen, se_cfg=dict(fused=False)))
    fused = SEResNet(depth, norm_eval=frozen)
    fused.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 97, 66, device="cuda").contiguous(memory_format=layout)
    exact = copy.deepcopy(plain).double().cuda()
    models = [model.cuda().to(memory_format=layout) for model in (plain, fused)]
    for model in (exact, *models):
        model.train()
    truth = results(exact, x.double(), amp=False)
    for amp in (False, True):
        errors = []
        for model in models:
            model.zero_grad(set_to_none=True)
            pairs = zip(results(model, x, amp=amp), truth, strict=True)
            relative = [(one.double() - true).norm() / true.norm() for one, true in pairs]
            errors.append(torch.stack(relative))
        theirs, ours = errors
        assert (ours[:4] <= 1.5 * theirs[:4] + 1e-5).all()
        # where rounding turns the sign of one element at a ReLU, a gradient is off by a percent
        assert (ours[4:] <= 2 * theirs[4:] + 0.03).all()


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
