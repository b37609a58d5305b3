"""Focal losses on logits (sigmoid) and on probabilities (softmax)."""

from __future__ import annotations

import torch
from torch import Tensor

from . import c_float

_TINY = torch.finfo(torch.float32).tiny  # keeps logarithms finite, as in mmcv


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Focal loss of every class of every sample.

    Args:
        input: Logits, (N, C).
        target: Class of each sample, (N,); C, or any number below 0, is the background.
        weight: Factor for samples of each class, (C,), or empty. The background has factor 1.
        output: Output, (N, C).
        gamma: Exponent of the focusing factor.
        alpha: Weight of the positive class; negative ones have 1 - alpha.

    Raises:
        ValueError: If a target is larger than C.
    """
    _check_targets(target, input.size(1))
    hit, miss, factor = _sigmoid_terms(input, _is_target(input, target), target, weight, alpha)
    output.copy_(-factor * miss.pow(c_float(gamma)) * hit.clamp(min=_TINY).log())


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Gradient of the sum of :func:`sigmoid_focal_loss_forward`.

    Args:
        input: As for the forward, like ``target``, ``weight``, ``gamma`` and ``alpha``.
        target: Class of each sample, (N,).
        weight: Factor for samples of each class, (C,), or empty.
        grad_input: Output, (N, C).
        gamma: Exponent of the focusing factor.
        alpha: Weight of the positive class.
    """
    is_target, gamma = _is_target(input, target), c_float(gamma)
    hit, miss, factor = _sigmoid_terms(input, is_target, target, weight, alpha)
    slope = factor * miss.pow(gamma) * (miss - gamma * hit * hit.clamp(min=_TINY).log())
    grad_input.copy_(torch.where(is_target, -slope, slope))


def softmax_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Focal loss of every sample.

    Args:
        input: Probabilities, (N, C).
        target: Class of each sample, (N,); samples with a number below 0 are left out.
        weight: Factor for samples of each class, (C,), or empty.
        output: Output, (N,).
        gamma: Exponent of the focusing factor.
        alpha: Weight of the loss.

    Raises:
        ValueError: If a target is not smaller than C.
    """
    _check_targets(target, input.size(1) - 1)
    hit, factor = _softmax_terms(input, target, weight, alpha)
    output.copy_(-factor * (1 - hit).pow(c_float(gamma)) * hit.clamp(min=_TINY).log())


def softmax_focal_loss_backward(
    input: Tensor,
    target: Tensor,
    weight: Tensor,
    buff: Tensor,
    grad_input: Tensor,
    gamma: float,
    alpha: float,
) -> None:
    """Gradient of the sum of :func:`softmax_focal_loss_forward` in the logits.

    Args:
        input: As for the forward, like ``target``, ``weight``, ``gamma`` and ``alpha``.
        target: Class of each sample, (N,).
        weight: Factor for samples of each class, (C,), or empty.
        buff: Unused.
        grad_input: Output, (N, C).
        gamma: Exponent of the focusing factor.
        alpha: Weight of the loss.
    """
    hit, factor = _softmax_terms(input, target, weight, alpha)
    gamma, miss = c_float(gamma), 1 - hit
    focus = gamma * miss.pow(gamma - 1) * hit * hit.clamp(min=_TINY).log() - miss.pow(gamma)
    to_logits = _is_target(input, target).to(input) - input
    grad_input.copy_((factor * focus)[:, None] * to_logits)


def _sigmoid_terms(
    input: Tensor, is_target: Tensor, target: Tensor, weight: Tensor, alpha: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities of being right and wrong, and constant factor, (N, C) each."""
    p = _at_least_float(input).sigmoid()
    q = 1 - p
    alpha = c_float(alpha)
    factor = torch.full_like(p, 1 - alpha).masked_fill_(is_target, alpha)
    if len(weight):
        classes = input.size(1)
        background = (target < 0) | (target >= classes)
        of_sample = weight[target.clamp(0, classes - 1)].masked_fill(background, 1)
        factor = factor * of_sample[:, None]
    return torch.where(is_target, p, q), torch.where(is_target, q, p), factor


def _softmax_terms(
    input: Tensor, target: Tensor, weight: Tensor, alpha: float
) -> tuple[Tensor, Tensor]:
    """Probability of the right class and constant factor, (N,) each."""
    label = target.clamp(min=0)
    hit = _at_least_float(input).gather(1, label[:, None]).squeeze(1)
    factor = (target >= 0) * c_float(alpha)
    if len(weight):
        factor = factor * weight[label]
    return hit, factor


def _is_target(input: Tensor, target: Tensor) -> Tensor:
    return target[:, None] == torch.arange(input.size(1), device=input.device)


def _at_least_float(input: Tensor) -> Tensor:
    # half precision has no number as small as _TINY
    return input if input.dtype == torch.float64 else input.float()


def _check_targets(target: Tensor, largest: int) -> None:
    if len(target) and target.max() > largest:
        raise ValueError(
            f"focal loss: targets must be at most {largest}, found {int(target.max())}"
        )
