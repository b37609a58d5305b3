import pytest
import torch
from torch import nn

from senet_mm.profiling.memory import peak_cuda_bytes, peak_tensor_bytes, saved_bytes


def test_bytes_kept_for_backward_leave_parameters_out() -> None:
    weight, x = nn.Parameter(torch.ones(2, 1, 1)), torch.rand(3, 2, 4, 4)

    def step() -> None:
        y = x * weight  # keeps x and the weight
        torch.sigmoid(y).sum().backward()  # keeps its output

    assert saved_bytes(step) == 2 * x.numel() * 4


def test_the_peak_counts_what_lives_at_once() -> None:
    x = torch.rand(3, 8, 4)
    one_map = x.numel() * 4

    def one_after_the_other() -> None:
        for _ in range(5):
            (x + 1).relu_()  # what works in place makes none

    def together() -> None:
        kept = [x + 1 for _ in range(3)]
        kept[0].view(-1)  # a view makes none

    assert peak_tensor_bytes(one_after_the_other) == one_map
    assert peak_tensor_bytes(together) == 3 * one_map


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_the_peak_on_a_gpu_leaves_out_what_lay_there() -> None:
    x = torch.rand(1 << 20, device="cuda")
    assert peak_cuda_bytes(lambda: (x + 1) * 2, "cuda") == 2 * x.numel() * 4
