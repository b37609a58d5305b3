"""How a pass is run: as it is, compiled, as a CUDA graph, or exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

EAGER, COMPILED, GRAPH, ONNX = EXECUTIONS = ("eager", "compiled", "cuda-graph", "onnx")


def prepared(execution: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    """What is called in a step: the function, or what torch.compile makes of it."""
    return torch.compile(forward) if execution == COMPILED else forward


def recorded(execution: str, step: Callable[[], None]) -> Callable[[], None]:
    """The step, or the replay of its kernels without Python in between."""
    if execution != GRAPH:
        return step
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # libraries choose their kernels before the capture
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay(*, _step: Callable[[], None] = step) -> None:
        graph.replay()  # it reads the memory of the step's net and images, which must live on

    return replay


def forget_compiled() -> None:
    """Drop what was compiled before: of one class's code only some variants are kept."""
    torch._dynamo.reset()
