"""PASCAL VOC's folders, and flat ones with XML files beside or near their pictures."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .label_files import LabelFiles
from .records import (
    SPLIT_NAMES,
    SPLITS,
    TRAIN,
    VAL,
    LabelFolder,
    Sample,
    Split,
    is_picture,
    lone_labels,
    named_lines,
    shared_label,
)
from .voc_xml import class_names, parse_voc

KIND = "VOC"
_LABELS = ("Annotations", "annotations")
_PICTURES = ("JPEGImages", "images", "Images")
_LISTS = Path("ImageSets", "Main")
# files of ImageSets/Main and folders of flat exports
_NAMES = SPLIT_NAMES | {TRAIN: (TRAIN, "trainval")}
_SUFFIX = ".xml"


def read_voc_folder(root: Path) -> LabelFolder | None:
    """Read a VOC folder; None where it is none."""
    if not root.is_dir():
        return None
    splits = dict(_found(root))
    if not splits:
        return None
    # the test split may be elsewhere, and has no say
    used = [splits[name] for name in (TRAIN, VAL) if name in splits] or [*splits.values()]
    labels = [label for split in used for label in split.labels]
    files = LabelFiles(root)
    return LabelFolder(
        kind=KIND,
        root=root,
        classes=tuple(files.derive("classes", labels, _classes)),
        ordered=False,
        splits=splits,
        parse=parse_voc,
        files=files,
        notes=lone_labels(_without_picture(root)),
    )


def _classes(contents: Sequence[bytes]) -> list[str]:
    """The classes that label files name."""
    return sorted(set[str]().union(*map(class_names, contents)))


def _found(root: Path) -> Iterator[tuple[str, Split]]:
    folders = _pair(root)
    if folders is not None:
        labels, pictures = folders
        lists = {split: _list_of(root, split) for split in SPLITS}
        stems = _by_stem(pictures)
        if not any(lists.values()):
            yield TRAIN, _beside(labels, pictures, stems)
        for split, file in lists.items():
            if file is not None:
                yield split, _in_list(file, labels, pictures, stems)
        return
    flat = {
        split: root / name for split in SPLITS for name in _NAMES[split] if _has_labels(root / name)
    }
    if not flat and _has_labels(root):
        flat = {TRAIN: root}
    for split, folder in flat.items():
        yield split, _beside(folder, folder, _by_stem(folder))


def _pair(root: Path) -> tuple[Path, Path] | None:
    """The folders of the label files and of the pictures, where these are two."""
    labels = next((root / name for name in _LABELS if _has_labels(root / name)), None)
    if labels is None:
        return None
    # pictures may be kept elsewhere: then they are missed where VOC has them
    places = [root / name for name in _PICTURES]
    return labels, next((place for place in places if place.is_dir()), places[0])


def _has_labels(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return any(entry.name.endswith(_SUFFIX) for entry in entries)


def _list_of(root: Path, split: str) -> Path | None:
    files = [root / _LISTS / f"{name}.txt" for name in _NAMES[split]]
    return next((file for file in files if file.is_file()), None)


def _by_stem(folder: Path) -> Mapping[str, Sequence[Path]]:
    """Pictures of a folder by their names without the suffix."""
    stems = defaultdict(list)
    for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
        if is_picture(name):
            stems[Path(name).stem].append(folder / name)
    return stems


def _beside(labels: Path, pictures: Path, stems: Mapping[str, Sequence[Path]]) -> Split:
    """All pictures of a folder."""
    problems = []
    if not stems:
        problems.append(f"{pictures} has no pictures for the label files in {labels}")
    return _split(stems, stems, labels, problems)


def _in_list(
    file: Path, labels: Path, pictures: Path, stems: Mapping[str, Sequence[Path]]
) -> Split:
    names = named_lines(file)
    lone = [name for name in names if name not in stems]
    problems = []
    if lone:
        problems.append(
            f"{file}: {len(lone)} of {len(names)} names have no picture in {pictures}, first "
            f"{lone[0]} in line {names[lone[0]]}"
        )
    return _split(stems, names.keys() & stems.keys(), labels, problems)


def _split(
    stems: Mapping[str, Sequence[Path]],
    named: Iterable[str],
    labels: Path,
    problems: list[str],
) -> Split:
    samples = []
    for stem in sorted(named):
        label = labels / f"{stem}{_SUFFIX}"
        if len(stems[stem]) > 1:
            problems.append(shared_label(label, [picture.name for picture in stems[stem]]))
        samples.append(Sample(stems[stem][0].absolute(), label if label.is_file() else None))
    return Split(tuple(samples), tuple(problems))


def _without_picture(root: Path) -> list[Path]:
    """Label files without a picture."""
    folders = _pair(root)
    pairs = [folders] if folders else []
    if not pairs:
        names = [name for split in SPLITS for name in _NAMES[split]]
        flat = [root / name for name in names if _has_labels(root / name)] or [root]
        pairs = [(folder, folder) for folder in flat]
    lone: list[Path] = []
    for labels, pictures in pairs:
        stems = _by_stem(pictures)
        lone += [path for path in sorted(labels.glob(f"*{_SUFFIX}")) if path.stem not in stems]
    return lone
