"""A table of what backbones cost, beside the paper's figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config

from ..io.tables import markdown
from ..paper import row_of
from .classifier import classifier_of, image_size
from .complexity import Cost, build_backbone, eq_5, stage_costs, with_classifier


def complexity_table(configs: Mapping[str, Config], size: tuple[int, int] | None = None) -> str:
    """A Markdown table of what backbones cost, part by part.

    Args:
        configs: Configs by their path, the baseline first.
        size: Height and width of the image, in pixels; by default a classification config's own,
            and else 224 x 224.

    Returns:
        One row per backbone and part: parameters and multiply-adds, each with
        the difference to the first backbone, Eq. 5's prediction of the
        parameters, and the paper's figures where it has the net. The classifier
        counts where it is known.
    """
    header = ["", "part", "params", "+", "Eq. 5", "paper (M)", "GFLOPs", "+", "paper"]
    rows = [header, ["---", "---"] + ["---:"] * 7]
    baseline: list[Cost] = []
    for path, cfg in configs.items():
        backbone = build_backbone(cfg)
        costs = stage_costs(backbone, size or image_size(cfg))
        stem = Path(path.rpartition("::")[2]).stem
        row = row_of(stem)
        classifier = classifier_of(backbone, stem, cfg.model.get("head"))
        if classifier is not None:
            costs.append(with_classifier(costs[-1], classifier))
        baseline = baseline or costs
        of_baseline = {cost.name: cost for cost in baseline}
        for cost in costs:
            before = of_baseline.get(cost.name, Cost(cost.name, 0, 0, 0))
            whole = cost is costs[-1]
            rows.append(
                [
                    path if cost is costs[0] else "",
                    cost.name,
                    f"{cost.parameters:,}",
                    f"{cost.parameters - before.parameters:+,}",
                    f"{eq_5(backbone):+,}" if whole else "",
                    f"{row.params}" if whole and row and row.params else "",
                    f"{cost.multiply_adds / 1e9:.3f}",
                    f"{(cost.multiply_adds - before.multiply_adds) / 1e9:+.3f}",
                    f"{row.gflops}" if whole and row and row.gflops else "",
                ]
            )
    return markdown(rows)
