"""Calls of mmcv's ops on given inputs, for the tests and for the script of reference numbers.

Every call goes through ``mmcv.ops``, whatever backs it, and returns arrays: outputs, and gradients
of the outputs' product with fixed random numbers. All inputs come from numpy's ``RandomState``,
whose streams do not change between versions.
"""

from __future__ import annotations

import numpy as np
import torch
from mmcv import ops
from torch import Tensor, nn

Arrays = dict[str, np.ndarray]


def to_arrays(**tensors: Tensor | np.ndarray) -> Arrays:
    return {name: torch.as_tensor(t).detach().cpu().numpy() for name, t in tensors.items()}


def with_gradients(output: Tensor, **inputs: Tensor) -> Arrays:
    upstream = np.random.RandomState(99).standard_normal(tuple(output.shape))
    grads = torch.autograd.grad(output, list(inputs.values()), torch.as_tensor(upstream).to(output))
    names = (f"grad_{name}" for name in inputs)
    return to_arrays(output=output, **dict(zip(names, grads, strict=True)))


# ------------------------------------------------------------------------------------------- nms


def random_boxes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes on whole pixels, so that many overlaps are equal, and scores that all differ."""
    rng = np.random.RandomState(seed)
    corner = rng.randint(0, 40, (count, 2))
    boxes = np.concatenate((corner, corner + rng.randint(1, 20, (count, 2))), axis=1)
    return boxes.astype(np.float32), (rng.permutation(count) + 1).astype(np.float32) / count


def nms(device: str, count: int = 120, **kwargs: float) -> Arrays:
    boxes, scores = (torch.as_tensor(a, device=device) for a in random_boxes(count, seed=count))
    dets, kept = ops.nms(boxes, scores, **kwargs)
    return to_arrays(dets=dets, kept=kept)


def nms_numpy(device: str) -> Arrays:
    dets, kept = ops.nms(*random_boxes(50, seed=3), 0.5)
    return to_arrays(dets=dets, kept=kept)


def nms_at_threshold(device: str) -> Arrays:
    """Overlaps of exactly 1/10 ... 9/10, each at the threshold of the same name."""
    kept = {}
    for tenths in range(1, 10):
        boxes = torch.tensor([[0.0, 0, 10, 1], [0, 0, tenths, 1]], device=device)
        scores = torch.tensor([0.9, 0.8], device=device)
        kept[f"kept_{tenths}"] = ops.nms(boxes, scores, tenths / 10)[1]
    return to_arrays(**kept)


def batched_nms(device: str, nms_cfg: dict | None, class_agnostic: bool = False) -> Arrays:
    boxes, scores = (torch.as_tensor(a, device=device) for a in random_boxes(120, seed=4))
    classes = torch.as_tensor(np.random.RandomState(5).randint(0, 3, 120), device=device)
    dets, kept = ops.batched_nms(boxes, scores, classes, nms_cfg, class_agnostic)
    return to_arrays(dets=dets, kept=kept)


def soft_nms(device: str, ties: bool = False, **kwargs: float | str) -> Arrays:
    boxes, scores = (torch.as_tensor(a, device=device) for a in random_boxes(80, seed=6))
    if ties:
        scores = (scores * 10).ceil() / 10
    dets, kept = ops.soft_nms(boxes, scores, **kwargs)
    return to_arrays(dets=dets, kept=kept)


def nms_match(device: str, iou_threshold: float) -> Arrays:
    boxes, scores = random_boxes(80, seed=7)
    dets = torch.as_tensor(np.concatenate((boxes, scores[:, None]), axis=1), device=device)
    groups = ops.nms_match(dets, iou_threshold)
    return to_arrays(
        members=torch.cat(list(groups)), sizes=torch.tensor([len(group) for group in groups])
    )


# ------------------------------------------------------------------------------------------- roi


def random_features(device: str, dtype: torch.dtype) -> Tensor:
    values = np.random.RandomState(10).standard_normal((3, 2, 9, 11))
    return torch.as_tensor(values).to(device, dtype).requires_grad_()


def random_rois(device: str, dtype: torch.dtype, whole_pixels: bool = False) -> Tensor:
    """Inside, partly and wholly outside, without area, larger than the image; three images."""
    rois = np.array(
        [
            [0, 3.3, 5.1, 30.7, 22.9],
            [2, 0.0, 0.0, 56.0, 44.0],
            [1, -12.4, -7.7, 9.2, 13.3],
            [0, 40.5, 30.2, 75.1, 66.6],
            [1, 100.0, 100.0, 120.0, 110.0],
            [2, 17.3, 20.2, 17.3, 20.2],
            [1, 8.1, 3.9, 9.0, 41.7],
            [0, -30.0, -30.0, 90.0, 80.0],
            [2, 20.6, 7.4, 52.8, 8.0],
        ]
    )
    return torch.as_tensor(rois.round() if whole_pixels else rois).to(device, dtype)


def roi_align(
    device: str,
    dtype: torch.dtype,
    aligned: bool = True,
    sampling_ratio: int = 0,
    spatial_scale: float = 0.25,
    no_rois: bool = False,
) -> Arrays:
    x, rois = random_features(device, dtype), random_rois(device, dtype)[: 0 if no_rois else None]
    layer = ops.RoIAlign((5, 3), spatial_scale, sampling_ratio, aligned=aligned)
    return with_gradients(layer(x, rois), input=x)


def roi_pool(
    device: str,
    dtype: torch.dtype,
    spatial_scale: float = 0.25,
    whole_pixels: bool = False,
    no_rois: bool = False,
    negative: bool = False,
) -> Arrays:
    x = random_features(device, dtype)
    rois = random_rois(device, dtype, whole_pixels)[: 0 if no_rois else None]
    if negative:
        rois[1, 3] = rois[4, 4] = -50
    return with_gradients(ops.RoIPool((5, 3), spatial_scale)(x, rois), input=x)


# ------------------------------------------------------------------------------------ focal loss


def _logits(device: str, dtype: torch.dtype, scale: float) -> Tensor:
    logits = np.random.RandomState(20).standard_normal((12, 5)) * scale
    return torch.as_tensor(logits).to(device, dtype).requires_grad_()


def focal_loss(
    device: str,
    dtype: torch.dtype,
    kind: str = "sigmoid",
    gamma: float = 2.0,
    alpha: float = 0.25,
    weighted: bool = False,
    reduction: str = "none",
    scale: float = 2.0,
) -> Arrays:
    x, rng = _logits(device, dtype, scale), np.random.RandomState(21)
    # mmcv reads beyond the weights for the background, which only the sigmoid loss knows
    background = kind == "sigmoid" and not weighted
    target = torch.as_tensor(rng.randint(0, 5 + background, 12), device=device)
    weight = torch.as_tensor(rng.uniform(0.5, 2, 5)).to(x) if weighted else None
    if kind == "sigmoid":
        loss = ops.sigmoid_focal_loss(x, target, gamma, alpha, weight, reduction)
    elif reduction == "none":
        # no gradient: mmcv's Python side multiplies (N, C) by (N,) there and fails
        loss = ops.softmax_focal_loss(x, target, gamma, alpha, weight, "none")
        return to_arrays(output=loss)
    else:
        loss = ops.softmax_focal_loss(x, target, gamma, alpha, weight, reduction)
    return with_gradients(loss, input=x)


# --------------------------------------------------------------------------- deformable convolution


def fill_parameters(module: nn.Module, seed: int) -> None:
    rng = np.random.RandomState(seed)
    for parameter in module.parameters():
        values = rng.standard_normal(tuple(parameter.shape)) * 0.3
        parameter.data = torch.as_tensor(values).to(parameter)


def deform_conv(
    device: str,
    dtype: torch.dtype,
    modulated: bool,
    kernel: int | tuple[int, int] = 3,
    size: tuple[int, int] = (5, 6),
    batch: int = 2,
    offset_scale: float = 1.0,
    larger: tuple[int, int] = (0, 0),
    **kwargs: int | bool,
) -> Arrays:
    layer_type = ops.ModulatedDeformConv2d if modulated else ops.DeformConv2d
    layer = layer_type(4, 6, kernel, **kwargs).to(device, dtype)
    fill_parameters(layer, seed=30)
    rng = np.random.RandomState(31)

    def values(channels: int, height: int, width: int) -> Tensor:
        array = rng.standard_normal((batch, channels, height, width))
        return torch.as_tensor(array).to(device, dtype)

    x = values(4, *size).requires_grad_()
    height, width = (
        (max(n, k) + 2 * pad - dilation * (k - 1) - 1) // stride + 1
        for n, k, stride, pad, dilation in zip(
            size, layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True
        )
    )
    # a smaller input is padded to the size of the kernel, its offsets as much
    height -= max(layer.kernel_size[0] - size[0], 0)
    width -= max(layer.kernel_size[1] - size[1], 0)
    height, width = height + larger[0], width + larger[1]
    points = layer.deform_groups * layer.kernel_size[0] * layer.kernel_size[1]
    offset = (values(2 * points, height, width) * offset_scale).requires_grad_()
    inputs = {"input": x, "offset": offset}
    if modulated:
        inputs["mask"] = values(points, height, width).sigmoid().requires_grad_()
    return with_gradients(layer(*inputs.values()), **inputs, **dict(layer.named_parameters()))


def deform_conv_pack(device: str, dtype: torch.dtype, modulated: bool) -> Arrays:
    pack_type = ops.ModulatedDeformConv2dPack if modulated else ops.DeformConv2dPack
    pack = pack_type(4, 6, 3, stride=2, padding=1, deform_groups=2).to(device, dtype)
    fill_parameters(pack, seed=32)
    x = torch.as_tensor(np.random.RandomState(33).standard_normal((2, 4, 7, 5)))
    x = x.to(device, dtype).requires_grad_()
    grads = {name.replace(".", "_"): p for name, p in pack.named_parameters()}
    return with_gradients(pack(x), input=x, **grads)
