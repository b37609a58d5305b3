"""Random numbers as a function of a place."""

from __future__ import annotations

import random

import numpy as np
import torch

from senet_mm.runs.training.seeds import DATA, MODEL, seed_generators


def draw(*place: int) -> tuple[float, float, float]:
    seed_generators(*place)
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_a_place_always_gives_the_same_numbers() -> None:
    assert draw(0, MODEL, 0, 5) == draw(0, MODEL, 0, 5)


def test_each_place_gives_its_own_numbers() -> None:
    places = [
        (seed, kind, rank, iteration)
        for seed in (0, 1, 2**31)
        for kind in (MODEL, DATA)
        for rank in range(3)
        for iteration in range(20)
    ]
    for numbers in zip(*(draw(*place) for place in places), strict=True):
        assert len(set(numbers)) == len(places)
        assert abs(np.mean(numbers) - 0.5) < 0.1
