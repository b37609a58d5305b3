"""YOLO's folders: ``data.yaml`` names classes and pictures, ``labels/`` stands for ``images/``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from .label_files import LabelFiles
from .records import (
    SPLIT_NAMES,
    SPLITS,
    TRAIN,
    LabelFolder,
    Sample,
    Split,
    is_picture,
    lone_labels,
    named_lines,
    pictures_below,
    shared_label,
)
from .yolo_labels import parse_yolo

KIND = "YOLO"
SUFFIXES = (".yaml", ".yml")
_FIRST = tuple(f"{name}{suffix}" for name in ("data", "dataset") for suffix in SUFFIXES)
_NAME_FILES = ("classes.txt", "labels/classes.txt", "obj.names")


def read_yolo_folder(root: Path) -> LabelFolder | None:
    """Read a YOLO folder, or the YAML file of one; None where it is none.

    Raises:
        ValueError: If its YAML file is not as ultralytics reads it.
    """
    if not root.is_dir() and root.suffix not in SUFFIXES:
        return None
    file = _yaml_of(root) if root.is_dir() else root
    if file is not None:
        data = _load(file)
        classes, base = _classes(file, data), _base(file, data)
        given = {split: _first(data, SPLIT_NAMES[split]) for split in SPLITS}
        splits = {
            split: _listed(file, split, value, base) for split, value in given.items() if value
        }
        if not splits:
            raise ValueError(
                f"{file} names no pictures: expected train: and val:, folders or lists"
            )
    else:
        names = next((root / name for name in _NAME_FILES if (root / name).is_file()), None)
        if names is None or not (root / "labels").is_dir() or not (root / "images").is_dir():
            return None
        file, base = names, root
        lines = names.read_text(encoding="utf-8-sig").splitlines()
        classes = _unique(names, [line.strip() for line in lines if line.strip()])
        splits = dict(_folders(root / "images"))
    folder = file.parent if file.suffix in SUFFIXES else base
    return LabelFolder(
        kind=KIND,
        root=folder,
        classes=classes,
        ordered=True,
        splits=splits,
        parse=partial(parse_yolo, classes=classes),
        files=LabelFiles(folder),
        notes=lone_labels(_without_picture(splits.values())),
    )


def _yaml_of(root: Path) -> Path | None:
    """The YAML file of a folder that names classes."""
    first = next((root / name for name in _FIRST if (root / name).is_file()), None)
    if first is not None:
        return first
    files = [path for path in sorted(root.iterdir()) if path.suffix in SUFFIXES and path.is_file()]
    files = [path for path in files if _is_data_set(path)]
    if len(files) > 1:
        raise ValueError(
            f"{root} has several data sets, {', '.join(path.name for path in files)}: give one of "
            f"them, as {files[0]}"
        )
    return files[0] if files else None


def _load(file: Path) -> dict[Any, Any]:
    try:
        return _loaded(file)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no YAML file: {error}") from error


def _loaded(file: Path) -> dict[Any, Any]:
    data = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    return data if isinstance(data, dict) else {}


def _is_data_set(file: Path) -> bool:
    try:
        return {"names", "train"} <= _loaded(file).keys()
    except (yaml.YAMLError, UnicodeDecodeError):
        return False  # a file of something else


def _classes(file: Path, data: Mapping[Any, Any]) -> tuple[str, ...]:
    names = data.get("names")
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise ValueError(
                f"{file}: names has the keys {list(names)!s:.60}; expected 0 to {len(names) - 1}"
            )
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not names:
        raise ValueError(
            f"{file}: names is {names!r:.40}; expected a list of names, or one by number"
        )
    for index, name in enumerate(names):
        # YAML reads no, off and null as something else
        if not isinstance(name, (str, int)) or isinstance(name, bool):
            raise ValueError(f"{file}: the name of class {index} is {name!r}: put it in quotes")
    number = data.get("nc")
    if number is not None and number != len(names):
        raise ValueError(f"{file}: nc is {number}, but there are {len(names)} names")
    if data.get("kpt_shape") is not None:
        raise ValueError(f"{file} has kpt_shape: labels of keypoints are not read, boxes are")
    return _unique(file, [str(name) for name in names])


def _unique(file: Path, names: Sequence[str]) -> tuple[str, ...]:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated or not names:
        problem = f"{repeated[0]!r} more than once" if repeated else "no names"
        raise ValueError(f"{file} has {problem}; expected each class once")
    return tuple(names)


def _base(file: Path, data: Mapping[Any, Any]) -> Path:
    """The folder that the other paths start from; ``path`` may be of another machine."""
    path = file.parent / str(data.get("path") or "")
    return path if path.is_dir() else file.parent


def _first(data: Mapping[Any, Any], keys: Sequence[str]) -> Any:
    return next((data[key] for key in keys if data.get(key)), None)


def _listed(file: Path, split: str, value: Any, base: Path) -> Split:
    """The pictures that a key names: a folder, a list in a file, or several of these."""
    problems: list[str] = []
    pictures: list[Path] = []
    for name in value if isinstance(value, list) else [value]:
        place = _place(base, str(name))
        if place is None:
            problems.append(f"{file}: {split}: {name} is not there, below {base}")
        elif place.is_dir():
            pictures += pictures_below(place)
        else:
            pictures += _in_list(place, base, problems)
    if not pictures and not problems:
        problems.append(f"{file}: {split}: {value!s:.80} has no pictures")
    return _split(pictures, problems)


def _place(base: Path, name: str) -> Path | None:
    """A path of a YAML file; exports of Roboflow begin with a ``../`` that is not meant."""
    places = [base / name, base / name.removeprefix("../")]
    return next((place for place in places if place.exists()), None)


def _in_list(file: Path, base: Path, problems: list[str]) -> Iterator[Path]:
    names = named_lines(file)
    missing = []
    for name in names:
        # ./ is below the list, as ultralytics has it
        places = [file.parent / name, base / name]
        found = next((place for place in places if place.is_file()), None)
        if found is not None:
            yield found
        else:
            missing.append(name)
    if missing:
        problems.append(
            f"{file}: {len(missing)} of {len(names)} pictures are not there, first {missing[0]} in "
            f"line {names[missing[0]]}"
        )


def _folders(images: Path) -> Iterator[tuple[str, Split]]:
    """Splits by the folders of ``images/``; all of it to train on where there are none."""
    found = {
        split: images / name
        for split in SPLITS
        for name in SPLIT_NAMES[split]
        if (images / name).is_dir()
    }
    for split, folder in (found or {TRAIN: images}).items():
        yield split, _split(list(pictures_below(folder)), [])


def _split(pictures: Sequence[Path], problems: list[str]) -> Split:
    pictures = sorted({Path(os.path.abspath(picture)) for picture in pictures})
    labels = {picture: _label_of(picture) for picture in pictures}
    for label, count in Counter(labels.values()).items():
        if count > 1:
            names = [picture.name for picture, own in labels.items() if own == label]
            problems.append(shared_label(label, names))
    samples = (Sample(one, label if label.is_file() else None) for one, label in labels.items())
    return Split(tuple(samples), tuple(problems))


def _label_of(picture: Path) -> Path:
    """Where the last folder ``images`` of a path is ``labels``; beside it where there is none."""
    before, found, after = str(picture.with_suffix(".txt")).rpartition(f"{os.sep}images{os.sep}")
    return Path(f"{before}{os.sep}labels{os.sep}{after}" if found else after)


def _without_picture(splits: Iterable[Split]) -> list[Path]:
    """Label files without a picture."""
    expected = {_label_of(one.picture): one.picture for split in splits for one in split.samples}
    # beside their pictures text files may be anything
    folders = {
        label.parent: picture.parent
        for label, picture in expected.items()
        if label.parent != picture.parent
    }
    lone: list[Path] = []
    for labels, images in sorted(folders.items()):
        if labels.is_dir():
            stems = {Path(name).stem for name in os.listdir(images) if is_picture(name)}
            lone += [
                path
                for path in sorted(labels.glob("*.txt"))
                if path not in expected and path.stem not in stems and path.name != "classes.txt"
            ]
    return lone
