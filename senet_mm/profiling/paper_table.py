"""Our counts beside the paper's, for every row that it prints."""

from __future__ import annotations

import torch
from mmengine.config import Config
from torch import nn

from ..compat.packaged_configs import config_path
from ..io.tables import markdown
from ..paper import ABLATIONS, TABLE_2, ImageNet
from .complexity import Cost, build_backbone, stage_costs, with_classifier

SIZE = (224, 224)  # pixels


def paper_backbone(row: ImageNet) -> nn.Module:
    """The backbone of a row; ResNets in the paper's geometry, their stride in the first 1x1."""
    folder = "ablations/" if row in ABLATIONS else ""
    cfg = Config.fromfile(config_path(f"{folder}{row.config}.py"))
    if cfg.model.backbone.type.endswith("ResNet"):
        cfg.model.backbone.style = "caffe"
    return build_backbone(cfg)


def paper_cost(row: ImageNet) -> Cost:
    """Cost of a row's net, classifier included, of a 224 x 224 image."""
    backbone = paper_backbone(row)
    return with_classifier(backbone, stage_costs(backbone, SIZE)[-1])


def paper_table() -> str:
    """A Markdown table of Tables 2 and 10 to 16: parameters and multiply-adds, ours and theirs."""
    header = ["table", "row", "config", "params (M)", "paper", "GFLOPs", "paper"]
    rows = [header, ["---"] * 3 + ["---:"] * 4]
    for row in (*TABLE_2, *ABLATIONS):
        with torch.device("meta"):  # the counts follow from shapes alone
            cost = paper_cost(row)
        rows.append(
            [
                row.table,
                row.name,
                row.config,
                f"{cost.parameters / 1e6:.2f}",
                "" if row.params is None else f"{row.params}",
                f"{cost.multiply_adds / 1e9:.3f}",
                "" if row.gflops is None else f"{row.gflops:.2f}",
            ]
        )
    return markdown(rows)
