"""The internals of others that the package touches are as it needs them.

An upgrade that renames one of them fails here, in a second, with the module of ours that uses it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision  # noqa: F401 (registers torch.ops.torchvision)
from mmdet.models.backbones import ResNet, ResNeXt
from mmdet.models.backbones.resnet import BasicBlock, Bottleneck
from mmdet.models.backbones.resnext import Bottleneck as ResNeXtBottleneck
from mmdet.models.data_preprocessors import BatchSyncRandomResize, DetDataPreprocessor
from mmdet.models.necks import FPN
from mmengine.model import BaseModel, BaseModule
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval, Params
from timm.layers.create_attn import create_attn, get_attn
from torch import nn
from torch.autograd import forward_ad
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter
from torch.utils.flop_counter import FlopCounterMode

import senet_mm
from senet_mm.layers import SEBlock
from tests.compat.internals import (
    ATTRIBUTES,
    CALLABLES,
    OLD_TORCH,
    OPERATORS,
    OPTIONS,
    OTHERS,
    PICKLED,
)

PACKAGE = Path(senet_mm.__file__).parent
SOURCES = {
    str(path.relative_to(PACKAGE.parent)): path.read_text()
    for path in sorted(PACKAGE.rglob("*.py"))
}


def resolve(name: str) -> Any:
    """What a dotted name stands for."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            assert hasattr(found, part), f"{name} is gone; {users(name)}"
            found = getattr(found, part)
        return found
    raise AssertionError(f"{name} is gone; {users(name)}")


def users(name: str) -> str:
    """Which of our modules use the last part of a name."""
    last = name.rpartition(".")[2]
    word = re.compile(rf"\b{last}\b")
    found = [path for path, text in SOURCES.items() if last in text and word.search(text)]
    return f"used by {', '.join(found)}"


@pytest.mark.parametrize("name", CALLABLES)
def test_what_is_called_begins_with_these_parameters(name: str) -> None:
    expected = [part for part in CALLABLES[name].split(", ") if part]
    parameters = list(inspect.signature(resolve(name)).parameters.values())
    names = [parameter.name for parameter in parameters]
    assert names[: len(expected)] == expected, f"{name} takes {names}; {users(name)}"
    rest = parameters[len(expected) :]
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in rest if p.default is p.empty and p.kind not in kinds]
    assert not needed, f"{name} needs {needed}; {users(name)}"


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_configured_has_these_options(name: str) -> None:
    missing = set(OPTIONS[name].split(", ")) - inspect.signature(resolve(name)).parameters.keys()
    assert not missing, f"{name} has no {sorted(missing)}; {users(name)}"


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_take_these_arguments(name: str) -> None:
    namespace, _, op = name.partition(".")
    assert hasattr(getattr(torch.ops, namespace), op), f"torch.ops.{name} is gone; {users(name)}"
    schema = getattr(getattr(torch.ops, namespace), op).default._schema
    found = ", ".join(argument.name for argument in schema.arguments)
    assert found == OPERATORS[name], f"{schema}; {users(name)}"


@pytest.mark.parametrize("name", PICKLED)
def test_what_pickles_of_tensors_call(name: str) -> None:
    expected = PICKLED[name].split(", ")
    found = list(inspect.signature(resolve(f"torch._utils.{name}")).parameters)
    assert found[: len(expected)] == expected, f"{name} takes {found}; {users(name)}"


class Nothing(BaseModel):
    def forward(self, *args: object, **kwargs: object) -> None:
        """Compute nothing."""


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """One of each kind that :data:`ATTRIBUTES` tells of."""
    plugin = dict(cfg=dict(type=SEBlock), position="after_conv3")
    x = torch.zeros(2)
    folder = tmp_path_factory.mktemp("runner")
    return dict(
        runner=Runner(Nothing(), str(folder), default_scope="mmdet"),
        module=nn.Module(),
        tensor=x[:1],
        storage=x.untyped_storage(),
        loaders_iterator=_MultiProcessingDataLoaderIter,
        hooks_of_all_modules=nn.modules.module,
        resizing=BatchSyncRandomResize((1, 2)),
        resnet=ResNet(18),
        basic_block=BasicBlock(4, 4),
        bottleneck=Bottleneck(16, 4, plugins=[plugin]),
        fpn=FPN([4, 8], 4, 2),
        preprocessor=DetDataPreprocessor(mean=[0, 0, 0], std=[1, 1, 1], bgr_to_rgb=True),
        flop_counter=FlopCounterMode(display=False),
        visualizer=Visualizer(),
        coco=COCO(),
        coco_params=Params("bbox"),
    )


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_objects_have_these_attributes(kind: str, objects: dict[str, object]) -> None:
    for name in ATTRIBUTES[kind].split():
        assert hasattr(objects[kind], name), f"{kind} has no {name}; {users(name)}"


def test_resnets_settings_are_a_block_and_units_per_stage() -> None:
    assert ResNet.arch_settings.keys() == {18, 34, 50, 101, 152}
    assert ResNeXt.arch_settings.keys() == {50, 101, 152}
    assert ResNet.arch_settings[34] == (BasicBlock, (3, 4, 6, 3))
    assert ResNet.arch_settings[50] == (Bottleneck, (3, 4, 6, 3))
    assert ResNeXt.arch_settings[50] == (ResNeXtBottleneck, (3, 4, 6, 3))


