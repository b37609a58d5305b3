"""Real pictures to measure a detector on: what it finds decides what its heads cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from ..runs.data.datasets import single_test_set


def load_pictures(cfg: Config, number: int) -> list[dict[str, Any]]:
    """Batches of one picture of a config's test set, through its own pipeline.

    Args:
        cfg: The config.
        number: How many pictures, evenly spaced over the set; fewer where it has fewer.

    Returns:
        What the model's data preprocessor takes.

    Raises:
        ValueError: If there is not one test set, or a picture of it cannot be read.
    """
    with DefaultScope.overwrite_default_scope("mmdet"):
        dataset = DATASETS.build(single_test_set(cfg))
        places = np.unique(np.linspace(0, len(dataset) - 1, number).round().astype(int))
        try:
            # a broken picture is None in mmcv, which asserts that it is not
            return [pseudo_collate([dataset[int(place)]]) for place in places]
        except (OSError, AssertionError) as error:
            raise ValueError(f"a picture of its test set cannot be read ({error})") from error
