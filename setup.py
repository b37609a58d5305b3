"""What the build does beyond pyproject.toml: configs, their index and tools travel along."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithConfigs(build_py):
    """Copy them into ``senet_mm/.mim``, where OpenMMLab's packages have them and mim looks."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the source tree has them
            return
        target = Path(self.build_lib) / "senet_mm" / ".mim"
        for folder in ("configs", "tools"):
            shutil.copytree(
                ROOT / folder,
                target / folder,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        shutil.copy(ROOT / "model-index.yml", target)


setup(cmdclass={"build_py": BuildWithConfigs})
