"""Run a checkpoint over its test set and record the gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from ..runs.config import inference_config
from ..runs.data.datasets import dataset_class, single_test_set
from ..runs.preflight import prepare
from .statistics import GateRecorder, GateStatistics


def record_gates(
    cfg: Config,
    checkpoint: str | Path,
    *,
    work_dir: str | Path,
    max_images: int | None = None,
    pictures: bool = True,
) -> GateStatistics:
    """Gates of every SE block over the test set of a config, by the classes in the image.

    The classes of an image are those of its annotated objects, crowds included.
    Shows a progress bar.

    Args:
        cfg: The config, which is not changed.
        checkpoint: The checkpoint.
        work_dir: Where mmengine writes its log.
        max_images: Take only the first images of the test set.
        pictures: Whether to read the headers of the test set's pictures first.

    Raises:
        FileNotFoundError, ValueError: If there is not one test data set, it is missing, empty or
            not annotated, the checkpoint does not fit, or the model has no SE block.
    """
    single_test_set(cfg)
    test_cfg = _silent(inference_config(cfg, checkpoint, work_dir), max_images)
    prepare(test_cfg, "test", pictures=pictures)
    runner = Runner.from_cfg(test_cfg)
    with GateRecorder(runner.model) as recorder:
        dataset = runner.test_dataloader.dataset
        present = _classes_per_image(dataset)
        statistics = GateStatistics(dataset.metainfo["classes"])
        with tqdm(total=len(dataset), desc="recording gates") as progress:
            runner.register_hook(_CollectHook(recorder, statistics, present, progress))
            runner.test()
    return statistics


def check_classes(cfg: Config, names: Sequence[str]) -> None:
    """Check that the test set of a config has classes of these names.

    Raises:
        ValueError: If it has not, or there is not one test set.
    """
    dataset = single_test_set(cfg)
    default = dataset_class(dataset).METAINFO["classes"]
    classes = (dataset.get("metainfo") or {}).get("classes", default)
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise ValueError(f"--classes {' '.join(unknown)}: expected some of {', '.join(classes)}")


def _silent(cfg: Config, max_images: int | None) -> Config:
    """Leave out what a test prints, its evaluation, and all but the first images."""
    cfg.log_level = "WARNING"  # lines of a log would break the progress bar
    cfg.test_evaluator = []
    if max_images is not None:
        single_test_set(cfg).indices = max_images
    return cfg


def _classes_per_image(dataset: Any) -> dict[object, set[int]]:
    """Indices of the classes that each image shows, by image id.

    Raises:
        ValueError: If there is no image, or no annotated object.
    """
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    present = {
        info["img_id"]: {instance["bbox_label"] for instance in info.get("instances", [])}
        for info in infos
    }
    if not any(present.values()):
        raise ValueError(
            f"the test set has {len(infos)} images and no annotated object: gates are grouped by "
            "the classes in an image (set test_dataloader.dataset.ann_file, or --max-images higher)"
        )
    return present


class _CollectHook(Hook):
    """Hand the gates of each batch to the statistics."""

    def __init__(
        self,
        recorder: GateRecorder,
        statistics: GateStatistics,
        present: Mapping[object, set[int]],
        progress: tqdm,
    ) -> None:
        self._recorder, self._statistics = recorder, statistics
        self._present, self._progress = present, progress

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence | None = None,
    ) -> None:
        present = [self._present[sample.img_id] for sample in outputs or ()]
        self._statistics.add(self._recorder.take(), present)
        self._progress.update(len(present))
