"""Bytes that a pass of a net takes, counted in three ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


def peak_tensor_bytes(step: Callable[[], object]) -> int:
    """Peak bytes of the tensors that a pass makes: the same number on every device."""
    with _LivingStorages() as living:
        step()
    return living.peak


def saved_bytes(step: Callable[[], object]) -> int:
    """Bytes that autograd keeps for backward; parameters do not count, they are there anyway."""
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if not any(isinstance(kept, nn.Parameter) for kept in (tensor, tensor._base)):
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        step()
    return sum(storages.values())


def peak_cuda_bytes(step: Callable[[], object], device: torch.device | str) -> int:
    """Peak bytes that torch allocates on a CUDA device beyond what lay there before."""
    step()  # what the first pass allocates for good is no part of it
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    step()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


class _LivingStorages(TorchDispatchMode):
    """Sum up the storages that operations make, as long as they live."""

    def __init__(self) -> None:
        super().__init__()
        self.peak: int = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        before = {
            leaf.untyped_storage()._cdata
            for leaf in tree_flatten((args, kwargs or {}))[0]
            if isinstance(leaf, Tensor)
        }
        result = func(*args, **(kwargs or {}))
        self._alive = {key: pair for key, pair in self._alive.items() if not pair[0].expired()}
        for leaf in tree_flatten(result)[0]:
            if isinstance(leaf, Tensor):
                storage = leaf.untyped_storage()
                # what an operation returns of its inputs is not new
                if storage._cdata not in before:
                    self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return result
