"""Seed all random generators from a place in a training."""

from __future__ import annotations

import hashlib
import random
import struct

import numpy as np
import torch

# what a place is of
MODEL, DATA, ORDER = range(3)


def seed_generators(*place: int) -> None:
    """Seed Python, numpy and torch from a few numbers.

    Args:
        place: The training's seed, what is random (``MODEL``, ``DATA``, ``ORDER``) and where:
            iteration, rank, ... Every other place gives unrelated numbers.
    """
    digest = hashlib.blake2b(struct.pack(f"<{len(place)}q", *place), digest_size=20).digest()
    for_python, for_numpy, for_torch = struct.unpack("<QLQ", digest)
    random.seed(for_python)
    np.random.seed(for_numpy)
    # torch.manual_seed would keep a stack trace for the day when CUDA is initialized
    torch.default_generator.manual_seed(for_torch)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(for_torch)
