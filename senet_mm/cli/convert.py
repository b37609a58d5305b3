"""Convert weights to our layout or to timm's: senet-mm convert IN OUT.pth ..."""

import argparse
from collections.abc import Sequence

from mmengine.config import Config

from ..layers import SEConfig
from ..runs.config import read_config
from ..weights.convert import LAYOUTS, convert, convert_other, write
from ..weights.read.sources import fetch
from ..weights.recognize.backbone import ANCHOR, find_backbone
from .arguments import KeyValues, Parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="senet-mm convert", description="Convert weights of any known family")
    parser.add_argument("source", help="file, URL or name (timm://..., mmcls://...)")
    parser.add_argument("out", help="NAME.pth; the start of its sha256 is added to the name")
    parser.add_argument("--to", choices=LAYOUTS, default=LAYOUTS[0], help="layout to write")
    parser.add_argument(
        "--backbone-only", action="store_true", help="leave classifier, neck and heads out"
    )
    parser.add_argument("--prefix", help="where the backbone is, if the file has several")
    parser.add_argument(
        "--backbone",
        nargs="+",
        action=KeyValues,
        metavar="KEY=VALUE",
        help="what a bare file of your own does not tell: style, stem_pool, "
        f"se_cfg.{{{','.join(SEConfig().hidden())}}}",
    )
    parser.add_argument(
        "--config",
        help="a config with the backbone that the weights are for, if it is no ResNet, ResNeXt or "
        "SENet",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="read a pickle that holds more than tensors, which can run code: only if you trust it",
    )
    args = parser.parse_args(argv)
    if args.config and (args.backbone or args.to != LAYOUTS[0]):
        parser.error("--config goes with neither --backbone nor --to timm: those are for ResNets")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    checkpoint = fetch(args.source, unsafe=args.unsafe)
    if args.config:
        converted, report = convert_other(
            checkpoint,
            read_config(args.config).model.backbone.to_dict(),
            prefix=args.prefix,
            backbone_only=args.backbone_only,
        )
    elif not any(key.endswith(ANCHOR) for key in checkpoint.state_dict):
        raise ValueError(
            f"{args.source} holds no net of the ResNet family: give --config CONFIG, one with the "
            "backbone that these weights are for"
        )
    else:
        stated = Config(dict())
        stated.merge_from_dict(args.backbone or {})
        converted, report = convert(
            checkpoint,
            find_backbone(checkpoint, args.prefix),
            to=args.to,
            backbone_only=args.backbone_only,
            stated=stated.to_dict(),
        )
    path = write(converted, args.out, force=args.force)
    print(f"\n{report.table()}\n")
    meta = converted["meta"]["senet_mm"]
    images = report.preprocessing.as_config() if report.preprocessing else "not known"
    print(f"backbone={meta['backbone']}\ndata_preprocessor: {images}")
    print(f"Written: {path}")
