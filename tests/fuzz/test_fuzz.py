"""Damaged input of every kind: a command does its work or says in one line why not."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from senet_mm.cli import compare, train
from senet_mm.compat.packaged_configs import config_path

from ..attempts import Attempt
from ..cli.conftest import SE
from .mutate import WRONG, mutate_bytes, mutate_json

TIMES = int(os.environ.get("SENET_MM_FUZZ_TIMES", 300))
Run = Callable[..., Attempt]


def faults(number: int, tried: Attempt, folder: Path) -> Iterator[str]:
    """What is wrong with how a command ended."""
    if tried.code not in (0, 2):
        last = tried.err.strip().splitlines()[-1:]
        yield f"{number}: exit {tried.code}: {last}"
    elif "Traceback" in tried.err or len(tried.errors) != (tried.code == 2):
        yield f"{number}: {tried.err[-300:]}"
    half = [path.name for path in folder.rglob("*") if "unfinished" in path.name]
    if half:
        yield f"{number}: left {half}"


@pytest.fixture
def results(shapes_root: Path) -> list[dict]:
    objects = json.loads(annotations_of(shapes_root).read_text())["annotations"]
    kept = ("image_id", "category_id", "bbox")
    return [{key: a[key] for key in kept} | {"score": 0.9} for a in objects]


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out plots and gallery, which take most of the time."""
    monkeypatch.setattr(compare, "write_report", lambda *_, **__: [])


def annotations_of(root: Path) -> Path:
    return root / "annotations" / "instances_val2017.json"


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_annotations(
    attempt: Run,
    shapes_root: Path,
    results: list[dict],
    tmp_path: Path,
) -> None:
    rng, found, codes = random.Random(0), [], []
    content = json.loads(annotations_of(shapes_root).read_text())
    one, other = write_results(tmp_path, results)
    out = ["--out-dir", tmp_path / "out", "--num-resamples", 2]
    for number in range(TIMES):
        path = tmp_path / f"{number}.json"
        path.write_bytes(mutate_json(content, rng))
        tried = attempt("compare", one, other, "--ann-file", path, *out)
        codes.append(tried.code)
        found += faults(number, tried, tmp_path)
    assert not found, "\n".join(found)
    assert {0, 2} == set(codes)


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_results(
    attempt: Run,
    shapes_root: Path,
    results: list[dict],
    tmp_path: Path,
) -> None:
    rng, found, codes = random.Random(1), [], []
    one, _ = write_results(tmp_path, results)
    out = ["--out-dir", tmp_path / "out", "--num-resamples", 2]
    for number in range(TIMES):
        path = tmp_path / f"{number}.json"
        path.write_bytes(mutate_json(results, rng))
        given = ["--ann-file", annotations_of(shapes_root), *out]
        tried = attempt("compare", one, path, *given)
        codes.append(tried.code)
        found += faults(number, tried, tmp_path)
    assert not found, "\n".join(found)
    assert {0, 2} == set(codes)


@pytest.mark.slow
def test_options(
    attempt: Run,
    shapes_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoRunner:
        @classmethod
        def from_cfg(cls, cfg: object) -> NoRunner:
            return cls()

        def register_hook(self, *_: object, **__: object) -> None: ...

        def train(self) -> None: ...

    monkeypatch.setattr(train, "Runner", NoRunner)
    monkeypatch.setattr(train, "scale_by_effective_batch", lambda runner: None)
    # without bases, which mmengine takes a second to find
    config = tmp_path / "whole.py"
    Config.fromfile(config_path(SE)).dump(config)
    rng, found, codes = random.Random(2), [], []
    keys = [
        "model.backbone.depth", "model.backbone.se_cfg.reduction", "model.neck.num_outs",
        "model.roi_head.bbox_head.num_classes", "train_dataloader.batch_size",
        "train_dataloader.dataset.ann_file", "train_dataloader.dataset.data_prefix.img",
        "train_dataloader.dataset.type", "optim_wrapper.optimizer.lr", "param_scheduler.0.end",
        "train_cfg.max_epochs", "default_hooks.checkpoint.interval", "custom_hooks", "load_from",
        "model.backbone.init_cfg.checkpoint", "model.backbone.frozen_stages", "randomness.seed",
        "test_dataloader.dataset", "model", "model.backbone", "train_dataloader", "resume",
    ]  # fmt: skip
    for number in range(TIMES):
        key, value = rng.choice(keys), str(rng.choice(WRONG))
        if rng.random() < 0.5:
            place = rng.randrange(len(key))
            key = key[:place] + rng.choice(["", "x", ".", "="]) + key[place + 1 :]
        option = f"{key}={value}".replace("\x00", "")
        arguments = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
        tried = attempt("train", config, *arguments, "--cfg-options", option)
        codes.append(tried.code)
        found += [f"{option} {fault}" for fault in faults(number, tried, tmp_path)]
    assert not found, "\n".join(found)
    assert {0, 2} == set(codes)


@pytest.mark.slow
def test_checkpoints(attempt: Run, tmp_path: Path) -> None:
    rng, found, codes = random.Random(3), [], []
    # most are of a narrow net, that no family has; those of a real one are read to the end, and
    # the last is not damaged
    widths = [4] * TIMES + [64] * (TIMES // 30 + 1)
    states = {width: narrow(width) for width in (4, 64)}
    for number, width in enumerate(widths):
        source, out = tmp_path / f"{number}.pth", tmp_path / "out" / f"{number}.pth"
        is_whole = number == len(widths) - 1
        state = states[width] if is_whole else damaged(states[width], rng)
        torch.save(state, source)
        if not is_whole and rng.random() < 0.5:
            source.write_bytes(mutate_bytes(source.read_bytes(), rng))
        tried = attempt("convert", source, out)
        codes.append(tried.code)
        found += faults(number, tried, tmp_path)
        written = list(out.parent.glob("*.pth")) if out.parent.is_dir() else []
        if bool(written) == bool(tried.code):
            found.append(f"{number}: exit {tried.code} and {len(written)} files")
        for file in written:
            torch.load(file, weights_only=False)
            file.unlink()
        source.unlink()
    assert not found, "\n".join(found)
    assert {0, 2} == set(codes)


def narrow(width: int) -> dict:
    options = dict(depth=18, base_channels=width, se_cfg=dict(reduction=width // 4))
    return MODELS.build(dict(type="mmdet.SEResNet", **options)).state_dict()


def damaged(state: dict, rng: random.Random) -> object:
    """A state dict with a change of a kind that training codes leave."""
    state = dict(state)
    key = rng.choice(list(state))
    kind = rng.randrange(6)
    if kind == 0:
        del state[key]
    elif kind == 1:
        state[key] = rng.choice(WRONG)
    elif kind == 2:
        state[key] = state[key].flatten()[:-1]
    elif kind == 3:
        state[rng.choice((7, "x.y", "", None))] = state[key]
    elif kind == 4:
        return rng.choice(WRONG)
    wrapper = rng.choice(("state_dict", "model", "weights", None))
    meta = rng.choice((*WRONG, {"epoch": "x"}, {"senet_mm": {"backbone": 3}}))
    return {wrapper: state, "meta": meta} if wrapper else state


def write_results(folder: Path, results: list[dict]) -> tuple[Path, Path]:
    one, other = folder / "one.bbox.json", folder / "other.bbox.json"
    one.write_text(json.dumps(results))
    other.write_text(json.dumps(results[::2]))
    return one, other
