"""Write a detector's file with its backbone and neck in int8, by onnxruntime's quantizer.

What the heads compute stays in float32, where scores and boxes keep their resolution. The graph is
cut at the maps that the heads read, so that calibration sees what is quantized and nothing else (of
boxes there may be none, which have no range), and joined again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from ..compat.extras import needed
from ..io.files import whole_file
from .detector import PlainDetector
from .onnx_file import save, write_onnx
from .pictures import read_picture
from .runtime import fit

_QUANTIZED = ("/backbone/", "/neck/")  # as torch's exporter names what is inside
_OPERATORS = ["Conv", "Relu", "MaxPool", "Add", "Mul", "GlobalAveragePool"]
_LAYERS = ("Conv", "Gemm", "MatMul")
_COMPARED = 8  # pictures on which maps are compared


@dataclass(frozen=True)
class Quantized:
    """What was quantized, and by how much it changed.

    Attributes:
        layers: Convolutions with weights in int8.
        all_layers: Convolutions and matrix products of the whole file.
        pictures: How many gave the ranges.
        errors: Of each map that the heads read: the norm of its error over its own norm, the mean
            over some of these pictures.
    """

    layers: int
    all_layers: int
    pictures: int
    errors: tuple[float, ...]

    def __str__(self) -> str:
        errors = ", ".join(f"{error:.1%}" for error in self.errors)
        return (
            f"{self.layers} of {self.all_layers} layers in int8, ranges of {self.pictures} "
            f"pictures; relative error of the maps that the heads read: {errors}"
        )


def write_int8(
    detector: PlainDetector,
    path: Path,
    *,
    size: tuple[int, int] | None,
    description: Mapping[str, Any],
    pictures: Sequence[Path],
) -> Quantized:
    """Trace a detector, quantize its backbone and neck, and write it whole or not at all.

    Args:
        detector: In eval mode, on the CPU, in float32.
        path: Where to.
        size: Height and width of the pictures it will take; None for any.
        description: What goes into the metadata, as JSON.
        pictures: Such as it will see: the largest and smallest values of each map on these become
            the ends of its 256 steps.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        ValueError: If a picture cannot be read.
    """
    onnx = needed("onnx")
    with TemporaryDirectory() as folder, whole_file(path) as unfinished:
        whole, features, heads, int8 = (
            str(Path(folder) / f"{name}.onnx") for name in ("whole", "features", "heads", "int8")
        )
        write_onnx(detector, Path(whole), size=size, description=description)
        model = onnx.load(whole)
        maps = maps_of_heads(model)
        outputs = [one.name for one in model.graph.output]
        onnx.utils.extract_model(whole, features, ["image"], maps)
        onnx.utils.extract_model(whole, heads, ["image", *maps], outputs)
        _quantize(features, int8, maps, _inputs(pictures, description))
        few = pictures[:: -(-len(pictures) // _COMPARED)]
        errors = _errors(features, int8, _inputs(few, description, quiet=True))
        _join(model, onnx.load(int8), onnx.load(heads))
        save(model, unfinished, description)
    layers = [node for node in model.graph.node if node.op_type in _LAYERS]
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    small = [node for node in layers if made_by.get(node.input[1]) == "DequantizeLinear"]
    return Quantized(len(small), len(layers), len(pictures), errors)


def maps_of_heads(model: Any) -> list[str]:
    """Names of what the backbone or the neck makes and others read."""
    made = {
        name: None
        for node in model.graph.node
        if node.name.startswith(_QUANTIZED) and node.op_type != "Constant"
        for name in node.output
    }
    read = {
        name
        for node in model.graph.node
        if not node.name.startswith(_QUANTIZED)
        for name in node.input
    }
    return [name for name in made if name in read]


def _quantize(
    source: str, target: str, maps: Sequence[str], inputs: Iterable[dict[str, np.ndarray]]
) -> None:
    """Quantize the backbone and the neck of a graph that ends with their maps."""
    quantization: Any = needed("onnxruntime.quantization")
    quantization.quant_pre_process(source, source, skip_symbolic_shape=True)
    nodes = [
        node.name
        for node in needed("onnx").load(source).graph.node
        if node.name.startswith(_QUANTIZED)
        # the quantizer would cut off the negative values of a map that the heads read too
        and not (node.op_type == "Relu" and node.input[0] in maps)
    ]
    quantization.quantize_static(
        source,
        target,
        _Reader(iter(inputs)),
        per_channel=True,
        reduce_range=True,  # 7 bits of weights: without VNNI, x86 sums products in 16 bits
        activation_type=quantization.QuantType.QUInt8,
        op_types_to_quantize=_OPERATORS,
        nodes_to_quantize=nodes,
    )


class _Reader:
    """A ``CalibrationDataReader``."""

    def __init__(self, inputs: Iterator[dict[str, np.ndarray]]) -> None:
        self._inputs = inputs

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._inputs, None)


def _inputs(
    pictures: Sequence[Path], description: Mapping[str, Any], *, quiet: bool = False
) -> Iterator[dict[str, np.ndarray]]:
    """What a graph reads, of each picture."""
    for path in tqdm(pictures, desc="calibration", unit="picture", disable=quiet, leave=False):
        yield dict(image=fit(read_picture(path), dict(description))[0])


def _errors(
    exact: str, quantized: str, inputs: Iterable[dict[str, np.ndarray]]
) -> tuple[float, ...]:
    """The relative error of each output, the mean over some inputs."""
    onnxruntime: Any = needed("onnxruntime")
    sessions = [
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in (exact, quantized)
    ]
    shares = [
        [
            float(np.linalg.norm(other - one) / np.linalg.norm(one))
            for one, other in zip(*(session.run(None, each) for session in sessions), strict=True)
        ]
        for each in inputs
    ]
    return tuple(np.mean(shares, axis=0).tolist())


def _join(whole: Any, features: Any, heads: Any) -> None:
    """Make of a whole graph its two parts, one after the other."""
    # both may read one zero bias, which has become another number in the one
    needed("onnx.compose").add_prefix(
        heads, "heads.", rename_nodes=False, rename_edges=False, rename_inputs=False,
        rename_outputs=False, rename_value_infos=False, inplace=True,
    )  # fmt: skip
    made = {name for node in features.graph.node for name in node.output}
    others = [node for node in heads.graph.node if not made.issuperset(node.output)]
    weights = {one.name: one for part in (features, heads) for one in part.graph.initializer}
    nodes = [*features.graph.node, *others]
    read = {name for node in nodes for name in node.input}
    for field, content in (
        (whole.graph.node, nodes),
        (whole.graph.initializer, [one for name, one in weights.items() if name in read]),
        (whole.graph.value_info, []),
        (whole.opset_import, [*features.opset_import]),
    ):
        del field[:]
        field.extend(content)
