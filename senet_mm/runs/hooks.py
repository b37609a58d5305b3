"""Checks of weights in a run of mmengine."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..weights.init_cfg import pretrained_of
from ..weights.load.match import backbone_of, detector_of, fit_detector, load_weights
from ..weights.load.report import LoadReport
from ..weights.read.sources import TIMM, fetch, unwrap
from ..weights.recognize.normalization import Preprocessing


@HOOKS.register_module()
class WeightsHook(Hook):
    """Check the weights of a detector whose backbone is of the ResNet family.

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

        mmengine loads an ``init_cfg`` of mmdet's backbones or of a whole
        detector, and loads what fits; here it is loaded once more, from the
        tensors that were checked.

        Raises:
            ValueError: If it is not of this backbone.
        """
        model = detector_of(runner.model)
        backbone = backbone_of(model)
        if backbone is None or runner._has_loaded:
            return
        whole = pretrained_of(getattr(model, "init_cfg", None))  # over the backbone's own
        for cfg in whole:
            weights, report = fit_detector(model, fetch(cfg["checkpoint"]), cfg.get("prefix"))
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
        if backbone_of(runner.model) is None:
            return
        source = str(runner._load_from or "the checkpoint to resume")
        # of timm's nets mmengine has the tensors alone, renamed: their family is lost
        known = source.startswith(TIMM)
        given = fetch(source) if known else unwrap(source, checkpoint)
        checkpoint["state_dict"], report = fit_detector(runner.model, given)
        _compare_preprocessing(runner, report)


def _compare_preprocessing(runner: Runner, report: LoadReport) -> None:
    """Warn if the config feeds images in another way than the weights expect."""
    options = runner.cfg.get("model", {}).get("data_preprocessor")
    # mmengine gives the model that at the top where it has none
    configured = Preprocessing.of_config(options or runner.cfg.get("data_preprocessor") or {})
    if configured is None or configured.agrees(report.preprocessing):
        return
    print_log(
        f"{report.source} was trained on images as {report.preprocessing}, but the config's "
        f"model.data_preprocessor makes them {configured}. Set there "
        f"{report.preprocessing.as_config()}",
        "current",
        logging.WARNING,
    )
