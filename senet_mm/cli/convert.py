"""Convert weights to our layout or to timm's: senet-mm convert IN OUT.pth ..."""

import argparse
from collections.abc import Sequence

from mmengine.config import Config

from ..layers import SEConfig
from ..weights.convert import LAYOUTS, convert, write
from ..weights.read.sources import fetch
from ..weights.recognize.backbone import find_backbone
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
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="read a pickle that holds more than tensors, which can run code: only if you trust it",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    checkpoint = fetch(args.source, unsafe=args.unsafe)
    weights = find_backbone(checkpoint, args.prefix)
    stated = Config(dict())
    stated.merge_from_dict(args.backbone or {})
    converted, report = convert(
        checkpoint,
        weights,
        to=args.to,
        backbone_only=args.backbone_only,
        stated=stated.to_dict(),
    )
    path = write(converted, args.out, force=args.force)
    print(f"\n{report.table()}\n")
    meta = converted["meta"]["senet_mm"]
    print(f"backbone={meta['backbone']}\ndata_preprocessor: {weights.preprocessing.as_config()}")
    print(f"Written: {path}")
