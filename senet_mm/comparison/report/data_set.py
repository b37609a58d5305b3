"""What is in a data set, as text and as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ...coco.annotations import Annotations
from ...coco.census import OVERLAP, SIZES, Census, census
from ...io.tables import escape
from ...runs.data.layouts.records import TEST
from ...runs.data.layouts.survey import Survey, SurveyedSplit
from .gallery import inside, object_drawings
from .page import data_url, template
from .pictures import draw_panels
from .tables import Rows, table

_TEMPLATE = "data_set.html.j2"
_FEW = 20  # broken entries that are listed openly
_MOST_LISTED = 1000  # of the page
_MANY = 30  # classes whose table is folded
ABOUT = (
    f"Overlapping: another object of the picture covers it by an IoU of {OVERLAP:g} or more. "
    "Ignored: crowds, and objects that VOC calls difficult, which count for nothing. Small is up "
    "to 32 x 32 pixels, large from 96 x 96 on, as COCO has it."
)


def title(survey: Survey) -> str:
    """The kind of a data set, and where it is."""
    return f"{survey.root}: a {survey.kind} data set"


def verdict(survey: Survey) -> str:
    """One sentence on what there is, and whether it can be used."""
    parts = [
        f"{len(split.annotations.image_ids) if split.annotations else 0} pictures in {split.name}"
        for split in survey.splits
    ]
    broken = [f"{len(one.problems)} in {one.name}" for one in survey.splits if one.problems]
    refused = any(split.problems for split in survey.splits if split.name != TEST)
    state = f"broken: {', '.join(broken)}" if broken else "nothing is broken"
    return f"{', '.join(parts)}; {state}{' (training refuses it)' if refused else ''}."


def text(survey: Survey) -> str:
    """The report as Markdown."""
    counted = _counted(survey)
    parts = [escape(title(survey)), escape(verdict(survey))]
    if counted:
        parts += [table(split_rows(counted)), table(class_rows(counted))]
        parts.append(escape(ABOUT))
    problems = _problems(survey)
    if problems:
        shown = [f"- {escape(problem)}" for problem in problems[:_FEW]]
        more = len(problems) - len(shown)
        parts.append("\n".join(["Broken:", *shown, *([f"- and {more} more"] if more else [])]))
    notes = [f"- {escape(note)}" for note in _notes(survey)]
    if notes:
        parts.append("\n".join(["Notes:", *notes]))
    return "\n\n".join(parts)


def html(survey: Survey, *, num_images: int, seed: int) -> str:
    """The report as a page that needs no other file, with sample pictures.

    Args:
        survey: What was found.
        num_images: Pictures of each split.
        seed: Which of them.
    """
    counted = _counted(survey)
    return template(_TEMPLATE).render(
        title=title(survey),
        verdict=verdict(survey),
        splits=split_rows(counted) if counted else None,
        classes=class_rows(counted),
        many=_MANY,
        about=ABOUT,
        problems=_problems(survey)[:_MOST_LISTED],
        few=_FEW,
        notes=_notes(survey),
        samples={
            split.name: _samples(split, file, counts, num_images, seed)
            for split, file, counts in counted
        },
    )


_Counted = list[tuple[SurveyedSplit, Annotations, Census]]


def _counted(survey: Survey) -> _Counted:
    return [
        (split, split.annotations, census(split.annotations))
        for split in survey.splits
        if split.annotations is not None
    ]


def split_rows(counted: _Counted) -> Rows:
    """A row for each split."""
    header = ["split", "pictures", "without objects", "width x height", "objects"]
    header += ["in a picture", "overlapping", "twice the same", "ignored"]
    rows = [header]
    for split, file, counts in counted:
        total = int(counts.per_class.sum())
        rows.append(
            [
                split.name,
                str(len(counts.per_image)),
                str(int((counts.per_image == 0).sum())),
                _sizes(file.image_sizes),
                str(total),
                f"{np.median(counts.per_image):g} (at most {counts.per_image.max()})",
                _share(counts.num_overlapping, total),
                str(counts.num_repeated),
                str(counts.num_crowds),
            ]
        )
    return rows


def _sizes(sizes: np.ndarray) -> str:
    if not np.isfinite(sizes).all():
        return "not all told"
    low, high = sizes.min(axis=0).astype(int), sizes.max(axis=0).astype(int)
    one = f"{low[0]} x {low[1]}"
    return one if (low == high).all() else f"{one} to {high[0]} x {high[1]}"


def class_rows(counted: _Counted) -> Rows:
    """A row for each class, in the order of the labels."""
    names = list(dict.fromkeys(name for _, one, _ in counted for name in one.classes))
    header = ["class"]
    for split, _, _ in counted:
        header += [f"objects in {split.name}", "pictures"]
    rows = [[*header, *SIZES]]
    for name in names:
        row, sizes = [name], np.zeros(len(SIZES), dtype=int)
        for _, file, counts in counted:
            own = [k for k, one in enumerate(file.evaluated_classes) if one == name]
            row += [str(counts.per_class[own].sum()), str(counts.images_of_class[own].sum())]
            sizes += counts.sizes[own].sum(axis=0)
        rows.append([*row, *(_share(number, sizes.sum()) for number in sizes)])
    return rows


def _share(number: int, total: int) -> str:
    return f"{100 * number / total:.0f} %" if total else "-"


def _problems(survey: Survey) -> list[str]:
    return [problem for split in survey.splits for problem in split.problems]


def _notes(survey: Survey) -> list[str]:
    return [*survey.notes, *(note for split in survey.splits for note in split.notes)]


def _samples(
    split: SurveyedSplit, annotations: Annotations, counts: Census, number: int, seed: int
) -> list[dict[str, str]]:
    """Pictures of a split with their objects; one that cannot be read is left out."""
    samples = []
    for image in _choose(annotations, counts, number, seed):
        name = annotations.file_names[image]
        drawings = object_drawings(annotations, image, crowds=True)
        try:
            picture = draw_panels(inside(split.image_dir, name), {Path(name).name: drawings})
        except (OSError, ValueError, cv2.error):
            continue  # it is among what is broken
        samples.append(dict(source=data_url(picture), caption=f"{name}: {len(drawings)} objects"))
    return samples


def _choose(annotations: Annotations, counts: Census, number: int, seed: int) -> Sequence[int]:
    """The fullest picture, one of each class, the rarest first, and others by chance."""
    objects, shuffled = annotations.objects, np.random.default_rng(seed)
    chosen = dict.fromkeys([int(counts.per_image.argmax())])
    for category in np.argsort(counts.images_of_class, kind="stable"):
        having = np.unique(objects.image[objects.category == category])
        if having.size and not set(having.tolist()) & chosen.keys():
            chosen[int(shuffled.choice(having))] = None
    chosen |= dict.fromkeys(shuffled.permutation(len(counts.per_image)).tolist())
    return list(chosen)[:number]
