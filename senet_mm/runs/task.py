"""What a config is for: detection, classification or segmentation, each by a package of its own."""

from __future__ import annotations

import importlib
from enum import Enum
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from ..compat.versions import one_line


class Task(Enum):
    """A task; its value is the package whose models do it, and the scope of their names."""

    DETECTION = "mmdet"
    CLASSIFICATION = "mmpretrain"
    SEGMENTATION = "mmseg"

    def __str__(self) -> str:
        return self.name.lower()

    def check_installed(self) -> None:
        """Check that the package of the task can be imported.

        Raises:
            ImportError: In one sentence, what is missing and what to install.
        """
        extra = f"pip install 'senet_mm[{self}]'"
        try:
            importlib.import_module(f"{self.value}.models")
        except ModuleNotFoundError as error:
            missing = str(error.name).partition(".")[0]
            needs = "" if missing == self.value else f", which needs {missing}"
            raise ImportError(
                f"a config for {self} needs {self.value}{needs}; {missing} is not installed: "
                f"`{extra}` installs all of it"
            ) from error
        except Exception as error:  # a broken package raises anything
            raise ImportError(
                f"a config for {self} needs {self.value}, whose import fails, {one_line(error)}: "
                f"`{extra}` installs what fits"
            ) from error

    def find(self, registry: Registry, kind: Any) -> Any:
        """What a config of this task names by ``type``, as its run will find it.

        Args:
            registry: The root registry of the kind, of ``mmengine.registry``.
            kind: A name, with a scope or without, or what a name would stand for.

        Returns:
            What is registered under the name, None if nothing is; another ``kind`` as it is.
        """
        if not isinstance(kind, str):
            return kind
        return registry.get(kind if "." in kind else f"{self.value}.{kind}")


def task_of(cfg: Config) -> Task:
    """The task of a config: by its model's scope, else by its ``default_scope``.

    Scopes that we do not know, as of packages upon mmdet, count as detection.
    """
    kind = (cfg.get("model") or {}).get("type")
    module = kind if isinstance(kind, str) else getattr(kind, "__module__", "")
    known = {task.value: task for task in Task}
    scope = str(cfg.get("default_scope"))
    return known.get(module.partition(".")[0]) or known.get(scope) or Task.DETECTION


def expect_task(cfg: Config, task: Task, who: str) -> None:
    """Check that a config is for what someone works on.

    Raises:
        ValueError: Naming the config, its task and who takes it.
    """
    given = task_of(cfg)
    if given is not task:
        raise ValueError(
            f"{who} works on {task}, but the config {cfg.filename or ''} is for {given} (its model "
            f"is of {given.value}): senet-mm train and senet-mm test take it"
        )
