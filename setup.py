"""What the build does beyond pyproject.toml: configs and tools travel with the package."""

import shutil
from pathlib import Path

from setuptools import setup
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


setup(cmdclass={"build_py": BuildWithConfigs})
