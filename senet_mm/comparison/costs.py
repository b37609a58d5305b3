"""What the detectors of a comparison cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..profiling.complexity import build_detector, count_multiply_adds, count_parameters, input_size
from ..profiling.inference_cost import InferenceCost, inference_costs
from ..runs.work_dir import Run, seconds_per_iteration
from ..weights.read.sources import fetch


@dataclass(frozen=True)
class Cost:
    """What a detector costs.

    Attributes:
        parameters: Number of parameters of the whole detector.
        multiply_adds: Multiply-adds of one full-sized test image.
        inference: Time and memory of one image.
        seconds_per_iteration: Median time of a training iteration, if logged.
    """

    parameters: int
    multiply_adds: int
    inference: InferenceCost
    seconds_per_iteration: float | None


def measure_costs(runs: Mapping[str, Run]) -> tuple[dict[str, Cost], list[str]]:
    """Measure detectors by name, taking turns.

    Returns:
        The cost of each whose input size is known, and a remark on each other.
    """
    models, sizes, remarks = {}, {}, []
    for name, run in runs.items():
        try:
            sizes[name] = input_size(run.config)
        except ValueError as error:
            remarks.append(f"The cost of {name} was not measured: {error}.")
            continue
        models[name] = build_detector(run.config)
        models[name].load_state_dict(fetch(str(run.checkpoint)).state_dict, strict=False)
    counted = {name: count_multiply_adds(model, sizes[name]) for name, model in models.items()}
    inference = inference_costs(models, sizes) if models else {}
    costs = {
        name: Cost(
            parameters=count_parameters(model),
            multiply_adds=counted[name],
            inference=inference[name],
            seconds_per_iteration=seconds_per_iteration(runs[name]),
        )
        for name, model in models.items()
    }
    return costs, remarks
