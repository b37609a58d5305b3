"""Checks of weights in a run of mmengine."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..utils.init_cfg import pretrained_of
from .loader import backbone_of, fit
from .normalization import Preprocessing
from .recognition import find_backbone
from .report import LoadReport
from .sources import fetch, unwrap


@HOOKS.register_module()
class WeightsHook(Hook):
    """Check the weights of a detector whose backbone is of the ResNet family.

    Our backbones check their own ``init_cfg``. This hook adds what they cannot
    see: the weights of the plain twin, mmdet's ResNet; a checkpoint given as
    ``load_from`` (a classifier's too: its tensors are renamed into the
    detector's backbone) or resumed; and whether the config's
    ``data_preprocessor`` is the one that the weights were trained with, which
    is warned of. Our tools add it to every run; elsewhere,
    ``custom_hooks=[dict(type='WeightsHook')]`` does.
    """

    priority = "HIGH"  # what it renames, others check

    def before_train(self, runner: Runner) -> None:
        """Check what the backbone was initialized from."""
        backbone = backbone_of(runner.model)
        if backbone is None or runner._resume or runner._load_from:
            return
        report = getattr(backbone, "load_report", None)
        if report is not None:
            _compare_preprocessing(runner, report)
            return
        for cfg in pretrained_of(backbone.init_cfg):
            _, report = fit(backbone, find_backbone(fetch(cfg["checkpoint"]), cfg.get("prefix")))
            _compare_preprocessing(runner, report)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Rename and check a checkpoint's backbone, before its tensors are copied.

        Raises:
            ValueError: If it is not of this backbone.
        """
        backbone = backbone_of(runner.model)
        if backbone is None:
            return
        found = find_backbone(unwrap(runner._load_from or "the checkpoint to resume", checkpoint))
        weights, report = fit(backbone, found)
        state_dict = checkpoint.get("state_dict", checkpoint)
        for name in (*found.names.values(), *(f"module.{key}" for key in found.names.values())):
            state_dict.pop(name, None)
        state_dict.update({f"backbone.{name}": tensor for name, tensor in weights.items()})
        _compare_preprocessing(runner, report)


def _compare_preprocessing(runner: Runner, report: LoadReport) -> None:
    """Warn if the config feeds images in another way than the weights expect."""
    configured = Preprocessing.of_config(runner.cfg.get("model", {}).get("data_preprocessor") or {})
    if configured is None or configured.agrees(report.preprocessing):
        return
    print_log(
        f"{report.source} was trained on images as {report.preprocessing}, but the config's "
        f"model.data_preprocessor makes them {configured}. Set there "
        f"{report.preprocessing.as_config()}",
        "current",
        logging.WARNING,
    )
