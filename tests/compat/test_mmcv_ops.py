"""The stand-in for ``mmcv._ext``: found where it should be, and equal to compiled mmcv."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import mmcv
import numpy as np
import pytest
import torch

import senet_mm  # noqa: F401 (installs the stand-in)
from senet_mm.compat import mmcv_ext, mmcv_ops
from senet_mm.compat.kernels import unsupported

# isort: split
import mmcv._ext
import mmcv.ops
import mmcv.utils
from mmcv.utils import ext_loader

from tests.compat.make_mmcv_reference import REFERENCE, WITHOUT_CPU_KERNEL
from tests.compat.mmcv_calls import Arrays
from tests.compat.mmcv_cases import CASES

COMPILED = not mmcv._ext.__file__.endswith(".py")
DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.gpu))
WITH_CPU_KERNEL = [n for n, case in CASES.items() if case.module not in WITHOUT_CPU_KERNEL]
needs_compiled = pytest.mark.skipif(not COMPILED, reason="this mmcv has no compiled ops")
needs_pure = pytest.mark.skipif(COMPILED, reason="this mmcv has compiled ops")


@pytest.fixture(scope="module")
def reference() -> dict[str, Arrays]:
    cases: dict[str, Arrays] = {name: {} for name in CASES}
    for key, array in np.load(REFERENCE).items():
        name, _, output = key.rpartition("/")
        cases[name][output] = array
    return cases


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put our ops behind mmcv's Python files, also where mmcv has its own."""
    if COMPILED:
        for module in {case.module for case in CASES.values()}:
            python_side = importlib.import_module(f"mmcv.ops.{module}")
            monkeypatch.setattr(python_side, "ext_module", mmcv_ext)


def assert_equal(found: Arrays, expected: Arrays, tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for key, array in found.items():
        other = expected[key]
        assert array.shape == other.shape, key
        assert array.dtype == other.dtype, key
        scale = np.abs(other).max(initial=0)
        np.testing.assert_allclose(array, other, rtol=0, atol=tolerance * scale, err_msg=key)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_equals_compiled_mmcv(name: str, device: str, reference, ours) -> None:
    assert_equal(CASES[name].compute(device), reference[name], CASES[name].tolerance)


@needs_compiled
@pytest.mark.parametrize("name", WITH_CPU_KERNEL if COMPILED else [])
def test_reference_is_what_this_mmcv_computes(name: str, reference) -> None:
    assert_equal(CASES[name].compute("cpu"), reference[name], CASES[name].tolerance)


def test_reference_holds_every_case(reference) -> None:
    assert all(reference.values())


@needs_compiled
@pytest.mark.parametrize("offset", [0, 1])
def test_nms_orders_equal_scores_like_compiled_mmcv(offset: int) -> None:
    """Not among the reference numbers: torch's sort decides, and may do so anew in any version."""
    rng = np.random.RandomState(0)
    corner = torch.as_tensor(rng.randint(0, 60, (500, 2))).float()
    boxes = torch.cat((corner, corner + torch.as_tensor(rng.randint(1, 20, (500, 2)))), dim=1)
    scores = torch.as_tensor(rng.randint(1, 6, 500)).float() / 5
    call = dict(iou_threshold=0.5, offset=offset)
    assert mmcv_ext.nms(boxes, scores, **call).equal(mmcv._ext.nms(boxes, scores, **call))
    dets = torch.cat((boxes, scores[:, None]), dim=1)
    assert mmcv_ext.nms_match(dets, 0.5) == mmcv._ext.nms_match(dets, 0.5)


def test_nms_with_equal_scores_keeps_one_of_each_pair(ours) -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]]).repeat(20, 1)
    dets, kept = mmcv.ops.nms(boxes, torch.full((40,), 0.5), 0.5)
    assert sorted((kept % 2).tolist()) == [0, 1]
    assert dets[:, 4].tolist() == [0.5, 0.5]


