"""What the detectors of a comparison cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..profiling.complexity import build_detector, count_parameters
from ..profiling.inference_cost import InferenceCost, inference_costs
from ..profiling.pictures import load_pictures
from ..runs.work_dir import Run, seconds_per_iteration
from ..weights.read.sources import fetch

# of the test set: what a detector finds decides what its heads cost
_NUM_IMAGES = 8


@dataclass(frozen=True)
class Cost:
    """What a detector costs.

    Attributes:
        parameters: Number of parameters of the whole detector.
        inference: Work, time and memory of one image of the test set.
        seconds_per_iteration: Median time of a training iteration, if logged.
    """

    parameters: int
    inference: InferenceCost
    seconds_per_iteration: float | None


def measure_costs(runs: Mapping[str, Run]) -> tuple[dict[str, Cost], list[str]]:
    """Measure detectors by name, taking turns.

    Returns:
        The cost of each whose test pictures can be read, and a remark on each other.
    """
    models, batches, remarks = {}, {}, []
    for name, run in runs.items():
        try:
            batches[name] = load_pictures(run.config, _NUM_IMAGES)
        except ValueError as error:
            remarks.append(f"The cost of {name} was not measured: {error}.")
            continue
        models[name] = build_detector(run.config)
        models[name].load_state_dict(fetch(str(run.checkpoint)).state_dict, strict=False)
    inference = inference_costs(models, batches) if models else {}
    costs = {
        name: Cost(
            parameters=count_parameters(model),
            inference=inference[name],
            seconds_per_iteration=seconds_per_iteration(runs[name]),
        )
        for name, model in models.items()
    }
    return costs, remarks
