"""Which of timm's networks run as backbones, plain and with SE: python -m studies.timm_sweep

Takes one network of each of 20 families, without weights, and checks on random pictures that its
maps are timm's, that the parameters of its stem and stages are those that their maps depend on, and
that SE attached to it leaves it as it was: its names, and at first its maps. Needs neither network
nor GPU; a few minutes of one core.
"""

from __future__ import annotations

import argparse
import importlib.metadata
from dataclasses import dataclass

import timm
import torch
from torch import Tensor

import senet_mm  # noqa: F401 (makes mmdet importable)
from senet_mm.backbones import TimmBackbone
from senet_mm.backbones.timm_nets import Stages
from senet_mm.io.tables import markdown
from senet_mm.layers.attach import attach_se, detach_se

# what stands before the sum where there is one, below `timm_model.`
NETS = {
    "resnet18d": r"layer\d\.\d+\.bn2",
    "regnetx_002": r"s\d\.b\d+\.conv3",
    "efficientnet_b0": r"blocks\.\d\.\d\.bn3",
    "mobilenetv3_small_100": r"blocks\.\d\.\d\.bn3",
    "vgg11_bn": r"features_(2|6|10|13|17|20|24|27)",
    "inception_v3": r"Mixed_\w+",
    "inception_resnet_v2": r"(repeat(_1|_2)?\.\d+|block8)\.conv2d",
    "convnext_atto": r"stages_\d\.blocks\.\d\.mlp",
    "densenet121": r"features_denseblock\d\.denselayer\d+\.conv2",
    "dla34": r"level\d.*\.bn2",
    "dpn68": r"features_conv\d_\d+\.c1x1_c",
    "darknet17": r"stages_\d\.blocks\.\d\.conv2",
    "repvgg_a0": r"stages_\d\.\d+",
    "ghostnet_100": r"blocks_\d\.\d\.ghost2",
    "rexnet_100": r"features_\d+\.conv_pwl",
    "hgnetv2_b0": r"stages_\d\.blocks\.\d\.aggregation",
    "poolformer_s12": r"stages_\d\.blocks\.\d\.mlp",
    "legacy_xception": r"body\.block\d+\.rep",
    "efficientformer_l1": r"model\.stages\.[0-2]\.blocks\.\d\.mlp",
    "hrnet_w18_small": r"stage\d\.\d\.branches\.\d\.\d\.bn2",
}
SIDE = 128  # of the pictures, where a network takes any


@dataclass(frozen=True)
class Row:
    """How one network fared.

    Attributes:
        name: timm's.
        wrapper: timm's class that collects its maps.
        strides: Of the maps that come out.
        channels: Of the maps that come out.
        parameters: Without SE.
        blocks: How many SE blocks were attached.
        se_parameters: Theirs.
        freezing: Whether it can be frozen by stages.
    """

    name: str
    wrapper: str
    strides: list[int]
    channels: list[int]
    parameters: int
    blocks: int
    se_parameters: int
    freezing: str


def sweep_one(name: str, units: str) -> Row:
    """Run a network, plain and with SE.

    Args:
        name: timm's name of it.
        units: What SE goes behind, below ``timm_model.``.

    Raises:
        AssertionError: If something is not as the docs say.
    """
    torch.manual_seed(0)
    backbone = TimmBackbone(name)
    fixed = backbone.timm_model.pretrained_cfg.get("fixed_input_size")
    side = backbone.timm_model.pretrained_cfg["input_size"][-1] if fixed else SIDE
    x = torch.randn(2, 3, side, side)
    freezing = _check_stages(backbone, x)
    plain = _same_as_timm(backbone, x)
    keys = list(backbone.state_dict())
    blocks = attach_se(backbone, rf"timm_model\.{units}", dict(identity_init=True))
    with torch.no_grad():
        twin = backbone.eval()(x)
    assert all(torch.equal(a, b) for a, b in zip(plain, twin, strict=True)), "maps change"
    added = [key for key in backbone.state_dict() if key not in keys]
    assert [key for key in backbone.state_dict() if key in keys] == keys, "names change"
    assert all(".se." in key for key in added), "SE has other names"
    _sum(backbone.train()(x)).backward()
    parameters = [p for block in blocks.values() for p in block.parameters()]
    assert all(p.grad is not None for p in parameters), "SE without gradients"
    se_parameters = sum(p.numel() for p in parameters)
    detach_se(backbone)
    assert list(backbone.state_dict()) == keys, "names change once SE is gone"
    return Row(
        name,
        type(backbone.timm_model).__name__,
        backbone.out_strides,
        backbone.out_channels,
        sum(p.numel() for p in backbone.parameters()),
        len(blocks),
        se_parameters,
        freezing,
    )


def _same_as_timm(backbone: TimmBackbone, x: Tensor) -> tuple[Tensor, ...]:
    peer = timm.create_model(backbone.model_name, features_only=True, out_indices=4).eval()
    peer.load_state_dict(backbone.timm_model.state_dict())
    with torch.no_grad():
        ours, theirs = backbone.eval()(x), peer(x)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)), "not timm's maps"
    assert [map_.shape[1] for map_ in ours] == backbone.out_channels, "other channels than told"
    return ours


def _check_stages(backbone: TimmBackbone, x: Tensor) -> str:
    """Compare the parameters up to each map with those that it depends on, by its gradients."""
    net, stages = backbone.timm_model, Stages(backbone.timm_model)
    try:
        stages.until(0)
    except ValueError:
        return "no: timm does not tell the ends of its stages"
    parameters, more = list(net.parameters()), 0
    for stage, map_ in enumerate(backbone.train()(x), start=stages.count - 3):
        gradients = torch.autograd.grad(
            map_.sum(), parameters, retain_graph=True, allow_unused=True
        )
        needed = {id(p) for p, g in zip(parameters, gradients, strict=True) if g is not None}
        frozen = {id(p) for m in stages.until(stage) for p in m.parameters(recurse=False)}
        assert needed <= frozen, f"{len(needed - frozen)} parameters of stage {stage} are not in it"
        more += len(frozen - needed)
    # of a block whose map is taken from within
    rest = f", {more} tensors of the next blocks with them" if more else ""
    return f"stem and {stages.count} stages{rest}"


def _sum(maps: tuple[Tensor, ...]) -> Tensor:
    return torch.stack([map_.square().mean() for map_ in maps]).sum()


def table(rows: list[Row]) -> str:
    """The rows as docs/timm.md has them."""
    head = ["network", "maps by", "strides", "channels", "parameters", "SE after", "SE", "freezing"]
    lines = [
        [
            row.name,
            row.wrapper,
            " ".join(map(str, row.strides)),
            " ".join(map(str, row.channels)),
            f"{row.parameters:,}",
            f"`{NETS[row.name]}` ({row.blocks})",
            f"{row.se_parameters:,}",
            row.freezing,
        ]
        for row in rows
    ]
    # a cell of the patterns is code, whose signs mean nothing else
    return markdown([head, ["---"] * 4 + ["---:", "---", "---:", "---"], *lines]).replace(
        "\\`", "`"
    )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of these alone", default=NETS)
    return parser.parse_args()


def main() -> None:
    """Run the networks and print the table."""
    names = parse_args().names
    rows = [sweep_one(name, NETS[name]) for name in names]
    print(f"timm {importlib.metadata.version('timm')}, torch {torch.__version__}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
