"""Backbone and neck in int8, the heads as torch has them; SE costs no more than the plain net."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from senet_mm.export.detector import PlainDetector
from senet_mm.export.int8 import Quantized, maps_of_heads, write_int8
from senet_mm.export.pictures import read_picture
from senet_mm.export.runtime import fit
from senet_mm.profiling.complexity import build_detector
from tests.export.nets import scene, small_config, small_detector

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.slow
ABOUT = dict(scale=[160, 112], keep_ratio=True, size=None, fill=[104, 116, 124])
# of ResNet-18 with SE and of the FPN, whose fifth map FCOS convolves
LAYERS = dict(mask=20 + 16 + 8, fcos=20 + 16 + 8)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"{seed}.png" for seed in range(6)]
    for seed, path in enumerate(paths):
        cv2.imwrite(str(path), scene(90 + 10 * seed, 130, seed))
    return paths


def written(
    path: Path, detector: PlainDetector, pictures: list[Path], size: tuple[int, int] | None = None
) -> Quantized:
    about = ABOUT | dict(size=size)
    return write_int8(detector.eval(), path, size=size, description=about, pictures=pictures)


def with_maps(path: Path) -> Callable[[np.ndarray], tuple[list[np.ndarray], list[np.ndarray]]]:
    """A function of a picture: the file's outputs, and the maps that its heads read."""
    model = onnx.load(str(path))
    maps = maps_of_heads(model)
    outputs = [one.name for one in model.graph.output]
    kind = onnx.TensorProto.FLOAT
    model.graph.output.extend(onnx.helper.make_tensor_value_info(n, kind, None) for n in maps)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )

    def run(picture: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        found = session.run(outputs, dict(image=picture))
        seen = session.run(maps, dict(image=picture))
        return found, sorted(seen, key=lambda one: -one.size)

    return run


def relative(maps: list[np.ndarray], exact: tuple[Tensor, ...]) -> list[float]:
    return [
        float(np.linalg.norm(one - other.numpy()) / other.norm())
        for one, other in zip(maps, exact, strict=True)
    ]


@pytest.mark.parametrize(("kind", "size"), [("mask", None), ("fcos", (96, 128))])
@torch.no_grad()
def test_heads_make_of_int8_maps_what_torch_makes(
    kind: str, size: tuple[int, int] | None, pictures: list[Path], tmp_path: Path
) -> None:
    path, detector = tmp_path / "net.onnx", PlainDetector(small_detector(kind, se=True))
    quantized = written(path, detector, pictures, size)
    assert quantized.layers == LAYERS[kind] < quantized.all_layers and quantized.pictures == 6
    run, errors = with_maps(path), []
    seen = [read_picture(path) for path in pictures]
    for picture in seen if size else [*seen, scene(160, 97, seed=7)]:
        picture, _ = fit(picture, ABOUT | dict(size=size))
        found, maps = run(picture)
        model = small_detector(kind, se=True)
        exact = PlainDetector(model).eval()
        errors.append(
            relative(maps, model.extract_feat(exact._prepared(torch.from_numpy(picture))))
        )
        model.extract_feat = lambda _, maps=maps: tuple(map(torch.from_numpy, maps))
        for one, other in zip(found, exact(torch.from_numpy(picture)), strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=5e-3)
    np.testing.assert_allclose(np.mean(errors[:6], axis=0), quantized.errors, rtol=1e-3)
    assert np.max(errors) < 0.1


@torch.no_grad()
def test_errors_are_those_of_the_plain_net(
    pictures: list[Path], tmp_path: Path, randomize: Callable[[nn.Module], nn.Module]
) -> None:
    def quantized(se: bool) -> Quantized:
        cfg = small_config("retina", se=se)  # in bottlenecks the squeeze has an order of its own
        cfg.model.backbone.depth = 50
        cfg.model.neck.in_channels = [64, 128, 256, 512]
        detector = build_detector(cfg)
        randomize(detector.backbone)
        return written(tmp_path / "net.onnx", PlainDetector(detector), pictures)

    ours, plain = quantized(True), quantized(False)
    assert all(0 < error < 0.1 for error in (*ours.errors, *plain.errors))
    assert np.mean(ours.errors) < 2 * np.mean(plain.errors)
    assert plain.layers == 53 + 8 and ours.layers >= plain.layers + 2 * 16
