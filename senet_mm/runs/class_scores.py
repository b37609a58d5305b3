"""Collect what a classifier says of a test set, while mmengine tests it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from ..classification.errors import TOP, top_errors
from ..classification.scores import SUFFIX, Scores, read_scores, write_scores
from ..io.outputs import whole_output
from .config import inference_config
from .image_names import below, image_folders
from .preflight import prepare
from .tta import use_tta
from .work_dir import Run


class ScoresMetric(BaseMetric):
    """Top-1 and top-5 error in percent, and the scores in a file.

    Args:
        source: What is tested, for messages.
        roots: The image folders; images are named by their paths below these, and by their numbers
            where they have none.
        out_file: Where the scores go; nowhere by default.
    """

    default_prefix = "error"

    def __init__(
        self, source: str, roots: Sequence[Path] = (), *, out_file: str | None = None
    ) -> None:
        super().__init__()
        self._source = source
        self._roots = roots
        self._out_file = out_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Take up a batch of predictions.

        Raises:
            ValueError: If the scores are asked for, and an image has not one label and a score for
                each class.
        """
        for sample in data_samples:
            label, scores = sample.get("gt_label"), sample.get("pred_score")
            if label is None or scores is None or label.numel() != 1:
                if self._out_file:
                    raise ValueError(
                        "--out writes scores of images with one label each; the model gives "
                        f"{'no scores' if scores is None else 'none or several labels'}"
                    )
                continue  # of another kind of classifier, which has metrics of its own
            self.results.append((scores.float().cpu().numpy(), int(label), self._name(sample)))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The errors by name, ``top1`` and ``top5``, and the number of ``images``."""
        if not results:
            return {}
        scores, labels, images = zip(*results, strict=True)
        num_classes = len(scores[0])
        named = list((self.dataset_meta or {}).get("classes") or ())
        named += [f"class {number}" for number in range(len(named), num_classes)]
        collected = Scores(
            self._source,
            np.stack(scores),
            np.array(labels, dtype=np.int64),
            np.array(images, dtype=str),
            np.array(named, dtype=str),
        )
        if self._out_file:
            write_scores(self._out_file, collected)
        errors = top_errors(collected.scores, collected.labels)
        return {f"top{k}": error for k, error in errors.items()} | {"images": len(labels)}

    def _name(self, sample: dict) -> str:
        if sample.get("img_path") is None:
            return str(sample.get("sample_idx", len(self.results)))
        return below(Path(sample["img_path"]), self._roots).as_posix()


def collect_scores(runner: Runner, source: str, out_file: str | None = None) -> None:
    """Have a test of a classifier tell its top-1 and top-5 error, and write the scores."""
    roots = [*image_folders(runner.test_dataloader.dataset)]
    metric = ScoresMetric(source, roots, out_file=out_file)
    metric.dataset_meta = runner.test_evaluator.dataset_meta
    runner.test_evaluator.metrics.append(metric)


def plan_scores(run: Run, *, pictures: bool = True, tta: bool = False) -> Config:
    """Check a test of a run's checkpoint, and return what mmengine will run.

    Args:
        run: The run, of a classifier.
        pictures: Whether to read the headers of the pictures.
        tta: Whether to augment the images, see :func:`.tta.use_tta`.

    Raises:
        FileNotFoundError, ValueError: If the data set or checkpoint is not right, or the config
            does not say how to augment.
    """
    cfg = inference_config(run.config, run.checkpoint, run.work_dir / "test")
    prepare(cfg, "test", pictures=pictures)
    if tta:
        use_tta(cfg)
    return cfg


def make_scores(run: Run, cfg: Config, *, tta: bool = False) -> Scores:
    """Make a planned test; its scores are kept as ``WORK_DIR/{checkpoint}.npz`` (``.tta.npz``)."""
    path = Path(f"{run.results_stem(tta=tta)}{SUFFIX}")
    runner = Runner.from_cfg(cfg)
    with whole_output(path) as unfinished:
        collect_scores(runner, str(run.checkpoint), unfinished)
        runner.test()
    return read_scores(path)


def describe(metrics: dict[str, float]) -> str | None:
    """The errors of a test in a sentence; None where it has none."""
    found = {k: metrics[f"error/top{k}"] for k in TOP if f"error/top{k}" in metrics}
    errors = [f"top-{k} error {error:.2f} %" for k, error in found.items()]
    return f"{', '.join(errors)} on {metrics['error/images']:,} images" if errors else None
