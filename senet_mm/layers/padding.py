"""Which part of each map is picture and which is padding, and the squeeze of that part alone.

Pictures of a batch are padded with zeros, right and bottom, after their normalization. No pixel is
zero in all channels as long as the means subtracted are no whole numbers, as mmdet's are, so the
last row and column that are not zero tell the size of a picture. Found so, a size needs nobody to
hand it over, is never that of another batch, and a picture alone gives what it gives beside others.
A backbone finds the sizes as it starts, and what runs inside it asks for them here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, fx, nn

from .calls import is_compiling
from .functions import accumulator

PADDINGS = ("ignore", "mask", "exact")
_STRIDES = tuple(2**power for power in range(9))  # of maps


class ValidPart:
    """The part of each picture of a batch that is no padding, and that of maps made of it.

    A map of stride s has as its valid part ``ceil(size / s)`` rows and columns, as layers that pad
    half a window on each side make of the picture alone.

    Args:
        sizes: Heights and widths in pixels, (N, 2), integers; pictures lie left and top.
        padded: Height and width of the batch, in pixels.

    Raises:
        ValueError: If sizes have another shape or reach beyond the batch.
    """

    def __init__(self, sizes: Tensor, padded: tuple[int, int]) -> None:
        if sizes.ndim != 2 or sizes.shape[1] != 2 or sizes.is_floating_point():
            raise ValueError(
                f"sizes of shape {tuple(sizes.shape)} in {sizes.dtype}: expected (N, 2) integers, "
                "height and width of each picture"
            )
        self.sizes, self.padded = sizes, padded
        self._outside: dict[tuple[Any, ...], Tensor] = {}
        self._shares: dict[tuple[Any, ...], Tensor] = {}

    @classmethod
    def given(cls, sizes: Sequence[Sequence[int]], padded: tuple[int, int]) -> ValidPart:
        """The part that is known from elsewhere, as lists of integers.

        Raises:
            ValueError: As :class:`ValidPart`.
        """
        for size in sizes:
            if len(size) != 2 or not all(1 <= n <= m for n, m in zip(size, padded, strict=True)):
                raise ValueError(
                    f"size {tuple(size)} of a picture: expected height and width of 1 to "
                    f"{padded[0]} and {padded[1]}, those of the batch"
                )
        return cls(torch.tensor([list(size) for size in sizes]).reshape(-1, 2), padded)

    @classmethod
    def of(cls, images: Tensor) -> ValidPart:
        """The part of each image (N, C, H, W) up to its last row and column that are not zero.

        An image of zeros alone counts as a whole.
        """
        if not isinstance(images, Tensor) or images.ndim != 4:
            raise ValueError(
                f"{_described(images)} where images (N, C, H, W) were expected: padding='mask' "
                "finds padding in what a backbone is given"
            )
        seen = (images != 0).any(1)
        sizes = torch.stack([_last(seen.any(2)), _last(seen.any(1))], 1)
        return cls(sizes, (images.shape[2], images.shape[3]))

    def outside(self, x: Tensor) -> Tensor:
        """Where a map (N, C, h, w) made of the batch is padding: bool, (N, 1, h, w).

        Raises:
            ValueError: If no map of this batch has that size.
        """
        key = (*x.shape[2:], x.device)
        if key not in self._outside:
            sizes = _ceil(self.sizes.to(x.device), self._stride(x))
            rows, columns = (
                torch.arange(side, device=x.device) >= sizes[:, axis, None]
                for axis, side in enumerate(x.shape[2:])
            )
            self._outside[key] = (rows[:, :, None] | columns[:, None])[:, None]
        return self._outside[key]

    def shares(self, x: Tensor) -> Tensor:
        """Of each position in the mean over the valid part: (N, 1, h, w), at least float32.

        Raises:
            ValueError: As :meth:`outside`.
        """
        key = (*x.shape[2:], x.device, accumulator(x))
        if key not in self._shares:
            inside = (~self.outside(x)).to(accumulator(x))
            self._shares[key] = inside / inside.sum((2, 3), keepdim=True)
        return self._shares[key]

    def _stride(self, x: Tensor) -> int:
        if x.shape[0] != self.sizes.shape[0]:
            raise ValueError(
                f"a map of {int(x.shape[0])} images: expected {int(self.sizes.shape[0])}, as many "
                "as the valid sizes are for"
            )
        height, width = (int(side) for side in self.padded)
        for stride in _STRIDES:
            if (_ceil(height, stride), _ceil(width, stride)) == tuple(map(int, x.shape[2:])):
                return stride
        raise ValueError(
            f"a map of {int(x.shape[2])} x {int(x.shape[3])} does not fit images of {height} x "
            f"{width}: padding='mask' expects ceil(side / stride) for a stride of 1, 2, 4, ..., as "
            "of nets whose layers pad half a window (others may do with sides that strides divide: "
            "data_preprocessor.pad_size_divisor)"
        )


class _Passes:
    """The valid part of the pass that runs, for each thread its own."""

    def __init__(self) -> None:
        self._of_thread: ContextVar[ValidPart | None] = ContextVar("valid part", default=None)
        # torch.compile knows no ContextVar; what it traces is one thread's
        self._traced: ValidPart | None = None

    def get(self) -> ValidPart | None:
        # what a broken graph runs uncompiled was begun in a trace
        return self._traced if is_compiling() else self._of_thread.get() or self._traced

    def set(self, valid: ValidPart | None) -> None:
        if is_compiling():
            self._traced = valid
        else:
            self._of_thread.set(valid)


_passes = _Passes()


@contextmanager
def within(valid: ValidPart | None) -> Iterator[None]:
    """Let what runs inside ask for this part; None changes nothing."""
    before = _passes.get()
    _passes.set(before if valid is None else valid)
    try:
        yield
    finally:
        _passes.set(before)


def current() -> ValidPart:
    """The valid part of what runs now.

    Raises:
        ValueError: If nobody knows it.
    """
    valid = _passes.get()
    if valid is None:
        raise ValueError(
            "SE with padding='mask' does not know which part of its map is padding: run it inside "
            "a backbone that does (SEResNet and its kin, SEBackbone around any other, also with "
            "units=[]), in a neck behind one, or in `with senet_mm.layers.padding.within(...)`; "
            "and not again in backward, as with_cp of other networks has it"
        )
    return valid


def on_images(forward: Callable[[Tensor], Any], images: Tensor) -> Any:
    """Run a backbone on images whose valid part is found; its maps tell a neck of it."""
    if isinstance(images, fx.Proxy):  # a graph of torch.fx: what needs the part refuses it
        return forward(images)
    valid = ValidPart.of(images)
    with within(valid):
        return _told(forward(images), valid)


def on_maps(forward: Callable[[Sequence[Tensor]], Any], maps: Sequence[Tensor]) -> Any:
    """Run a neck on a backbone's maps, which tell the valid part; so do what it returns."""
    valid = getattr(maps[0], "valid_part", None)
    with within(valid):
        return _told(forward(maps), valid)


