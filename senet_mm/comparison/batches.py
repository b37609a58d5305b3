"""Tell of detectors that were tested in other batches: SE feels the padding of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from ..runs.config_file import preprocessor_of

_PADS = ("pad_size_divisor", "pad_value", "batch_augments")


def batches_note(configs: Mapping[str, Sequence[Config]]) -> str | None:
    """A sentence if the runs were not tested in the same batches, padded in the same way.

    Args:
        configs: Those of each detector's runs, by its name.
    """
    told = {
        name: "; ".join(dict.fromkeys(_described(config) for config in runs))
        for name, runs in configs.items()
        if runs
    }
    if len(set(told.values())) < 2:
        return None
    listed = ", ".join(f"{name} ({how})" for name, how in told.items())
    return (
        f"Not tested in the same batches: {listed}. A batch is padded to its largest image, and SE "
        "with padding='ignore' squeezes the padding too."
    )


def _described(config: Config) -> str:
    loader: Any = config.get("test_dataloader") or {}
    preprocessor = preprocessor_of(config)
    padding = [f"{key}={preprocessor[key]}" for key in _PADS if preprocessor.get(key)]
    return ", ".join([f"batch_size={loader.get('batch_size', 1)}", *padding])