def test_weight_gradient_is_of_the_gradient_given() -> None:
    """The two calls of a backward share work, but only for the same gradient of the output."""
    x, offset, weight = torch.randn(1, 2, 5, 5), torch.randn(1, 18, 5, 5), torch.randn(3, 2, 3, 3)
    first, second = torch.randn(2, 1, 3, 5, 5)
    numbers = dict(kW=3, kH=3, dW=1, dH=1, padW=1, padH=1, dilationW=1, dilationH=1)
    numbers |= dict(group=1, deformable_group=1, im2col_step=1)

    def grad_weight(grad_output: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        result, ones = torch.zeros_like(weight), torch.empty(0)
        mmcv_ext.deform_conv_backward_parameters(
            x, offset, grad_output, result, columns, ones, scale=1, **numbers
        )
        return result

    columns = torch.empty(0)
    outputs = torch.zeros_like(x), torch.zeros_like(offset)
    mmcv_ext.deform_conv_backward_input(x, offset, first, *outputs, weight, columns, **numbers)
    assert grad_weight(second, columns).equal(grad_weight(second, torch.empty(0)))


def test_weight_gradient_alone(ours) -> None:
    layer = mmcv.ops.DeformConv2d(2, 3, 3, padding=1)
    x, offset = torch.randn(1, 2, 5, 5), torch.randn(1, 18, 5, 5)
    (alone,) = torch.autograd.grad(layer(x, offset).sum(), layer.weight)
    out = layer(x.requires_grad_(), offset)
    _, with_input = torch.autograd.grad(out.sum(), (x, layer.weight))
    torch.testing.assert_close(alone, with_input, rtol=0, atol=0)


def test_nms_takes_half_precision(ours) -> None:
    boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]]).half()
    scores = torch.tensor([0.5, 0.9, 0.7]).half()
    dets, kept = mmcv.ops.nms(boxes, scores, 0.5)
    assert kept.tolist() == [1, 2]
    assert dets.dtype == torch.float16


def test_sigmoid_focal_loss_in_half_precision_is_finite(ours) -> None:
    x = torch.tensor([[-30.0, 30.0], [30.0, -30.0]], dtype=torch.float16, requires_grad=True)
    loss = mmcv.ops.sigmoid_focal_loss(x, torch.tensor([0, 2]), 2.0, 0.25, None, "none")
    loss.sum().backward()
    assert loss.isfinite().all()
    assert x.grad.isfinite().all()


def test_sigmoid_focal_loss_gives_the_background_weight_one(ours) -> None:
    x, background = torch.randn(3, 4), torch.full((3,), 4)
    plain = mmcv.ops.sigmoid_focal_loss(x, background, 2.0, 0.25, None, "none")
    weighted = mmcv.ops.sigmoid_focal_loss(x, background, 2.0, 0.25, torch.rand(4), "none")
    torch.testing.assert_close(weighted, plain)


def test_focal_losses_refuse_targets_beyond_the_classes(ours) -> None:
    x = torch.randn(2, 3)
    with pytest.raises(ValueError, match="at most 3, found 4"):
        mmcv.ops.sigmoid_focal_loss(x, torch.tensor([0, 4]), 2.0, 0.25, None, "mean")
    with pytest.raises(ValueError, match="at most 2, found 3"):
        mmcv.ops.softmax_focal_loss(x, torch.tensor([0, 3]), 2.0, 0.25, None, "mean")


def test_roi_align_refuses_the_maximum(ours) -> None:
    layer = mmcv.ops.RoIAlign(2, pool_mode="max")
    with pytest.raises(RuntimeError, match=r"pool_mode='max'.*without compiled ops"):
        layer(torch.randn(1, 1, 4, 4), torch.tensor([[0.0, 0, 0, 3, 3]]))


def test_unsupported_op_raises_when_called() -> None:
    op = mmcv_ext.box_iou_quadri
    with pytest.raises(RuntimeError, match=r"(?s)'box_iou_quadri'.*compiled ops.*pip install"):
        op(torch.zeros(1, 8), torch.zeros(1, 8), mode_flag=0)


@needs_pure
def test_unsupported_op_of_mmcv_names_itself() -> None:
    with pytest.raises(RuntimeError, match="'box_iou_quadri' is not available"):
        mmcv.ops.box_iou_quadri(torch.zeros(1, 8), torch.zeros(1, 8))


def test_unsupported_op_names_every_one_that_is_served() -> None:
    message = str(unsupported("some_op"))
    for op in mmcv_ext.__all__:
        name = re.sub("(_naive)?_(forward|backward).*|_(im2col|col2im)_forward", "", op)
        name = {"softnms": "soft_nms", "masked": "masked_conv2d"}.get(name, name)
        assert name.startswith("get_") or re.search(rf"\b{name}(2d)?\b", message), name


def test_modulated_deform_conv_refuses_offsets_that_are_too_few(ours) -> None:
    layer = mmcv.ops.ModulatedDeformConv2d(2, 3, 3, padding=1)
    offset, mask = torch.zeros(1, 18, 4, 5), torch.zeros(1, 9, 4, 5)
    with pytest.raises(
        ValueError, match=r"at least as large as the output, \(5, 5\), found \(4, 5"
    ):
        layer(torch.zeros(1, 2, 5, 5), offset, mask)


