"""A backbone that loads its pretrained weights itself, with a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModule, update_init_info

from .init_cfg import pretrained_of
from .load.match import load_weights
from .load.report import LoadReport


class CheckedInitMixin(BaseModule):
    """Weights that an ``init_cfg`` names are checked while they are loaded.

    A subclass names the mixin before the class whose ``init_weights`` it extends.

    Attributes:
        load_report: What the last load did; only of a backbone that has loaded weights.
    """

    init_cfg: Any
    load_report: LoadReport
    reads_own_checkpoint = True  # of its init_cfg, where mmengine would

    def init_weights(self) -> None:
        """Initialize as mmengine does; pretrained weights are checked while they are loaded.

        Raises:
            ValueError, OSError, ImportError: As :func:`senet_mm.weights.load_weights`.
        """
        pretrained = pretrained_of(self.init_cfg)
        if not pretrained:
            self.init_random()
            return
        # mmengine itself would load what fits and log the rest
        configured = self.init_cfg
        listed = [configured] if isinstance(configured, Mapping) else configured
        self.init_cfg = [cfg for cfg in listed if cfg not in pretrained]
        self.init_random()
        self.init_cfg = configured
        for cfg in pretrained:
            self.load_report = load_weights(self, cfg["checkpoint"], cfg.get("prefix"))
            if hasattr(self, "_params_init_info"):  # a detector's, which it logs in the end
                update_init_info(self, f"Loaded from {cfg['checkpoint']}")

    def init_random(self) -> None:
        """What is done before weights are loaded: all that mmengine does."""
        super().init_weights()

    def left_out(self, name: str) -> bool:
        """Whether a tensor of released weights is of a part that this net was built without.

        Args:
            name: As the net would call the tensor. Parts of their own, such as a classifier,
                need no word here; a stage behind the last output may.
        """
        return False
