"""Data sets of classifiers with a few images, in the layouts of the real ones."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
import pytest

NAMES = {"CIFAR10": ("labels", 10), "CIFAR100": ("fine_labels", 100)}


def write_images(folder: Path, labels: Sequence[int], *, side: int, seed: int) -> list[str]:
    """Write random images; returns a line `FILE LABEL` for each."""
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), side, side, 3), np.uint8)
    for number, image in enumerate(images):
        mmcv.imwrite(image, str(folder / f"{number}.png"))
    return [f"{number}.png {label}" for number, label in enumerate(labels)]


def write_lists(root: Path, lists: dict[str, str], *, labels: Sequence[int], side: int) -> None:
    """Write images and their lists.

    Args:
        root: Of the data set.
        lists: Path of each list, by the folder of its images.
        labels: Of the images of each.
        side: Of the images, in pixels.
    """
    for seed, (folder, ann_file) in enumerate(lists.items()):
        lines = write_images(root / folder, labels, side=side, seed=seed)
        (root / ann_file).parent.mkdir(parents=True, exist_ok=True)
        (root / ann_file).write_text("\n".join(lines))


def write_imagenet(root: Path, *, labels: Sequence[int], side: int = 48) -> None:
    """ImageNet with its lists."""
    lists = {"train": "meta/train.txt", "val": "meta/val.txt"}
    write_lists(root, lists, labels=labels, side=side)


def write_places365(root: Path, *, labels: Sequence[int], side: int = 48) -> None:
    """Places365-Challenge."""
    lists = {"data_256": "places365_train_challenge.txt", "val_256": "places365_val.txt"}
    write_lists(root, lists, labels=labels, side=side)


def write_digits(root: Path, *, side: int = 16) -> None:
    """Ten folders of classes."""
    for seed, split in enumerate(("train", "val")):
        for label in range(10):
            write_images(root / split / str(label), [label] * 2, side=side, seed=10 * seed + label)


def write_cifar(root: Path, name: str, patch: pytest.MonkeyPatch, *, images: int = 8) -> None:
    """CIFAR's own files, whose check sums mmpretrain is told."""
    from mmpretrain import datasets

    dataset = getattr(datasets, name)
    key, classes = NAMES[name]
    random = np.random.default_rng(0)
    for split in ("train_list", "test_list"):
        entries = []
        for file, _ in getattr(dataset, split):
            pixels = random.integers(0, 256, (images, 3 * 32 * 32), np.uint8)
            content = pickle.dumps({"data": pixels, key: [i % classes for i in range(images)]})
            path = root / dataset.base_folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            entries.append([file, hashlib.md5(content, usedforsecurity=False).hexdigest()])
        patch.setattr(dataset, split, entries)
