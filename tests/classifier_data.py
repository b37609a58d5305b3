"""Small data sets of classifiers to spoil, and a config on them."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

CLASSES = ("bird", "cat", "dog")
CONFIG = """
default_scope = "mmpretrain"
custom_imports = dict(imports=["senet_mm"])
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="mmdet.SEResNet",
        depth=18,
        base_channels=8,
        se_cfg=dict(reduction=4),
        out_indices=(3,),
        norm_eval=False,
    ),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=64, topk=(1,)),
)
data_preprocessor = dict(num_classes=10, mean=[100] * 3, std=[50] * 3, to_rgb=True)
data = dict(type={kind!r}, data_root={root!r}, pipeline={load} + [dict(type="PackInputs")])
loader = dict(batch_size=4, num_workers=0)
train_dataloader = dict(
    dataset=dict(data, {train}), sampler=dict(type="DefaultSampler", shuffle=True), **loader
)
val_dataloader = dict(
    dataset=dict(data, {val}), sampler=dict(type="DefaultSampler", shuffle=False), **loader
)
test_dataloader = val_dataloader
val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_evaluator = [val_evaluator]
train_cfg = dict(by_epoch=True, max_epochs=2)
val_cfg = test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9))
param_scheduler = dict(type="MultiStepLR", milestones=[1], gamma=0.1)
default_hooks = dict(logger=dict(type="LoggerHook", interval=1))
{more}
"""
_LOAD = "[dict(type='LoadImageFromFile')]"


def write_config(path: Path, root: Path | str, kind: str = "CustomDataset", more: str = "") -> Path:
    """A config of a small classifier, on folders or on CIFAR."""
    prefix = ("split='train'", "split='test'") if kind.startswith("CIFAR") else ()
    train, val = prefix or ("data_prefix='train'", "data_prefix='val'")
    load = "[]" if prefix else _LOAD
    text = CONFIG.format(kind=kind, root=str(root), train=train, val=val, load=load, more=more)
    path.write_text(text)
    return path


def write_folders(root: Path, *, train: int = 4, val: int = 3, side: int = 12) -> Path:
    """An image folder of three classes, told apart by their colours."""
    rng = np.random.default_rng(0)
    for split, number in (("train", train), ("val", val)):
        for channel, name in enumerate(CLASSES):
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(number):
                image = rng.integers(0, 90, (side, side, 3), dtype=np.uint8)
                image[..., channel] += 120
                Image.fromarray(image).save(folder / f"{index}.png")
    return root


def write_lists(root: Path) -> Path:
    """ImageNet's lists of an image folder, beside its folders."""
    (root / "meta").mkdir()
    for split in ("train", "val"):
        paths = sorted((root / split).rglob("*.png"))
        lines = [f"{p.relative_to(root / split)} {CLASSES.index(p.parent.name)}" for p in paths]
        (root / "meta" / f"{split}.txt").write_text("\n".join(lines))
    return root


def write_cifar(root: Path, patch: pytest.MonkeyPatch) -> Path:
    """Files as CIFAR-10's, of few images, whose checksums mmpretrain then expects."""
    from mmpretrain.datasets import CIFAR10

    folder = root / CIFAR10.base_folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)

    def write(name: str, content: dict[str, Any]) -> list[str]:
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data).hexdigest()]

    def batch(name: str) -> list[str]:
        images = rng.integers(0, 255, (4, 3072), dtype=np.uint8)
        return write(name, dict(data=images, labels=rng.integers(0, 10, 4).tolist()))

    patch.setattr(CIFAR10, "train_list", [batch("data_batch_1"), batch("data_batch_2")])
    patch.setattr(CIFAR10, "test_list", [batch("test_batch")])
    return root
