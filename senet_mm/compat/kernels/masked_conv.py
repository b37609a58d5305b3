"""Convolution at chosen pixels only, for inference: mmcv has no gradient of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def masked_im2col_forward(
    im: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    col: Tensor,
    *,
    kernel_h: int,
    kernel_w: int,
    pad_h: int,
    pad_w: int,
) -> None:
    """Collect what the kernel covers at each chosen pixel.

    Args:
        im: One image, (1, C, H, W).
        mask_h_idx: Rows of the chosen pixels of the output, (M,).
        mask_w_idx: Their columns, (M,).
        col: Output, (C * kernel_h * kernel_w, M).
        kernel_h: Height of the kernel.
        kernel_w: Width of the kernel.
        pad_h: Zeros above and below the image.
        pad_w: Zeros left and right of it.
    """
    # a chosen pixel may lie where the kernel leaves the padding: zeros there too
    padded = F.pad(im[0], (pad_w, max(pad_w, kernel_w - 1), pad_h, max(pad_h, kernel_h - 1)))
    rows = torch.arange(kernel_h, device=im.device)[:, None, None] + mask_h_idx
    columns = torch.arange(kernel_w, device=im.device)[:, None] + mask_w_idx
    col.copy_(padded[:, rows, columns].flatten(0, 2))


def masked_col2im_forward(
    col: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    im: Tensor,
    *,
    height: int,
    width: int,
    channels: int,
) -> None:
    """Put values at the chosen pixels.

    Args:
        col: (C, M).
        mask_h_idx: Rows of the chosen pixels, (M,).
        mask_w_idx: Their columns, (M,).
        im: Output, (1, C, H, W); other pixels stay as they are.
        height: H.
        width: W.
        channels: C.
    """
    im[0, :, mask_h_idx, mask_w_idx] = col
