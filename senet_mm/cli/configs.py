"""List the packaged configs, or write one out: senet-mm configs 'faster_rcnn*'"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ..compat.packaged_configs import PREFIX
from ..io.files import whole_file
from ..io.near_names import nearest
from ..runs.config import read_config
from ..runs.config_index import PackagedConfig, packaged_configs
from .arguments import Parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm configs",
        description="List the packaged configs, what they are and what they are twins of; "
        f"{PREFIX}NAME is the config wherever one may stand",
    )
    parser.add_argument(
        "pattern", nargs="?", default="*", help="names to list, as a shell has it: '*_se_r50*'"
    )
    parser.add_argument(
        "--out",
        metavar="FILE.py",
        help="write the one config that is named, whole, without its bases, to be changed",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    pattern = args.pattern.removeprefix(PREFIX).removesuffix(".py")
    every = packaged_configs()
    found = [config for config in every if fnmatchcase(config.name, pattern)]
    if not found:
        raise ValueError(f"no config {pattern!r}{nearest(pattern, [c.name for c in every])}")
    if args.out:
        _write(found, pattern, Path(args.out))
        return
    width = max(len(config.name) for config in found)
    for config in found:
        twin = f" (twin of {config.twin})" if config.twin else ""
        print(f"{config.name:<{width}}  {config.data}: {config.description}{twin}")


def _write(found: Sequence[PackagedConfig], pattern: str, out: Path) -> None:
    if len(found) > 1:
        raise ValueError(f"--out writes one config, but {len(found)} are named {pattern!r}")
    if out.suffix != ".py":
        raise ValueError(f"--out {out}: expected a name that ends in .py")
    if out.exists():
        raise FileExistsError(f"--out {out} exists already")
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out) as unfinished:
        unfinished.write_text(read_config(f"{PREFIX}{found[0].name}.py").pretty_text)
    print(f"Written: {out}")
