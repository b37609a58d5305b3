"""Write the reference numbers of the tests: what compiled mmcv computes for each case.

    python tests/compat/make_mmcv_reference.py

It runs where mmcv has its compiled ops, on the CPU. What mmcv has no CPU version of comes from its
CUDA kernels, compiled for the CPU (g++ is needed).
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import numpy as np

from tests.compat.cuda_kernels import CudaKernelsOnCpu
from tests.compat.mmcv_cases import CASES

REFERENCE = Path(__file__).with_name("data") / "mmcv_reference.npz"
WITHOUT_CPU_KERNEL = (
    "carafe",
    "deform_roi_pool",
    "focal_loss",
    "masked_conv",
    "multi_scale_deform_attn",
    "roi_pool",
)


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
