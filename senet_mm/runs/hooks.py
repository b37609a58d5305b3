"""Checks of weights while mmengine runs, as hooks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..weights.init_cfg import pretrained_of
from ..weights.load.complete import check_complete
from ..weights.load.detector import backbone_of, check_se_is_kept, match_detector, unwrapped
from ..weights.load.match import load_weights
from ..weights.load.report import LoadReport
from ..weights.read.checkpoint import unwrap
from ..weights.read.sources import fetch, release
from ..weights.read.timm_zoo import TIMM
from ..weights.recognize.normalization import Preprocessing
from .config_file import preprocessor_of


@HOOKS.register_module()
class WeightsHook(Hook):
    """Check the weights of a detector whose backbone is of the ResNet family, or one of ours.

    Our backbones check their own ``init_cfg``. This hook adds what they cannot
    see: the weights of the plain twin, mmdet's ResNet; a checkpoint given as
    ``load_from`` (a classifier's too: its tensors are renamed into the
    detector's backbone) or resumed; a whole detector's ``init_cfg``; and
    whether the config's ``data_preprocessor`` is the one that the weights were
    trained with, which is warned of. What is loaded is what was checked. Our
    tools add it to every run; elsewhere,
    ``custom_hooks=[dict(type='WeightsHook')]`` does.
    """

    priority = "HIGH"  # what it renames, others check

    def before_train(self, runner: Runner) -> None:
        """Check what the backbone was initialized from.

        Raises:
            ValueError: If it is not of this backbone.
        """
        if not runner._has_loaded:
            self._check_initial(runner)
        release()

    def before_test(self, runner: Runner) -> None:
        """Give up what was kept of the checks."""
        release()

    def _check_initial(self, runner: Runner) -> None:
        """Load once more what the backbone was initialized from.

        mmengine loads an ``init_cfg`` of mmdet's backbones or of a whole
        detector, and loads what fits; here it is loaded once more, from the
        tensors that were checked.
        """
        model = unwrapped(runner.model)
        backbone = backbone_of(model)
        if backbone is None:
            return
        whole = pretrained_of(getattr(model, "init_cfg", None))  # over the backbone's own
        for cfg in whole:
            weights, report = match_detector(model, fetch(cfg["checkpoint"]), cfg.get("prefix"))
            model.load_state_dict(weights, strict=False)
            _compare_preprocessing(runner, report)
        if whole:
            return
        if hasattr(backbone, "load_report"):
            _compare_preprocessing(runner, backbone.load_report)
            return
        for cfg in pretrained_of(backbone.init_cfg):
            report = load_weights(backbone, cfg["checkpoint"], cfg.get("prefix"))
            _compare_preprocessing(runner, report)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check a checkpoint and put its state dict, renamed and unwrapped, where mmengine looks.

        Raises:
            ValueError: If it is not of this backbone.
        """
        source = str(runner._load_from or "the checkpoint to resume")
        if backbone_of(runner.model) is None:
            check_se_is_kept(runner.model, checkpoint.get("state_dict", checkpoint), source)
            return
        # of timm's nets mmengine has the tensors alone, renamed: their family is lost
        known = source.startswith(TIMM)
        given = fetch(source) if known else unwrap(source, checkpoint)
        checkpoint["state_dict"], report = match_detector(runner.model, given)
        _compare_preprocessing(runner, report)


@HOOKS.register_module()
class CheckFitHook(Hook):
    """Refuse a checkpoint that leaves tensors of the model unset."""

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Called by mmengine between reading a checkpoint and copying its tensors.

        Raises:
            ValueError: As :func:`senet_mm.weights.load.complete.check_complete`.
        """
        weights = checkpoint.get("state_dict", checkpoint)
        check_complete(weights, unwrapped(runner.model).state_dict(), str(runner._load_from))


def add_hooks(cfg: Config, kinds: Sequence[type[Hook]]) -> None:
    """Give a config registered hooks; those of these kinds that it has already are replaced."""
    others = [hook for hook in cfg.get("custom_hooks") or [] if _kind_of(hook) not in kinds]
    cfg.custom_hooks = [*others, *(dict(type=f"mmengine.{kind.__name__}") for kind in kinds)]


def hooks_of_config(cfg: Config, kind: type[Hook]) -> list[tuple[str, Any]]:
    """The hooks of a kind in a config, built or as settings, each with its key."""
    custom = {f"custom_hooks.{i}": hook for i, hook in enumerate(cfg.get("custom_hooks") or [])}
    default = {f"default_hooks.{k}": v for k, v in (cfg.get("default_hooks") or {}).items()}
    return [(key, hook) for key, hook in (custom | default).items() if _is_a(hook, kind)]


def _is_a(hook: Any, kind: type[Hook]) -> bool:
    found = _kind_of(hook) if isinstance(hook, (Mapping, Hook)) else None  # None leaves one out
    return isinstance(found, type) and issubclass(found, kind)


def _kind_of(hook: Any) -> object:
    """The class of a hook, which a config gives by name, as a class or as an object."""
    if isinstance(hook, Hook):
        return type(hook)
    kind = hook.get("type")
    return HOOKS.get(kind) if isinstance(kind, str) else kind


def _compare_preprocessing(runner: Runner, report: LoadReport | None) -> None:
    """Warn if the config feeds images in another way than the weights expect."""
    if report is None or report.preprocessing is None:
        return
    options = preprocessor_of(runner.cfg)
    configured = Preprocessing.of_config(options)
    if configured is None or configured.agrees(report.preprocessing):
        return
    print_log(
        f"{report.source} was trained on images as {report.preprocessing}, but the config's "
        f"model.data_preprocessor makes them {configured}. Set there "
        f"{report.preprocessing.as_config('to_rgb' if 'to_rgb' in options else 'bgr_to_rgb')}",
        "current",
        logging.WARNING,
    )
