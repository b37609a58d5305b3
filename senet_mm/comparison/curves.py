"""Training loss and AP over time, from mmengine's own logs."""

from __future__ import annotations

from dataclasses import dataclass

from ..runs.work_dir import Run, read_logs

_AP = dict(bbox="coco/bbox_mAP", segm="coco/segm_mAP")  # as CocoMetric logs it


@dataclass(frozen=True)
class Curves:
    """How a training went; of a resumed run, what counted in the end.

    Attributes:
        source: The work dir.
        loss: (iteration, training loss) pairs.
        precision: (epoch or iteration of the evaluation, AP in 0..1) pairs.
    """

    source: str
    loss: tuple[tuple[int, float], ...]
    precision: tuple[tuple[int, float], ...]


def read_curves(run: Run, iou_type: str = "bbox") -> Curves:
    """Read a run's logs; the curves are empty where it has none.

    Where a run was resumed from an earlier iteration or started again, what it
    had logged from there on counts no more.

    Args:
        run: The run.
        iou_type: Whose AP: 'bbox' or 'segm'.
    """
    logged = _AP[iou_type]
    loss: dict[int, float] = {}
    precision: dict[int, float] = {}
    for log in read_logs(run):
        first = next((entry for entry in log if "loss" in entry), None)
        if first is not None:
            loss = _before(first["step"], loss)
            # evaluations are counted in epochs where the training is
            precision = _before(first.get("epoch", first["step"]), precision)
        for entry in log:
            if "loss" in entry:
                loss[entry["step"]] = entry["loss"]
            if logged in entry:
                precision[entry["step"]] = entry[logged]
    return Curves(str(run.work_dir), tuple(loss.items()), tuple(precision.items()))


def _before(step: int, values: dict[int, float]) -> dict[int, float]:
    return {key: value for key, value in values.items() if key < step}
