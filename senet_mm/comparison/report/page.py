"""A comparison as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

import cv2

from ..comparison import Comparison
from . import plots
from .gallery import SHOWN_SCORE, Exhibit
from .tables import Rows, class_rows, difference_rows, metrics_rows, notes, verdicts

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 70rem;
  padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid #ddd; }
.verdict { font-size: 1.15rem; background: #f2f6fa; border-left: 4px solid #0072B2;
  padding: .6rem 1rem; margin: .8rem 0; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #e6e6e6;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { border-bottom: 2px solid #bbb; }
.wide { overflow-x: auto; }
figure { margin: 1.2rem 0; }
figure svg, figure img { max-width: 100%; height: auto; }
figcaption, .notes { color: #555; font-size: .9rem; }
details summary { cursor: pointer; color: #0072B2; }
"""


def html(comparison: Comparison, exhibits: Mapping[str, Sequence[Exhibit]]) -> str:
    """The page: verdict, tables, plots, gallery and notes; it needs no other file.

    Args:
        comparison: The comparison.
        exhibits: Images of the gallery by the detector that is set against the baseline.
    """
    title = " against ".join(reversed(comparison.names))
    body = [f"<h1>{escape(title)}</h1>"]
    body += [f'<p class="verdict">{escape(verdict)}</p>' for verdict in verdicts(comparison)]
    body += ["<h2>Metrics and cost</h2>", _table(metrics_rows(comparison))]
    body.append("<h2>Differences</h2>")
    body.append(
        _figure(
            plots.plot_differences(comparison),
            "Difference to the baseline with its interval. Filled: the interval leaves 0 out.",
        )
    )
    body += [_table(rows) for rows in difference_rows(comparison)]
    body.append("<h2>Precision and recall</h2>")
    body.append(
        _figure(
            plots.plot_precision_recall(comparison),
            "Mean over the classes, up to 100 detections an image; of the first run of a detector.",
        )
    )
    body += [
        "<h2>Classes</h2>",
        _figure(plots.plot_classes(comparison), _about_classes(comparison)),
    ]
    body.append(f"<details><summary>Table</summary>{_table(class_rows(comparison))}</details>")
    cost, training = plots.plot_cost(comparison), plots.plot_training(comparison)
    if cost:
        body += ["<h2>AP against cost</h2>", _figure(cost, "AP with its interval.")]
    if training:
        body += ["<h2>Training</h2>", _figure(training, "From the logs of the runs.")]
    body += _gallery(comparison, exhibits)
    body.append('<h2>Notes</h2><ul class="notes">')
    body += [f"<li>{escape(note)}</li>" for note in notes(comparison)]
    body += [f"<li>{escape(line)}</li>" for line in _sources(comparison)]
    body.append("</ul>")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _about_classes(comparison: Comparison) -> str:
    told = (
        "AP of each class, as a difference to the baseline with its interval, largest gain first."
    )
    chance = (1 - comparison.bootstrap.confidence) * len(comparison.bootstrap.classes)
    if chance < 1:
        return told
    return f"{told} About {chance:.0f} of these intervals leave 0 out by chance alone."


def _gallery(comparison: Comparison, exhibits: Mapping[str, Sequence[Exhibit]]) -> list[str]:
    baseline, body = comparison.names[0], []
    for name, images in exhibits.items():
        body.append(f"<h2>Where {escape(name)} and {escape(baseline)} differ most</h2>")
        body.append(f'<p class="notes">Boxes with a score of {SHOWN_SCORE:g} or more.</p>')
        for exhibit in images:
            better, change = (name, "lower") if exhibit.effect > 0 else (baseline, "higher")
            caption = (
                f"{exhibit.file_name} speaks for {better}: without it the difference in AP would "
                f"be {100 * abs(exhibit.effect):.2f} points {change}."
            )
            body.append(_figure(_image(exhibit, caption), caption))
    return body


def _image(exhibit: Exhibit, text: str) -> str:
    _, jpeg = cv2.imencode(".jpg", exhibit.picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    data = base64.b64encode(jpeg.tobytes()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(text)}">'


def _figure(content: str, caption: str) -> str:
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def _sources(comparison: Comparison) -> list[str]:
    return [f"{detector.name}: {', '.join(detector.sources)}" for detector in comparison.detectors]


def _table(rows: Rows) -> str:
    header, *cells = rows
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = [
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells
    ]
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