def test_modulated_deform_conv_takes_offsets_in_any_memory_format(ours) -> None:
    layer = mmcv.ops.ModulatedDeformConv2d(2, 3, 3, padding=1, stride=2)
    x, offset, mask = torch.randn(2, 2, 8, 8), torch.randn(2, 18, 8, 8), torch.rand(2, 9, 8, 8)

    def compute(memory_format: torch.memory_format) -> tuple[torch.Tensor, ...]:
        inputs = [
            t.to(memory_format=memory_format).detach().requires_grad_() for t in (x, offset, mask)
        ]
        output = layer(*inputs)
        return output, *torch.autograd.grad(output.square().sum(), inputs)

    for found, expected in zip(
        compute(torch.channels_last), compute(torch.contiguous_format), strict=True
    ):
        torch.testing.assert_close(found, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mmcv calls the op for CUDA tensors")
def test_deformable_attention_on_cuda_is_that_on_the_cpu(ours) -> None:
    torch.manual_seed(0)
    layer = mmcv.ops.MultiScaleDeformableAttention(16, 4, 2, 3, batch_first=True).eval()
    query, value, points = torch.randn(2, 7, 16), torch.randn(2, 26, 16), torch.rand(2, 7, 2, 2)

    def compute(device: str) -> torch.Tensor:
        output = layer.to(device)(
            query.to(device),
            value=value.to(device),
            reference_points=points.to(device),
            spatial_shapes=torch.tensor([[4, 5], [2, 3]], device=device),
            level_start_index=torch.tensor([0, 20], device=device),
        )
        return output.cpu()

    torch.testing.assert_close(compute("cuda"), compute("cpu"))


def test_rotated_boxes_of_other_classes_are_not_suppressed(ours) -> None:
    boxes = torch.tensor([[10.0, 10, 8, 4, 0.3]] * 3)
    scores, labels = torch.tensor([0.5, 0.9, 0.7]), torch.tensor([0, 1, 0])
    assert mmcv.ops.nms_rotated(boxes, scores, 0.5, labels)[1].tolist() == [1, 2]
    assert mmcv.ops.nms_rotated(boxes, scores, 0.5)[1].tolist() == [1]


def test_rotated_iou_where_compiled_mmcv_is_wrong(ours) -> None:
    """It says 1/3: its convex hull leaves out a corner that lies on an edge of the other box."""
    box, inside = torch.tensor([[4.0, 4, 10, 7, 0]]), torch.tensor([[4.0, 3, 5, 7, torch.pi / 2]])
    torch.testing.assert_close(mmcv.ops.box_iou_rotated(box, inside), torch.full((1, 1), 0.5))


@pytest.mark.parametrize("name", ["__wrapped__", "__path__", "_private"])
def test_module_has_no_invented_attributes(name: str) -> None:
    assert not hasattr(mmcv_ext, name)


def test_compiler_is_not_available() -> None:
    assert mmcv_ext.get_compiler_version() == "not available"
    assert mmcv_ext.get_compiling_cuda_version() == "not available"


@needs_pure
def test_environment_report() -> None:
    report = mmcv.utils.collect_env()
    assert report["MMCV Compiler"] == report["MMCV CUDA Compiler"] == "not available"


@needs_pure
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_import_system_finds_the_module() -> None:
    spec = importlib.util.find_spec("mmcv._ext")
    assert spec.name == "mmcv._ext"
    assert Path(spec.origin) == Path(mmcv_ext.__file__)
    assert importlib.import_module("mmcv._ext") is mmcv._ext is sys.modules["mmcv._ext"]
    if hasattr(pkgutil, "find_loader"):  # until Python 3.13
        assert pkgutil.find_loader("mmcv._ext") is not None
        assert ext_loader.check_ops_exist()


def test_other_modules_are_not_ours() -> None:
    finder = mmcv_ops.ExtFinder()
    assert finder.find_spec("mmcv._extra", None) is None
    assert finder.find_spec("_ext", None) is None
    assert importlib.util.find_spec("mmcv.no_such_module") is None


def test_install_twice_adds_one_finder() -> None:
    before = list(sys.meta_path)
    mmcv_ops.install()
    assert sys.meta_path == before
    assert sum(isinstance(finder, mmcv_ops.ExtFinder) for finder in sys.meta_path) == 1


def test_install_imports_nothing_heavy() -> None:
    code = f"""
import runpy, sys
runpy.run_path({mmcv_ops.__file__!r})["install"]()
assert not {{"torch", "torchvision", "mmcv", "mmdet"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_compiled_module_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_ext.py").write_text("COMPILED = True")
    monkeypatch.setattr(mmcv, "__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "mmcv._ext")
    monkeypatch.setattr(mmcv, "_ext", mmcv._ext)  # restored when the test ends
    mmcv_ops.install()
    module = importlib.import_module("mmcv._ext")
    assert isinstance(module, types.ModuleType)
    assert module.COMPILED
    assert not hasattr(module, "nms")
