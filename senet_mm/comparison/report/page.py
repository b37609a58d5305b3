"""A comparison as one self-contained HTML page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from PIL import Image

from ..comparison import Comparison
from . import plots, use, why, why_plots
from .gallery import SHOWN_SCORE, Exhibit
from .sentences import about_classes, about_power, notes, title, verdicts
from .tables import class_rows, difference_rows, metrics_rows, power_rows

_TEMPLATE = "page.html.j2"
_ABOUT_DIFFERENCES = (
    "Difference to the baseline with its interval. Filled: the interval leaves 0 out."
)
_SMALL = "Small: on too few images for an interval."
_MOST_INTERVALS = 100  # in a plot that is open; more would be most of the page


def html(comparison: Comparison, exhibits: Mapping[str, Sequence[Exhibit]]) -> str:
    """The page: verdict, tables, plots, gallery and notes; it needs no other file.

    Args:
        comparison: The comparison.
        exhibits: Images of the gallery by the detector that is set against the baseline.
    """
    shapes = "Masks" if comparison.iou_type == "segm" else "Boxes"
    page = template(_TEMPLATE).render(
        title=title(comparison),
        verdicts=verdicts(comparison),
        metrics=metrics_rows(comparison),
        differences=difference_rows(comparison),
        classes=class_rows(comparison),
        about_classes=f"{about_classes(comparison)} {_SMALL}",
        many_classes=len(comparison.bootstrap.classes) * len(comparison.names[1:])
        > _MOST_INTERVALS,
        plots=dict(
            differences=plots.plot_differences(comparison),
            precision_recall=plots.plot_precision_recall(comparison),
            classes=plots.plot_classes(comparison),
            cost=plots.plot_cost(comparison),
            training=plots.plot_training(comparison),
        ),
        power=power_rows(comparison) if comparison.needed else None,
        about_differences=f"{_ABOUT_DIFFERENCES} {_SMALL}",
        about_power=about_power(),
        why=_why(comparison),
        use=_use(comparison),
        baseline=comparison.names[0],
        about_gallery=f"{shapes} with a score of {SHOWN_SCORE:g} or more.",
        gallery={
            name: [
                dict(source=data_url(exhibit.picture), caption=_caption(exhibit, name, comparison))
                for exhibit in shown
            ]
            for name, shown in exhibits.items()
        },
        notes=[*notes(comparison), *_sources(comparison)],
    )
    return page + "\n"


def template(name: str) -> Template:
    """A template of this folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _why(comparison: Comparison) -> dict[str, Any]:
    return dict(
        sentences=why.why_sentences(comparison),
        errors=why.error_rows(comparison),
        sizes=why.error_size_rows(comparison),
        classes=why.error_class_rows(comparison),
        frequency=why.frequency_rows(comparison),
        slices=why.slice_rows(comparison),
        plot=why_plots.plot_errors(comparison),
        about_errors=why.ABOUT_ERRORS,
        about_classes=why.ABOUT_CLASSES,
    )


def _use(comparison: Comparison) -> dict[str, Any]:
    return dict(
        rates=use.rate_rows(comparison),
        confusions=use.confusion_rows(comparison),
        matrices=use.confusion_matrices(comparison),
        plot=why_plots.plot_reliability(comparison),
        about_rates=use.about_rates(comparison),
        about_reliability=use.ABOUT_RELIABILITY,
        about_confusions=use.about_confusions(comparison),
    )


def _caption(exhibit: Exhibit, name: str, comparison: Comparison) -> str:
    better, change = (name, "lower") if exhibit.effect > 0 else (comparison.names[0], "higher")
    return (
        f"{exhibit.file_name} speaks for {better}: without it the difference in AP would "
        f"be {100 * abs(exhibit.effect):.2f} points {change}."
    )


def data_url(picture: np.ndarray) -> str:
    """A picture, (height, width, 3) in RGB order, as a URL that holds it."""
    jpeg = io.BytesIO()
    Image.fromarray(picture).save(jpeg, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"


def _sources(comparison: Comparison) -> list[str]:
    return [f"{detector.name}: {', '.join(detector.sources)}" for detector in comparison.detectors]