def test_resnet_builds_each_stage_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = ResNet.make_res_layer
    monkeypatch.setattr(
        ResNet, "make_res_layer", lambda self, **kw: calls.append(kw) or original(self, **kw)
    )
    ResNet(18)
    assert len(calls) == 4 and all("num_blocks" in call for call in calls)


def test_initialization_marks_modules_with_their_parameters_records() -> None:
    class Part(BaseModule):
        def init_weights(self) -> None:
            self.marked = hasattr(self, "_params_init_info")

    class Whole(BaseModule):
        def __init__(self) -> None:
            super().__init__()
            self.part = Part()

    whole = Whole()
    whole.init_weights()
    assert whole.part.marked, users("_params_init_info")


def test_torchs_own_reader_lists_an_archives_records(tmp_path: Path) -> None:
    torch.save({}, tmp_path / "file.pth")
    records = torch._C.PyTorchFileReader(str(tmp_path / "file.pth")).get_all_records()
    assert "data.pkl" in records, users("PyTorchFileReader")


def test_torch_tells_whether_it_compiles() -> None:
    is_compiling = getattr(torch.compiler, "is_compiling", None) or torch._dynamo.is_compiling
    assert is_compiling() is False
    assert torch._C._are_functorch_transforms_active() is False
    assert forward_ad._current_level == -1
    assert issubclass(nn.SyncBatchNorm, nn.modules.batchnorm._BatchNorm)
    assert hasattr(torch._utils, "_rebuild_tensor_v3") or OLD_TORCH


def test_timms_attention_is_built_by_name() -> None:
    assert [*inspect.signature(create_attn).parameters] == ["attn_type", "channels", "kwargs"]
    assert get_attn("ese").__name__ == "EffectiveSEModule"
    with pytest.raises(AssertionError):
        get_attn("no such")


def test_timms_feature_nets_tell_their_maps() -> None:
    net = timm.create_model("resnet18d", features_only=True, out_indices=4)
    first, last = net.feature_info.info[0], net.feature_info.info[-1]
    assert (first["module"], first["reduction"]) == ("act1", 2)
    assert (last["module"], last["reduction"]) == ("layer4", 32)
    assert net.feature_info.out_indices == (-4, -3, -2, -1)
    assert net.feature_info.channels() == [64, 128, 256, 512]
    assert net.feature_info.reduction() == [4, 8, 16, 32]
    assert {"input_size", "mean", "std"} <= net.pretrained_cfg.keys()
    # sequences are folded into the net, or the net is a child of its own
    for name, child in (
        ("convnext_atto", "stages_0"),
        ("test_vit", "model"),
        ("legacy_xception", "body"),
    ):
        net = timm.create_model(name, features_only=True, out_indices=4)
        assert child in dict(net.named_children())
    swin = timm.create_model("swin_s3_tiny_224", features_only=True)
    assert swin.output_fmt == "NHWC" and swin.pretrained_cfg["fixed_input_size"]


def test_cocoevals_records() -> None:
    coco = COCO()
    box = dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 9, 9], area=81, iscrowd=0, score=1)
    coco.dataset = dict(images=[dict(id=1)], categories=[dict(id=1)], annotations=[box])
    coco.createIndex()
    evaluation = COCOeval(coco, coco, "bbox")
    evaluation.evaluate()
    by_area = evaluation.evalImgs  # of one class and image
    assert len(by_area) == len(evaluation.params.areaRng)
    assert {"dtScores", "dtMatches", "dtIgnore", "gtIgnore"} <= by_area[0].keys()
    assert np.shape(by_area[0]["dtMatches"]) == (len(evaluation.params.iouThrs), 1)


def test_the_list_is_complete_and_needed() -> None:
    dotted = [*CALLABLES, *OPTIONS, *OPERATORS, *PICKLED]
    attributes = [name for names in ATTRIBUTES.values() for name in names.split()]
    known = {part for name in dotted for part in name.split(".")} | {*attributes, *OTHERS}
    trees = {path: ast.parse(text) for path, text in SOURCES.items()}
    ours = {name for tree in trees.values() for name in defined_in(tree)}
    ours |= sys.stdlib_module_names
    missing = {
        f"{name} in {path}"
        for path, tree in trees.items()
        for name in internals_in(tree, ours)
        if not any(whole.endswith(name) for whole in known)
    }
    assert not missing, f"list here, with what is relied on: {sorted(missing)}"
    unused = [name for name in (*dotted, *attributes) if users(name) == "used by "]
    assert not unused, f"nothing uses them any more, take them off the list: {unused}"


def defined_in(tree: ast.AST) -> Iterator[str]:
    """Names that a module of ours defines: functions, classes, variables, attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [node.attr] if path_of(node.value) == "self" else []


def internals_in(tree: ast.AST, ours: set[str]) -> Iterator[str]:
    """Private names in a module that are not ours, and the operators that it calls."""
    private = re.compile("_[A-Za-z]\\w*")
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Attribute):
            base = path_of(node.value)
            overridden = base == "super()" and private.fullmatch(node.attr)
            if overridden or base in ("aten", "torch.ops.aten", "torch.ops.torchvision"):
                yield node.attr
            else:
                names = [node.attr]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = node.value.split(".") if re.fullmatch(r"[\w.]+", node.value) else []
        yield from (name for name in names if private.fullmatch(name) and name not in ours)


def path_of(node: ast.AST) -> str:
    """An expression as it is written, if it is short: a name, its attributes, ``super()``."""
    if isinstance(node, ast.Attribute):
        return f"{path_of(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{path_of(node.func)}()"
    return node.id if isinstance(node, ast.Name) else "?"
