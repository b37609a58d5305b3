"""Package definition: `pip install .`; the OpenMMLab stack is the user's choice (see extras)."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithConfigs(build_py):
    """Copy configs and tools into ``senet_mm/.mim``, where OpenMMLab packages keep them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the source tree has them
            return
        for folder in ("configs", "tools"):
            target = Path(self.build_lib) / "senet_mm" / ".mim" / folder
            shutil.copytree(
                ROOT / folder,
                target,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__"),
            )


setup(
    name="senet_mm",
    version=re.search(r'__version__ = "(.+)"', (ROOT / "senet_mm/version.py").read_text()).group(1),
    description="Squeeze-and-Excitation backbones for OpenMMLab detection",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["senet_mm", "senet_mm.*"]),
    # mmengine, mmcv and mmdet come from one of two families of packages; naming one here would
    # install it over the other, so they are extras and checked at import
    install_requires=["torch>=2.1", "torchvision>=0.16", "numpy", "pycocotools>=2.0.6"],
    extras_require={
        "onedl": [
            "onedl-mmengine>=0.10.12,<0.11",
            "onedl-mmcv>=2.3.6,<2.4",
            "onedl-mmdetection>=3.5.1,<3.6",
        ],
        "openmmlab": [
            "mmengine>=0.10.7,<0.11",
            "mmcv-lite>=2.1.0,<2.2",
            "mmdet>=3.3.0,<3.4",
            "numpy<2",
            "setuptools<81",
        ],
        # weights by timm://NAME; it brings safetensors
        "timm": ["timm>=1.0"],
    },
    cmdclass={"build_py": BuildWithConfigs},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
    ],
)
