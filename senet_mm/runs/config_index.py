"""What the packaged configs are: a table for people, and the metafiles that OpenMMLab's mim reads.

All of it is read off the configs' text, so that nothing has to be installed for a network or data
set that nobody asked for.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.fileio import dump

from ..compat.packaged_configs import configs_root

INDEX = "model-index.yml"
METAFILE = "metafile.yml"
# what makes another network of a backbone
_NETWORK = {"depth", "groups", "base_width", "model_name"}
# by what a name ends in, or its folder
_DATA = {
    "in1k": "ImageNet-1k",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "places365": "Places365",
    "digits": "UCI digits",
    "ade20k": "ADE20K",
    "shapes": "generated shapes",
    "bccd": "BCCD",
}
_TASKS = {"classification": "Image Classification", "segmentation": "Semantic Segmentation"}
_MARK = "<!-- from here on `make metafiles` writes -->"
PLAIN = "Plain twins"
_PAPER = dict(URL="https://arxiv.org/abs/1709.01507", Title="Squeeze-and-Excitation Networks")
_COLLECTIONS = [dict(Name="SENet", Paper=_PAPER), dict(Name=PLAIN), dict(Name="Other attention")]


@dataclass(frozen=True)
class PackagedConfig:
    """A config that can be run.

    Attributes:
        name: Its path below ``configs/``, without ``.py``: ``senet_mm::NAME`` is the config.
        description: The first sentence of its text.
        twin: The config without SE from which it differs in SE alone, and its weights.
        collection: ``SENet``, ``Plain twins`` or ``Other attention``.
    """

    name: str
    description: str
    twin: str | None
    collection: str

    @property
    def task(self) -> str:
        """What it is for, as the Hugging Face hub and mim call it."""
        folder = self.name.partition("/")[0]
        instances = "Instance Segmentation" if "mask_rcnn" in self.name else "Object Detection"
        return _TASKS.get(folder, instances)

    @property
    def data(self) -> str:
        """The data set."""
        found = [word for word in re.split("[/_]", self.name) if word in _DATA]
        return _DATA[found[-1]] if found else "COCO"


def packaged_configs(root: Path | None = None) -> list[PackagedConfig]:
    """All configs but those that are bases alone.

    Args:
        root: Where they are; by default those of this package.

    Raises:
        ValueError: If one begins with no comment.
    """
    root = configs_root() if root is None else root
    texts = {
        path.relative_to(root).with_suffix("").as_posix(): _Text(path)
        for path in sorted(root.rglob("*.py"))
    }
    return [
        PackagedConfig(name, text.description(), _twin(name, texts), _collection(name, texts))
        for name, text in texts.items()
        if not any(part.startswith("_") for part in Path(name).parts)
    ]


def as_markdown(configs: Sequence[PackagedConfig]) -> str:
    """A table of them."""
    rows = [
        f"| `{config.name}` | {config.description} | {f'`{config.twin}`' if config.twin else ''} |"
        for config in configs
    ]
    return "\n".join(["| config | | twin without SE |", "|---|---|---|", *rows, ""])


def metafiles(configs: Sequence[PackagedConfig]) -> dict[str, str]:
    """The texts of the index and of one metafile per folder, by their paths in the source tree.

    They have neither results nor weights: the package publishes no trained networks.
    """
    files: dict[str, Any] = {f"configs/{METAFILE}": {"Collections": _COLLECTIONS, "Models": []}}
    for config in configs:
        folder = Path("configs", config.name).parent.as_posix()
        models = files.setdefault(f"{folder}/{METAFILE}", {"Models": []})["Models"]
        told = {"Training Data": config.data, "Task": config.task}
        told["Description"] = config.description
        if config.twin:
            told["Twin"] = config.twin
        models.append(
            {
                "Name": Path(config.name).name,
                "In Collection": config.collection,
                "Config": f"configs/{config.name}.py",
                "Metadata": told,
            }
        )
    texts = {INDEX: _yaml({"Import": sorted(files)})}
    return texts | {path: _yaml(content) for path, content in sorted(files.items())}


def write(root: Path) -> None:
    """Write the metafiles of a source tree, and the table of its page about configs.

    Args:
        root: The source tree.
    """
    configs = packaged_configs(root / "configs")
    for path, text in metafiles(configs).items():
        (root / path).write_text(text)
    page = root / "docs" / "configs.md"
    page.write_text(page_of(page.read_text(), configs))


def page_of(text: str, configs: Sequence[PackagedConfig]) -> str:
    """A page whose last section is the table."""
    before, mark, _ = text.partition(_MARK)
    return f"{before}{mark}\n\n{as_markdown(configs)}"


def _yaml(content: dict[str, Any]) -> str:
    header = "# `make metafiles` writes this file\n"
    return header + dump(content, file_format="yaml", sort_keys=False, width=100)


class _Text:
    """The text of a config."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = path.read_text()
        self.assigned = {
            node.targets[0].id: node.value
            for node in ast.parse(self._text).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }

    def description(self) -> str:
        """The first sentence of the comment that it begins with."""
        lines = []
        for line in self._text.splitlines():
            if not line.startswith("#"):
                break
            lines.append(line.removeprefix("#").strip())
        if not lines:
            raise ValueError(f"{self.path} begins with no comment: say in one what it is")
        return re.split(r"\.(?: |$)", " ".join(lines), maxsplit=1)[0]

    def bases(self, name: str) -> list[str]:
        """The configs of this package that it builds on."""
        node = self.assigned.get("_base_")
        listed = node.elts if isinstance(node, ast.List) else [node]
        paths = [str(part.value) for part in listed if isinstance(part, ast.Constant)]
        folder = Path(name).parent
        return [
            os.path.normpath(folder / path.removesuffix(".py"))
            for path in paths
            if path.startswith(".")
        ]

    def own_collection(self) -> str | None:
        """The collection that it makes its network one of, if it does."""
        values = dict(self._keywords())
        if not any(
            key == "se_cfg"
            or (key == "type" and re.match(r"'(mmdet\.)?SE[A-Z]", ast.unparse(value)))
            for key, value in self._keywords()
        ):
            return None
        options = values.get("se_cfg")
        other = options is not None and any(
            keyword.arg == "type"
            for keyword in ast.walk(options)
            if isinstance(keyword, ast.keyword)
        )
        return "Other attention" if other else "SENet"

    def changes_more_than_attention(self) -> bool:
        """Whether it changes more of its base than its model's attention and weights."""
        beyond = self.assigned.keys() - {"_base_", "model"}
        return bool(beyond) or any(key in _NETWORK for key, _ in self._keywords())

    def _keywords(self) -> Iterator[tuple[str, ast.expr]]:
        """The keys of all dicts that it sets, and their values."""
        for value in self.assigned.values():
            for node in ast.walk(value):
                if isinstance(node, ast.keyword) and node.arg is not None:
                    yield node.arg, node.value


def _collection(name: str, texts: Mapping[str, _Text]) -> str:
    """What a config's network is: what it says itself, or the first of its bases that does."""
    own = texts[name].own_collection()
    if own is not None:
        return own
    inherited = (_collection(base, texts) for base in texts[name].bases(name))
    return next((found for found in inherited if found != PLAIN), PLAIN)


def _twin(name: str, texts: Mapping[str, _Text]) -> str | None:
    """The nearest of a config's bases without SE, if only the model changes from there to it."""
    if _collection(name, texts) == PLAIN:
        return None
    while not texts[name].changes_more_than_attention():
        bases = texts[name].bases(name)
        if len(bases) != 1:
            return None
        (name,) = bases
        if _collection(name, texts) == PLAIN:
            return name
    return None
