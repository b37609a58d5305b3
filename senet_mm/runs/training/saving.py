"""A hook that lets a kill at any moment leave a whole checkpoint."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...io.files import whole_file


@HOOKS.register_module()
class WholeCheckpointHook(Hook):
    """Have mmengine's CheckpointHook write whole files, and remove old ones after that.

    By itself it removes the checkpoint that is one too many, then writes the new one in place.
    """

    priority = "LOWEST"  # after CheckpointHook has prepared itself

    def before_train(self, runner: Runner) -> None:
        """Stand between the CheckpointHooks and the files; other runners save in other ways."""
        if not isinstance(runner, Runner):
            return
        saving: Any = runner.save_checkpoint
        if not isinstance(saving, _WholeSave):
            saving = _WholeSave(saving)
            runner.save_checkpoint = saving
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook):
                hook.file_backend = _RemoveLater(hook.file_backend, saving.outdated)
                last = runner.message_hub.runtime_info.get("last_ckpt")
                if last and hook.last_ckpt is None:
                    # of the run that is resumed; else mmengine notes no new best score in it
                    hook.last_ckpt = str(Path(hook.out_dir, Path(last).name))


class _WholeSave:
    """``Runner.save_checkpoint``, by way of another name; then the outdated files go."""

    def __init__(self, save: Any) -> None:
        self._save = save
        self.outdated: list[tuple[Any, str]] = []

    def __call__(
        self, out_dir: str, filename: str, file_client_args: Any = None, **options: Any
    ) -> None:
        backend = get_file_backend(out_dir, backend_args=options.get("backend_args"))
        if file_client_args or not isinstance(backend, LocalBackend) or not is_main_process():
            self._save(out_dir, filename, file_client_args, **options)
        else:
            with whole_file(Path(out_dir, filename)) as unfinished:
                self._save(out_dir, unfinished.name, **options)
                _to_disk(unfinished)
            with suppress(OSError):  # not all file systems do so with folders
                _to_disk(Path(out_dir))
        for remove, outdated in self.outdated:
            if Path(outdated) != Path(out_dir, filename):
                remove(outdated)
        self.outdated.clear()


class _RemoveLater:
    """A file backend that notes what is to be removed."""

    def __init__(self, backend: Any, outdated: list[tuple[Any, str]]) -> None:
        self._backend = backend
        self._outdated = outdated

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self._outdated.append((self._backend.remove, path))

    def rmtree(self, path: str) -> None:
        self._outdated.append((self._backend.rmtree, path))


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
