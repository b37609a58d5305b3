"""A comparison that was never made."""

from __future__ import annotations

from pathlib import Path

from senet_mm.coco.bootstrap import Bootstrap
from senet_mm.coco.metrics import METRICS
from senet_mm.comparison.comparison import Comparison, Detector
from senet_mm.comparison.costs import Cost
from senet_mm.paper import detection_row_of
from senet_mm.profiling.inference_cost import InferenceCost
from senet_mm.statistics.estimate import Estimate
from senet_mm.statistics.variance import Sources, Trainings


def comparison(*, low: float, high: float, seeds: int = 1) -> Comparison:
    """AP 38.0 against 40.4; no large objects; one class without any, and one in three images.

    With two seeds or more they are over trainings too.
    """
    cost = Cost(25_600_000, InferenceCost(3_860_000_000, 5_000_000, 0.1, 0.002, 8, 9, "cpu"), None)
    detectors = tuple(
        Detector(name, ("run",) * count, (), cost, detection_row_of(config), {}, ())
        for name, count, config in (
            ("plain", seeds, "faster_rcnn_r50_fpn"),
            ("se", seeds, "faster_rcnn_se_r50_fpn"),
        )
    )
    values = [dict.fromkeys(METRICS, ap) | {"APl": None} for ap in (0.38, 0.404)]
    estimates = [
        {n: Estimate(v, v and v - 0.01, v and v + 0.01, num_images=4952) for n, v in one.items()}
        for one in values
    ]
    trainings = None
    if seeds > 1:
        sources = Sources(trainings=4e-4, images=1e-5, both=1e-4)
        trainings = Trainings((seeds, seeds), False, 0.64, sources, 0.015, 0.025, 0.002)
    difference = Estimate(0.024, low, high, p_value=0.002, num_images=4952, trainings=trainings)
    classes = ("cat", "dog", "emu")
    own = [
        (Estimate(cat, num_images=33), Estimate(None, num_images=0), Estimate(emu, num_images=3))
        for cat, emu in ((0.3, 0.1), (0.5, 0.12))
    ]
    cat = Estimate(0.2, 0.1, 0.3, p_value=0.0005, num_images=33, adjusted_p_value=0.04)
    result = Bootstrap(
        classes=classes,
        run_metrics=((values[0], values[1])[:seeds], (values[1], values[0])[:seeds]),
        metrics=tuple(estimates),
        class_precision=tuple(own),
        differences=(dict.fromkeys(METRICS, difference) | {"APl": Estimate(None)},),
        class_differences=((cat, Estimate(None, num_images=0), Estimate(0.02, num_images=3)),),
        num_resamples=1000,
        confidence=0.95,
        seed=0,
    )
    explanation = None  # no part of these tables and sentences
    return Comparison(Path("a/val.json"), "bbox", 5000, 36781, detectors, result, explanation)
