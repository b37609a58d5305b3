"""Our counts beside the paper's, for every row that it prints."""

from __future__ import annotations

import torch
from mmengine.config import Config
from torch import nn

from ..compat.packaged_configs import config_path
from ..io.tables import markdown
from ..paper import ABLATIONS, TABLE_2, TABLE_3, ImageNet
from .classifier import classifier_of
from .complexity import Cost, build_backbone, stage_costs, with_classifier


def paper_backbone(row: ImageNet) -> nn.Module:
    """The backbone of a row in the paper's geometry.

    ResNets have their stride in the first 1x1, and Inception-ResNet-v2 has
    layers without padding, which its detectors have not.
    """
    folder = "ablations/" if row in ABLATIONS else ""
    cfg = Config.fromfile(config_path(f"{folder}{row.config}.py"))
    if cfg.model.backbone.type.endswith("ResNet"):
        cfg.model.backbone.style = "caffe"
    backbone = cfg.model.backbone
    backbone.get("backbone", backbone).pop("align", None)
    return build_backbone(cfg)


def paper_cost(row: ImageNet) -> Cost:
    """Cost of a row's net, classifier included."""
    backbone = paper_backbone(row)
    side = 299 if "inception_resnet" in row.config else 224  # section 5.1
    total = stage_costs(backbone, (side, side))[-1]
    classifier = classifier_of(backbone, row.config)
    assert classifier is not None
    return with_classifier(total, classifier)


def paper_table() -> str:
    """A Markdown table of Tables 2, 3 and 10 to 16: parameters and multiply-adds, ours and theirs.

    The multiply-adds are counted twice, SE's maps by two operations per element
    (pooling and scale) and by one, see :class:`.complexity.MultiplyAdds`.
    """
    header = ["table", "row", "config", "params (M)", "paper", "GFLOPs", "one pass", "paper"]
    rows = [header, ["---"] * 3 + ["---:"] * 5]
    for row in (*TABLE_2, *TABLE_3, *ABLATIONS):
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
                f"{cost.one_pass / 1e9:.3f}",
                # Table 3 counts in millions
                "" if row.gflops is None else f"{row.gflops:.{3 if row.gflops < 1 else 2}f}",
            ]
        )
    return markdown(rows)