def minds_padding(net: nn.Module) -> bool:
    """Whether something in a net asks for the valid part."""
    return any(getattr(module, "minds_padding", False) for module in net.modules())


def zero_outside(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """A forward pre-hook: padding becomes zero, as around a picture alone."""
    x, *others = inputs
    return (x.masked_fill(current().outside(x), 0), *others)


def mean_of_valid(x: Tensor) -> Tensor:
    """The mean over the valid part (Eq. 2), accumulated at least in float32: (N, C, 1, 1)."""
    return weighted_sum(x, current().shares(x)).to(x.dtype)


def max_of_valid(x: Tensor) -> Tensor:
    """The maximum over the valid part."""
    return x.masked_fill(current().outside(x), -torch.inf).amax((2, 3), keepdim=True)


VALID_SQUEEZES = {"avg": mean_of_valid, "max": max_of_valid}


def weighted_sum(x: Tensor, shares: Tensor) -> Tensor:
    """The sum over positions of a map (N, C, H, W) times (N, 1, H, W), in the latter's type."""
    if is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined]
        return (x * shares).sum((2, 3), keepdim=True)
    with torch.autocast(x.device.type, enabled=False):
        sums = torch.bmm(x.flatten(2).to(shares.dtype), shares.flatten(1)[:, :, None])
    return sums[..., None]


def _last(seen: Tensor) -> Tensor:
    """One more than the last true place of each row (N, L); of a row without one, L."""
    length = seen.shape[1]
    last = (seen * torch.arange(1, length + 1, device=seen.device)).amax(1)
    return torch.where(last == 0, length, last)


def _ceil(side: Any, stride: int) -> Any:
    return (side + (stride - 1)) // stride


def _told(maps: Any, valid: ValidPart | None) -> Any:
    for x in maps if isinstance(maps, (tuple, list)) else ():
        if valid is not None and isinstance(x, Tensor):
            x.valid_part = valid  # type: ignore[attr-defined]
    return maps


def _described(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
