"""The random mixture: its numbers, per image, and its gradients."""

import pytest
import torch
from torch import Tensor

from senet_mm.backbones.cifar.shake import Mix, ShakeShake


def numbers_of(shake: ShakeShake, images: int) -> tuple[Tensor, Tensor]:
    """The numbers of a forward and a backward pass, one per image."""
    first = torch.ones(images, 2, 3, 4, requires_grad=True)
    second = torch.zeros(images, 2, 3, 4, requires_grad=True)
    out = shake(first, second)
    out.sum().backward()
    torch.testing.assert_close(first.grad + second.grad, torch.ones_like(first))
    for values in (out, first.grad):
        assert torch.equal(values, values[:, :1, :1, :1].expand_as(values))
    return out[:, 0, 0, 0].detach(), first.grad[:, 0, 0, 0]


def test_gradients() -> None:
    torch.manual_seed(0)
    maps = [torch.randn(3, 2, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    alpha, beta = (torch.rand(3, 1, 1, 1, dtype=torch.float64) for _ in range(2))
    # with one number both ways it is an ordinary function
    assert torch.autograd.gradcheck(lambda a, b: Mix.apply(a, b, alpha, alpha), maps)
    assert torch.autograd.gradgradcheck(lambda a, b: Mix.apply(a, b, alpha, alpha), maps)
    # with two, its gradient is that of another mixture
    out = Mix.apply(*maps, alpha, beta)
    torch.testing.assert_close(out, alpha * maps[0] + (1 - alpha) * maps[1])
    grad = torch.randn_like(out)
    other = beta * maps[0] + (1 - beta) * maps[1]
    found = torch.autograd.grad(out, maps, grad)
    for ours, expected in zip(found, torch.autograd.grad(other, maps, grad), strict=True):
        torch.testing.assert_close(ours, expected)


def test_numbers_are_drawn_per_image_and_follow_the_seed() -> None:
    shake = ShakeShake("shake")
    torch.manual_seed(0)
    alpha, beta = numbers_of(shake, 4000)
    for numbers in (alpha, beta):
        assert numbers.unique().numel() > 3900
        assert numbers.min() >= 0 and numbers.max() <= 1
        assert abs(numbers.mean() - 0.5) < 0.02 and abs(numbers.var() - 1 / 12) < 0.005
    assert abs(torch.corrcoef(torch.stack([alpha, beta]))[0, 1]) < 0.05
    again = numbers_of(shake, 4000)
    assert not torch.equal(again[0], alpha)
    torch.manual_seed(0)
    again = numbers_of(shake, 4000)
    assert torch.equal(again[0], alpha) and torch.equal(again[1], beta)


def test_even_and_eval_mode() -> None:
    alpha, beta = numbers_of(ShakeShake("even"), 8)
    assert alpha.unique().numel() == 8 and torch.equal(beta, torch.full((8,), 0.5))
    state = torch.get_rng_state()
    for backward in ("shake", "even"):
        alpha, beta = numbers_of(ShakeShake(backward).eval(), 8)
        assert torch.equal(alpha, torch.full((8,), 0.5)) and torch.equal(beta, alpha)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_keeps_the_type(dtype: torch.dtype) -> None:
    maps = [torch.randn(2, 3, 4, 4, dtype=dtype, requires_grad=True) for _ in range(2)]
    out = ShakeShake("shake")(*maps)
    out.sum().backward()
    assert out.dtype == maps[0].grad.dtype == dtype


def test_bad_option() -> None:
    with pytest.raises(ValueError, match="backward='keep' of Shake-Shake: expected 'shake' or"):
        ShakeShake("keep")
