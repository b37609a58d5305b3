"""Write the reference numbers of the tests: what compiled mmcv computes for each case.

    python tests/compat/make_mmcv_reference.py

It runs where mmcv has its compiled ops, on the CPU. mmcv has no CPU version of the focal losses
and of RoIPool; for those, mmcv's CUDA kernels are compiled for the CPU, from the sources that lie
in every installed mmcv, with each thread as one turn of a loop (g++ is needed).
"""

from __future__ import annotations

import ctypes
import importlib
import subprocess
import tempfile
from pathlib import Path

import mmcv
import numpy as np
import torch
from torch import Tensor

from tests.compat.mmcv_cases import CASES

REFERENCE = Path(__file__).with_name("data") / "mmcv_reference.npz"
WITHOUT_CPU_KERNEL = ("focal_loss", "roi_pool")

_CUDA_ON_CPU = """#pragma once
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <algorithm>
using std::max;
using std::min;
#define __global__ static
#define CUDA_1D_KERNEL_LOOP(i, n) for (int i = 0; i < (n); i++)
template <typename T> void atomicAdd(T* address, T value) { *address += value; }
"""

# what mmcv's launchers do: scalars arrive as float and are converted to the type of the tensors
_LAUNCHERS = """
#include "roi_pool_cuda_kernel.cuh"
#include "sigmoid_focal_loss_cuda_kernel.cuh"
#include "softmax_focal_loss_cuda_kernel.cuh"
#define LAUNCHERS(T) \\
  void sigmoid_forward_##T(int n, int c, T* x, int64_t* t, T* w, T* out, float g, float a) { \\
    sigmoid_focal_loss_forward_cuda_kernel<T>(n * c, x, t, w, out, g, a, c); \\
  } \\
  void sigmoid_backward_##T(int n, int c, T* x, int64_t* t, T* w, T* out, float g, float a) { \\
    sigmoid_focal_loss_backward_cuda_kernel<T>(n * c, x, t, w, out, g, a, c); \\
  } \\
  void softmax_forward_##T(int n, int c, T* x, int64_t* t, T* w, T* out, float g, float a) { \\
    softmax_focal_loss_forward_cuda_kernel<T>(n, x, t, w, out, g, a, c); \\
  } \\
  void softmax_backward_##T(int n, int c, T* x, int64_t* t, T* w, T* buff, T* out, float g, \\
                            float a) { \\
    softmax_focal_loss_backward_cuda1_kernel<T>(n, x, t, w, buff, g, a, c); \\
    softmax_focal_loss_backward_cuda2_kernel<T>(n * c, x, t, buff, out, c); \\
  } \\
  void pool_forward_##T(int n, T* x, T* rois, T* out, int* argmax, int ph, int pw, float scale, \\
                        int c, int h, int w) { \\
    roi_pool_forward_cuda_kernel<T>(n, x, rois, out, argmax, ph, pw, scale, c, h, w); \\
  } \\
  void pool_backward_##T(int n, T* grad, T* rois, int* argmax, T* out, int ph, int pw, int c, \\
                         int h, int w) { \\
    roi_pool_backward_cuda_kernel<T>(n, grad, rois, argmax, out, ph, pw, c, h, w); \\
  }
extern "C" {
LAUNCHERS(float)
LAUNCHERS(double)
}
"""


class CudaKernelsOnCpu:
    """mmcv's CUDA kernels without CPU version, under the names of ``mmcv._ext``."""

    def __init__(self, folder: Path) -> None:
        (folder / "pytorch_cuda_helper.hpp").write_text(_CUDA_ON_CPU)
        (folder / "launchers.cpp").write_text(_LAUNCHERS)
        kernels = Path(mmcv.__file__).parent / "ops" / "csrc" / "common" / "cuda"
        library = folder / "launchers.so"
        flags = ["-O1", "-shared", "-fPIC", "-ffp-contract=off", f"-I{folder}", f"-I{kernels}"]
        subprocess.run(["g++", *flags, "-o", library, folder / "launchers.cpp"], check=True)
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

    def sigmoid_focal_loss_forward(
        self,
        x: Tensor,
        target: Tensor,
        weight: Tensor,
        output: Tensor,
        gamma: float,
        alpha: float,
    ) -> None:
        self._call("sigmoid_forward", *x.shape, x, target, weight, output, gamma, alpha)

    def sigmoid_focal_loss_backward(
        self,
        x: Tensor,
        target: Tensor,
        weight: Tensor,
        grad: Tensor,
        gamma: float,
        alpha: float,
    ) -> None:
        self._call("sigmoid_backward", *x.shape, x, target, weight, grad, gamma, alpha)

    def softmax_focal_loss_forward(
        self,
        x: Tensor,
        target: Tensor,
        weight: Tensor,
        output: Tensor,
        gamma: float,
        alpha: float,
    ) -> None:
        self._call("softmax_forward", *x.shape, x, target, weight, output, gamma, alpha)

    def softmax_focal_loss_backward(
        self,
        x: Tensor,
        target: Tensor,
        weight: Tensor,
        buff: Tensor,
        grad: Tensor,
        gamma: float,
        alpha: float,
    ) -> None:
        self._call("softmax_backward", *x.shape, x, target, weight, buff, grad, gamma, alpha)

    def roi_pool_forward(
        self,
        x: Tensor,
        rois: Tensor,
        output: Tensor,
        argmax: Tensor,
        pooled_height: int,
        pooled_width: int,
        spatial_scale: float,
    ) -> None:
        size = pooled_height, pooled_width, spatial_scale, *x.shape[1:]
        self._call("pool_forward", output.numel(), x, rois, output, argmax, *size)

    def roi_pool_backward(
        self,
        grad_output: Tensor,
        rois: Tensor,
        argmax: Tensor,
        grad_input: Tensor,
        pooled_height: int,
        pooled_width: int,
        spatial_scale: float,
    ) -> None:
        size = pooled_height, pooled_width, *grad_input.shape[1:]
        count = grad_output.numel()
        self._call("pool_backward", count, grad_output, rois, argmax, grad_input, *size)


def main() -> None:
    arrays = {}
    with tempfile.TemporaryDirectory() as folder:
        kernels = CudaKernelsOnCpu(Path(folder))
        for module in WITHOUT_CPU_KERNEL:
            importlib.import_module(f"mmcv.ops.{module}").ext_module = kernels
        for name, case in CASES.items():
            for key, array in case.compute("cpu").items():
                arrays[f"{name}/{key}"] = array
    np.savez_compressed(REFERENCE, **arrays)
    print(f"{REFERENCE}: {len(CASES)} cases, {REFERENCE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
