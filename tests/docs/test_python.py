"""Python in the documentation runs: configs are built, code is executed."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from senet_mm.backbones import SEResNet
from senet_mm.comparison import inputs
from senet_mm.comparison.evaluation import Evaluation
from senet_mm.export.detector import PlainDetector
from senet_mm.export.load import describe
from senet_mm.export.onnx_file import write_onnx
from senet_mm.export.runtime import OnnxDetector
from senet_mm.layers import SEBlock
from senet_mm.runs.inference.results import coco_results
from senet_mm.weights.read.checkpoint import Checkpoint
from tests.docs.markdown import Code, blocks
from tests.export.nets import scene, small_config, small_detector
from tests.runs.data.layouts.folders import write_yolo

# what a block of code is given, and a check of what it leaves
Setting = tuple[dict[str, Any], Callable[[dict[str, Any]], None]]
FRAGMENTS = [block for block in blocks("python") if "import " not in block.text]
CODE = [block for block in blocks("python") if "import " in block.text]


def parts(block: Code) -> Iterator[dict[str, Any]]:
    """The config of a block; one more for each time that it gives a key anew."""
    seen: set[str] = set()
    lines: list[str] = []
    for statement in ast.parse(block.text).body:
        assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        if statement.targets[0].id in seen:
            yield Config.fromstring("\n".join(lines), ".py")
            seen, lines = set(), []
        seen.add(statement.targets[0].id)
        lines.append(ast.unparse(statement))
    yield Config.fromstring("\n".join(lines), ".py")


def build_plugins(plugins: list[dict]) -> nn.Module:
    """mmdet's ResNet with plugins."""
    return MODELS.build(dict(type="ResNet", depth=50, plugins=plugins))


BUILD: dict[str, Callable[[Any], Any]] = {
    "model": MODELS.build,
    "backbone": MODELS.build,
    "neck": MODELS.build,
    "plugins": build_plugins,
    "custom_hooks": lambda hooks: [HOOKS.build(hook) for hook in hooks],
}


def test_there_is_something_to_try() -> None:
    assert len(FRAGMENTS) >= 4 and len(CODE) >= 2


@pytest.mark.usefixtures("shapes_alone")
@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_a_fragment_of_a_config(block: Code) -> None:
    init_default_scope("mmdet")
    built = 0
    for config in parts(block):
        for key in config.keys() & BUILD.keys():
            assert BUILD[key](config[key])
            built += 1
        # what a base brings is the base's
        assert "_base_" in block.text or config.keys() <= BUILD.keys()
    assert built


@pytest.mark.parametrize("block", CODE, ids=str)
def test_code(block: Code, request: pytest.FixtureRequest) -> None:
    page = block.place.partition(":")[0]
    given, check = request.getfixturevalue(f"for_{Path(page).stem}")
    exec(compile(block.text, block.place, "exec"), given)  # fails where the code does
    check(given)


@pytest.fixture
def for_comparison(
    results_files: list[Path], shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Setting:
    """Results files stand for the work dirs, so that nothing has to be detected."""
    resolve = inputs.resolve

    def stand(sources: list[str], *, out_dir: Path) -> inputs.Inputs:
        assert all(source.startswith("work_dirs/") for source in sources)
        ann_file = shapes_root / "annotations" / "instances_val2017.json"
        files = [str(file) for file in results_files[: len(sources)]]
        return resolve(files, out_dir=tmp_path / out_dir, ann_file=ann_file)

    inspect.signature(resolve).bind(["a", "b"], out_dir=Path("out"))
    monkeypatch.setattr(inputs, "resolve", stand)

    def check(after: dict[str, Any]) -> None:
        assert isinstance(after["evaluation"], Evaluation)
        assert [*after["evaluation"].detections] == ["run0", "run1"]

    return {}, check


@pytest.fixture
def for_gates() -> Setting:
    """A small net and two pictures."""
    net = SEResNet(18).eval()

    def check(after: dict[str, Any]) -> None:
        assert after["gates"]["SE_2_1"].shape == (2, 64)

    return dict(model=net, images=torch.rand(2, 3, 32, 32)), check


@pytest.fixture
def for_attach() -> Setting:
    """The page ends with the plain net."""

    def check(after: dict[str, Any]) -> None:
        assert not any(isinstance(module, SEBlock) for module in after["net"].modules())

    return {}, check


@pytest.fixture
def for_padding() -> Setting:
    """The page runs a classifier of torchvision."""

    def check(after: dict[str, Any]) -> None:
        assert after["scores"].shape == (2, 1000) and after["scores"].isfinite().all()

    return {}, check


@pytest.fixture
def for_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """A small detector, exported, and a picture."""
    monkeypatch.chdir(tmp_path)
    picture = scene(150, 200)
    cv2.imwrite("street.jpg", picture)
    cfg, model = small_config("faster", se=True), small_detector("faster", se=True)
    checkpoint = Checkpoint("small", {}, {})
    detector = PlainDetector(model).eval()
    about = describe(cfg, checkpoint, detector, size=None)
    write_onnx(detector, Path("detector.onnx"), size=None, description=about)

    def check(after: dict[str, Any]) -> None:
        if "scores" in after:  # the page's program
            found = OnnxDetector("detector.onnx")(cv2.imread("street.jpg"))
            np.testing.assert_array_equal(after["boxes"], found.boxes)
            assert len(after["scores"]) > 10
        else:
            assert not isinstance(after["model"].backbone.bn1, nn.BatchNorm2d)

    return dict(model=model), check


@pytest.fixture
def for_cifar() -> Setting:
    """An SE block in each of the 54 units."""

    def check(after: dict[str, Any]) -> None:
        assert sum(isinstance(module, SEBlock) for module in after["net"].modules()) == 54

    return {}, check


@pytest.fixture
def for_inference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Results as infer writes them."""
    monkeypatch.chdir(tmp_path)
    Path("outputs").mkdir()
    with coco_results(Path("outputs"), ["red"]) as results:
        results.add("x.jpg", (8, 6), dict(labels=[0], scores=[0.5], bboxes=[[1, 1, 3, 4]]))

    def check(after: dict[str, Any]) -> None:
        assert after["found"].dataset["annotations"][0]["bbox"] == [1, 1, 2, 3]

    return {}, check


@pytest.fixture
def for_data(shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """The embedded data set as a YOLO folder."""
    monkeypatch.chdir(tmp_path)
    write_yolo(shapes_root, Path("my_data"))

    def check(after: dict[str, Any]) -> None:
        assert [split.name for split in after["found"].splits] == ["train", "val"]
        assert not after["found"].num_problems

    return {}, check


@pytest.fixture
def for_python() -> Setting:
    """Nothing is given; what was made is used."""

    def check(after: dict[str, Any]) -> None:
        if "maps" in after:
            assert after["net"].channels == [map_.shape[1] for map_ in after["maps"]]
        elif "losses" in after:
            assert after["body"].layer4[0].bn3.weight.grad.abs().sum() > 0
        else:
            assert len(after["backbone"](torch.rand(1, 3, 64, 64))) == 5

    return {}, check
