"""How detectors do at one score threshold, and what they confuse, as tables."""

from __future__ import annotations

from ...coco.calibration import MIN_SCORE
from ...coco.lrp import PARTS
from ...coco.operating import RATES
from ..comparison import Comparison
from .paired_rows import Row, paired_rows
from .tables import Rows, table

_CONFUSIONS = 10  # that are shown
_SHOWN_MATRIX = 10  # classes, up to which the whole matrix is shown

ABOUT_RELIABILITY = (
    "Left: precision of detections by their score; below the line, scores are too high. Right: how "
    "many detections there are. Of the first run of a detector."
)
_ABOUT_RATES = (
    "oLRP: the least error over the score thresholds of a class, lower is better; localization is "
    "the mean of (1 - IoU) / 0.5. Precision, recall and F1: all classes together, IoU 0.5. D-ECE: "
    "mean distance of score and precision in ten bins of the score, of detections with a score of "
    f"{MIN_SCORE:g} or more."
)


def rate_rows(comparison: Comparison) -> Rows:
    """oLRP with its parts, precision, recall and F1 at two thresholds, and calibration."""
    explanation = comparison.explanation
    at = f"score {explanation.threshold:g}"
    rows = [
        *(
            Row(name if name == "oLRP" else f"oLRP: {name}", explanation.lrp, name)
            for name in PARTS
        ),
        *(Row(f"{name}, best threshold", explanation.best, name) for name in RATES),
        *(Row(f"{name}, {at}", explanation.given, name) for name in RATES),
        Row("D-ECE", explanation.calibration, "D-ECE"),
    ]
    return paired_rows(comparison, "", rows)


def about_rates(comparison: Comparison) -> str:
    """What the rates are, and the thresholds of the best F1."""
    thresholds = comparison.explanation.best_thresholds
    told = "; ".join(
        f"{name} {', '.join(f'{value:.2f}' for value in values)}"
        for name, values in zip(comparison.names, thresholds, strict=True)
    )
    return f"{_ABOUT_RATES} Score threshold of the best F1: {told}."


def confusion_rows(comparison: Comparison) -> Rows:
    """The most frequent confusions of two classes, counted for each detector's first run."""
    classes, matrices = comparison.bootstrap.classes, comparison.explanation.confusions
    total = len(classes)
    pairs = [(i, k) for i in range(total) for k in range(total) if i != k]
    most = {(i, k): max(matrix[i][k] for matrix in matrices) for i, k in pairs}
    pairs = sorted((pair for pair in pairs if most[pair]), key=lambda pair: -most[pair])
    rows = [["object", "found as", *comparison.names]]
    for i, k in pairs[:_CONFUSIONS]:
        rows.append([classes[i], classes[k], *(f"{matrix[i][k]:,}" for matrix in matrices)])
    return rows


def confusion_matrices(comparison: Comparison) -> dict[str, Rows]:
    """The whole matrix of each detector by its name; none where there are many classes."""
    classes, matrices = comparison.bootstrap.classes, comparison.explanation.confusions
    if len(classes) > _SHOWN_MATRIX:
        return {}
    labels = (*classes, "background")
    return {
        name: [
            ["object \\ found as", *classes, "missed"],
            *([label, *map(str, row)] for label, row in zip(labels, matrix, strict=True)),
        ]
        for name, matrix in zip(comparison.names, matrices, strict=True)
    }


def about_confusions(comparison: Comparison) -> str:
    """What is counted."""
    return (
        f"Detections with a score of {comparison.explanation.threshold:g} or more that overlap an "
        "object of another class by an IoU of 0.5 or more, where nothing found that object under "
        "its own; of the first run of a detector."
    )


def use_tables(comparison: Comparison) -> str:
    """All but the matrices, as Markdown."""
    confusions = confusion_rows(comparison)
    rows = [rate_rows(comparison), *([confusions] if len(confusions) > 1 else [])]
    return "\n\n".join(map(table, rows))
