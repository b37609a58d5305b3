"""mmcv's CUDA kernels on the CPU: references for the ops that compiled mmcv has for CUDA alone.

The sources lie in every installed mmcv. They are compiled with g++, each thread of a kernel as one
turn of a loop.
"""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import mmcv
import torch
from torch import Tensor

_SOURCES = Path(__file__).with_name("cuda_on_cpu")


class CudaKernelsOnCpu:
    """mmcv's CUDA kernels without CPU version, under the names of ``mmcv._ext``."""

    def __init__(self, folder: Path) -> None:
        library = folder / "launchers.so"
        kernels = Path(mmcv.__file__).parent / "ops" / "csrc" / "common" / "cuda"
        flags = ["-O1", "-shared", "-fPIC", "-ffp-contract=off", f"-I{_SOURCES}", f"-I{kernels}"]
        subprocess.run(["g++", *flags, "-o", library, _SOURCES / "launchers.cpp"], check=True)
        self._library = ctypes.CDLL(str(library))

    def _call(self, name: str, *args: Tensor | int | float) -> None:
        def convert(arg: Tensor | int | float) -> object:
            if isinstance(arg, Tensor):
                assert arg.is_contiguous()
                return ctypes.c_void_p(arg.data_ptr() if arg.numel() else None)
            return ctypes.c_float(arg) if isinstance(arg, float) else ctypes.c_int(arg)

        dtype = next(a.dtype for a in args if isinstance(a, Tensor))
        suffix = {torch.float32: "float", torch.float64: "double"}[dtype]
        getattr(self._library, f"{name}_{suffix}")(*map(convert, args))

    def sigmoid_focal_loss_forward(self, x, target, weight, output, gamma, alpha) -> None:
        self._call("sigmoid_forward", *x.shape, x, target, weight, output, gamma, alpha)

    def sigmoid_focal_loss_backward(self, x, target, weight, grad, gamma, alpha) -> None:
        self._call("sigmoid_backward", *x.shape, x, target, weight, grad, gamma, alpha)

    def softmax_focal_loss_forward(self, x, target, weight, output, gamma, alpha) -> None:
        self._call("softmax_forward", *x.shape, x, target, weight, output, gamma, alpha)

    def softmax_focal_loss_backward(self, x, target, weight, buff, grad, gamma, alpha) -> None:
        self._call("softmax_backward", *x.shape, x, target, weight, buff, grad, gamma, alpha)

    def roi_pool_forward(
        self, x, rois, output, argmax, pooled_height, pooled_width, spatial_scale
    ) -> None:
        size = pooled_height, pooled_width, spatial_scale, *x.shape[1:]
        self._call("pool_forward", output.numel(), x, rois, output, argmax, *size)

    def roi_pool_backward(
        self, grad_output, rois, argmax, grad_input, pooled_height, pooled_width, spatial_scale
    ) -> None:
        size = pooled_height, pooled_width, *grad_input.shape[1:]
        count = grad_output.numel()
        self._call("pool_backward", count, grad_output, rois, argmax, grad_input, *size)

    # the numbers of a call come in the order in which the kernels take them

    def deform_roi_pool_forward(self, x, rois, offset, output, **numbers) -> None:
        numbers = *numbers.values(), *x.shape[1:]
        self._call("deform_pool_forward", output.numel(), x, rois, offset, output, *numbers)

    def deform_roi_pool_backward(self, grad_output, x, *tensors, **numbers) -> None:
        numbers = *numbers.values(), *x.shape[1:]
        count = grad_output.numel()
        self._call("deform_pool_backward", count, grad_output, x, *tensors, *numbers)

    def carafe_naive_forward(self, x, masks, output, **numbers) -> None:
        numbers = *numbers.values(), *output.shape[1:]
        self._call("carafe_forward", output.numel(), x, masks, output, *numbers)

    def carafe_forward(self, x, masks, rfeatures, routput, rmasks, output, **numbers) -> None:
        rfeatures.copy_(x)
        self.carafe_naive_forward(x, masks, output, **numbers)

    def carafe_backward(self, grad_output, x, masks, *tensors, **numbers) -> None:
        tensors, numbers = tensors[-2:], (*numbers.values(), *grad_output.shape[1:])
        count = grad_output.numel()
        self._call("carafe_backward", count, grad_output, x, masks, *tensors, *numbers)

    def masked_im2col_forward(self, x, rows, columns, output, **numbers) -> None:
        (channels, *size), count = x.shape[1:], len(rows)
        numbers = *size, *numbers.values()
        self._call("im2col", channels * count, x, *numbers, rows, columns, count, output)

    def masked_col2im_forward(self, x, rows, columns, output, **numbers) -> None:
        count = len(rows)
        self._call("col2im", x.numel(), x, *numbers.values(), rows, columns, count, output)

    def ms_deform_attn_forward(self, value, shapes, starts, loc, weight, im2col_step) -> Tensor:
        images, _, heads, channels = value.shape
        output = value.new_zeros(images, loc.size(1), heads * channels)
        numbers = _attention_numbers(value, loc)
        tensors = value, shapes, starts, loc, weight
        self._call("attention_forward", output.numel(), *tensors, *numbers, output)
        return output

    def ms_deform_attn_backward(
        self, value, shapes, starts, loc, weight, grad_output, *grads, im2col_step
    ) -> None:
        tensors = grad_output, value, shapes, starts, loc, weight
        numbers = _attention_numbers(value, loc)
        self._call("attention_backward", grad_output.numel(), *tensors, *numbers, *grads)


def _attention_numbers(value: Tensor, loc: Tensor) -> tuple[int, ...]:
    """Images, keys, heads, channels, levels, queries and points."""
    _, queries, _, levels, points, _ = loc.shape
    return *value.shape, levels, queries, points
