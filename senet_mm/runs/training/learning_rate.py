"""``--auto-scale-lr`` by the batch that an optimizer step sees."""

from __future__ import annotations

from mmengine.logging import print_log
from mmengine.runner import Runner


def scale_by_effective_batch(runner: Runner) -> None:
    """Let mmengine scale the learning rate by the effective batch, in place.

    mmengine scales by ``batch_size`` times the number of processes, and forgets that
    ``accumulative_counts`` batches make one step. The config that it saves stays as it is, so that
    a run of it scales alike.

    Args:
        runner: A runner that has not trained yet.
    """
    scaling = runner.auto_scale_lr
    if not scaling or not scaling.get("enable"):
        return
    counts = (runner.cfg.get("optim_wrapper") or {}).get("accumulative_counts", 1)
    if counts == 1:
        return
    runner.auto_scale_lr = dict(scaling, base_batch_size=scaling["base_batch_size"] / counts)
    print_log(
        f"optim_wrapper.accumulative_counts={counts} batches make one step: the learning rate is "
        f"scaled by {counts} x the batch size, over auto_scale_lr.base_batch_size="
        f"{scaling['base_batch_size']} (the next line says the same with both divided by {counts})",
        "current",
    )
