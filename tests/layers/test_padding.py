"""The valid part against slices of each picture, which need no mask."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from senet_mm.layers import SEBlock, attach_se
from senet_mm.layers.padding import (
    ValidPart,
    current,
    max_of_valid,
    mean_of_valid,
    on_images,
    on_maps,
    within,
)

SIZES, PADDED = [(160, 150), (33, 160), (1, 1), (97, 2)], (160, 160)
MMDET = dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))


def batch(sizes: list[tuple[int, int]], padded: tuple[int, int], fill: int | None = None) -> Tensor:
    """Pictures of whole numbers, normalized and padded as mmdet does both."""
    mean, std = (torch.tensor(MMDET[key])[:, None, None] for key in ("mean", "std"))
    images = torch.zeros(len(sizes), 3, *padded)
    for image, (height, width) in zip(images, sizes, strict=True):
        shape = (3, height, width)
        picture = torch.randint(256, shape) if fill is None else torch.full(shape, fill)
        image[:, :height, :width] = (picture - mean) / std
    return images


def parts(x: Tensor, stride: int) -> Iterator[Tensor]:
    for image, (height, width) in zip(x, SIZES, strict=True):
        yield image[:, : -(-height // stride), : -(-width // stride)]


@pytest.mark.parametrize("fill", [None, 0, 103, 104, 116, 124, 255])
def test_sizes_are_found_whatever_is_in_the_picture(fill: int | None) -> None:
    valid = ValidPart.of(batch(SIZES, PADDED, fill))
    assert valid.sizes.tolist() == [list(size) for size in SIZES] and valid.padded == PADDED


def test_what_is_zero_inside_a_picture_is_picture_and_zeros_alone_count_as_a_whole() -> None:
    images = torch.zeros(2, 3, 9, 8)
    images[0, 2, 6, 1] = images[0, 0, 0, 4] = -1e-30
    assert ValidPart.of(images).sizes.tolist() == [[7, 5], [9, 8]]


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16, 32, 64])
@pytest.mark.parametrize("squeeze", ["avg", "max"])
def test_squeeze_and_its_gradient_are_those_of_the_slices(stride: int, squeeze: str) -> None:
    side = -(-PADDED[0] // stride)
    x = torch.randn(4, 5, side, side, dtype=torch.float64, requires_grad=True)
    with within(ValidPart.given(SIZES, PADDED)):
        ours = (mean_of_valid if squeeze == "avg" else max_of_valid)(x)
    reduce = torch.mean if squeeze == "avg" else torch.amax
    theirs = torch.stack([reduce(part, (1, 2)) for part in parts(x, stride)])
    torch.testing.assert_close(ours[:, :, 0, 0], theirs, rtol=1e-12, atol=1e-14)
    weight = torch.randn_like(theirs)
    first, second = (
        torch.autograd.grad((value * weight).sum(), x)[0] for value in (ours[:, :, 0, 0], theirs)
    )
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-16)


def test_the_formula_is_what_halving_layers_make_of_the_picture_alone() -> None:
    for size in range(1, 70):
        side = size
        for stride in (2, 4, 8, 16, 32):
            side = torch.nn.functional.max_pool2d(torch.ones(1, 1, side, 1), 3, 2, 1).shape[2]
            assert side == -(-size // stride)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_of_halves_are_float32s(dtype: torch.dtype) -> None:
    x = torch.full((1, 2, 400, 400), 3.0, dtype=dtype)  # their sum is beyond float16
    with within(ValidPart.given([(399, 1)], (400, 400))), torch.autocast("cpu"):
        assert mean_of_valid(x).dtype == dtype
        torch.testing.assert_close(mean_of_valid(x).float(), torch.full((1, 2, 1, 1), 3.0))


def test_a_block_in_any_layout() -> None:
    block, x = SEBlock(16, reduction=4, padding="mask"), torch.randn(4, 16, 20, 20)
    with within(ValidPart.given(SIZES, PADDED)):
        ours = block(x)
        last = block(x.contiguous(memory_format=torch.channels_last))
    plain = SEBlock(16, reduction=4)
    plain.load_state_dict(block.state_dict())
    for image, part in zip(ours, parts(x, 8), strict=True):
        height, width = part.shape[1:]
        torch.testing.assert_close(image[:, :height, :width], plain(part[None])[0])
    torch.testing.assert_close(last, ours)


def test_without_sizes_a_block_refuses_and_a_picture_that_fills_its_batch_is_as_ever() -> None:
    block, x = SEBlock(16, padding="mask"), torch.randn(1, 16, 20, 20)
    with pytest.raises(ValueError, match="does not know which part of its map is padding"):
        block(x)
    plain = SEBlock(16)
    plain.load_state_dict(block.state_dict())
    with within(ValidPart.given([(160, 160)], PADDED)):
        torch.testing.assert_close(block(x), plain(x))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 2, 19, 19), r"a map of 19 x 19 does not fit images of 160 x 160"),
        ((4, 2, 20, 40), r"a map of 20 x 40 does not fit"),
        ((3, 2, 20, 20), r"a map of 3 images: expected 4"),
    ],
)
def test_a_map_that_does_not_fit_is_an_error(shape: tuple[int, ...], message: str) -> None:
    with within(ValidPart.given(SIZES, PADDED)), pytest.raises(ValueError, match=message):
        mean_of_valid(torch.zeros(shape))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            [(161, 1)],
            r"size \(161, 1\) of a picture: expected height and width of 1 to 160 and 160",
        ),
        ([(0, 9)], r"size \(0, 9\)"),
        ([(9,)], r"size \(9,\)"),
    ],
)
def test_sizes_that_do_not_fit_the_batch_are_refused(sizes: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ValidPart.given(sizes, PADDED)


def test_sizes_are_two_integers_each() -> None:
    for sizes in (torch.ones(2, 3, dtype=torch.long), torch.ones(2), torch.ones(2, 2)):
        with pytest.raises(ValueError, match=r"expected \(N, 2\) integers"):
            ValidPart(sizes, PADDED)


@pytest.mark.parametrize("given", [[torch.zeros(3, 8, 8)], torch.zeros(3, 8, 8), None])
def test_a_backbone_that_gets_no_images_says_so(given: object) -> None:
    with pytest.raises(ValueError, match=r"where images \(N, C, H, W\) were expected"):
        on_images(lambda images: (), given)


def test_a_pass_is_over_when_it_ends_or_fails_and_an_inner_one_gives_back_the_outer() -> None:
    one, other = (ValidPart.given([size], PADDED) for size in SIZES[:2])

    def fail(images: Tensor) -> None:
        assert current().sizes.tolist() == [[3, 4]]
        raise RuntimeError("in the middle")

    with within(one):
        with within(other):
            assert current() is other
        with pytest.raises(RuntimeError, match="in the middle"):
            on_images(fail, torch.ones(1, 3, 3, 4))
        assert current() is one
        with within(None):
            assert current() is one
    with pytest.raises(ValueError, match="does not know"):
        current()


def test_threads_have_each_their_own() -> None:
    sizes, barrier, found = SIZES * 2, threading.Barrier(8), {}

    def run(index: int) -> None:
        with within(ValidPart.given([sizes[index]], PADDED)):
            barrier.wait()
            found[index] = current().sizes[0].tolist()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[index] for index in range(8)] == [list(size) for size in sizes]


def test_maps_tell_a_neck_and_other_maps_tell_nothing() -> None:
    images = batch([(8, 5)], (8, 8))
    maps = on_images(lambda x: (x, x * 2), images)

    def neck(inputs: tuple[Tensor, ...]) -> list[Tensor]:
        assert current().sizes.tolist() == [[8, 5]]
        return [x + 1 for x in inputs]

    again = on_maps(neck, on_maps(neck, maps))
    assert again[0].valid_part is maps[0].valid_part
    with pytest.raises(ValueError, match="does not know"):
        on_maps(neck, tuple(x + 1 for x in maps))


def test_a_block_outside_of_our_networks_zeroes_nothing_between_blocks() -> None:
    with pytest.raises(ValueError, match=r"padding='exact': expected 'ignore' or 'mask'; .* SENet"):
        SEBlock(16, padding="exact")
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3))
    with pytest.raises(ValueError, match=r"se_cfg of 0: .*padding='exact': expected 'ignore'"):
        attach_se(net, ["0"], dict(padding="exact"))
    with pytest.raises(ValueError, match="squeeze='none': nothing is squeezed"):
        SEBlock(16, padding="mask", squeeze="none")


def test_a_copied_block_keeps_its_way() -> None:
    block, x = SEBlock(16, padding="mask"), torch.randn(4, 16, 20, 20)
    with within(ValidPart.given(SIZES, PADDED)):
        torch.testing.assert_close(copy.deepcopy(block)(x), block(x), rtol=0, atol=0)
