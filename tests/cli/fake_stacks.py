"""Stacks of tiny stand-ins for packages, to break."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import packaging

import senet_mm

_MODULES = {
    "numpy/__init__.py": "",
    "torch/__init__.py": "class Tensor:\n    numpy = print\nzeros = lambda *size: Tensor()\n",
    "torchvision/__init__.py": "from . import ops\n",
    "torchvision/ops.py": "nms = print\n",
    "cv2/__init__.py": "",
    "pycocotools/__init__.py": "",
    "pycocotools/mask.py": "",
    "mmengine/__init__.py": "__version__ = '0.10.7'\n",
    "mmcv/__init__.py": "import cv2\n__version__ = '2.1.0'\n",
    "mmcv/ops.py": "import mmcv._ext\n",
    "mmdet/__init__.py": "__version__ = '3.3.0'\n",
    "filelock/__init__.py": "",
    "jinja2/__init__.py": "",
    "matplotlib/__init__.py": "",
    "tqdm/__init__.py": "",
}
_COMMON = {
    "opencv-python": "4.12.0.88",
    "pycocotools": "2.0.11",
    "filelock": "3.20.0",
    "jinja2": "3.1.6",
    "matplotlib": "3.9.0",
    "tqdm": "4.70.0",
}
ONEDL = _COMMON | {
    "numpy": "2.2.6",
    "torch": "2.11.0",
    "torchvision": "0.26.0",
    "onedl-mmengine": "0.10.12",
    "onedl-mmcv": "2.3.6",
    "onedl-mmdetection": "3.5.1",
}
OFFICIAL = _COMMON | {
    "numpy": "1.26.4",
    "torch": "2.1.2",
    "torchvision": "0.16.2",
    "mmengine": "0.10.7",
    "mmcv-lite": "2.1.0",
    "mmdet": "3.3.0",
}


@dataclass(frozen=True)
class Stack:
    """A line of packages, and how this stack differs from it.

    Attributes:
        line: Versions by distribution, ``ONEDL`` or ``OFFICIAL``.
        distributions: Versions of others; None takes one away.
        modules: Source of modules by file; None takes a package away.
        requires: What distributions say they require, by their name.
    """

    line: Mapping[str, str]
    distributions: Mapping[str, str | None] = field(default_factory=dict)
    modules: Mapping[str, str | None] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)

    def make(self, folder: Path) -> None:
        """Lay the stack into an empty folder."""
        for real in (senet_mm, packaging):
            package = Path(real.__file__).parent
            (folder / package.name).symlink_to(package)
        absent = tuple(file for file, source in self.modules.items() if source is None)
        for file, source in (_MODULES | dict(self.modules)).items():
            if source is not None and not (absent and file.startswith(absent)):
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text(source)
        for name, version in (dict(self.line) | dict(self.distributions)).items():
            if version is not None:
                info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
                info.mkdir()
                lines = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                if name in self.requires:
                    lines += f"Requires-Dist: {self.requires[name]}\n"
                (info / "METADATA").write_text(lines)


def run_on(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the stack in a folder, and with nothing else installed."""
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(folder)},
        cwd=folder,
    )
