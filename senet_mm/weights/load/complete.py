"""Whether a state dict has all that a model needs."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def check_complete(weights: Mapping[str, Tensor], model: Mapping[str, Tensor], source: str) -> None:
    """Check that a state dict has every tensor of a model, in its shape.

    mmengine loads what fits and only logs the rest, so a checkpoint of another
    architecture would be evaluated with random weights.

    Args:
        weights: What the checkpoint has.
        model: The model's own state dict.
        source: The checkpoint's name.

    Raises:
        ValueError: Counting and naming the tensors that are missing or differ.
    """
    weights = {key.removeprefix("module."): tensor for key, tensor in weights.items()}
    missing = [key for key in model if key not in weights]
    differ = [key for key in model if key in weights and weights[key].shape != model[key].shape]
    if missing or differ:
        first = f"{missing[0]} is missing" if missing else _difference(differ[0], weights, model)
        raise ValueError(
            f"checkpoint {source} does not fit the config: of {len(model)} tensors {len(missing)} "
            f"are missing and {len(differ)} have another shape ({first}). Use the config that was "
            "saved with the checkpoint"
        )


def _difference(key: str, weights: Mapping[str, Tensor], model: Mapping[str, Tensor]) -> str:
    return f"{key} is {tuple(weights[key].shape)}, expected {tuple(model[key].shape)}"
