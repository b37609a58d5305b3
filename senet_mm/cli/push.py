"""Put a trained model on the Hugging Face hub: senet-mm push RUN OWNER/REPO"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..runs.publish import check_repo, push, write_model
from ..runs.work_dir import config_and_checkpoint, make_run, read_run
from .arguments import Parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm push",
        description="Put the weights of a training, its config and a card that tells what it is "
        "on the Hugging Face hub; hf://OWNER/REPO is then a checkpoint wherever one may stand",
        epilog="`hf auth login` or the variable HF_TOKEN says who you are.",
    )
    parser.add_argument("run", help="work dir of a training, or CONFIG,CHECKPOINT")
    parser.add_argument("repo", metavar="OWNER/REPO", help="made if it is not there")
    parser.add_argument(
        "--checkpoint", help="another checkpoint of the work dir than its last, such as its best"
    )
    parser.add_argument("--license", metavar="ID", help="on the card, such as apache-2.0")
    parser.add_argument("--private", action="store_true", help="a new repository is yours to see")
    parser.add_argument(
        "--dry-run", metavar="DIR", help="write what would be pushed into this new folder instead"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    check_repo(args.repo)
    given = config_and_checkpoint(args.run)
    if given is not None:
        config, checkpoint = given
        run = make_run(config, checkpoint, Path(checkpoint).parent)
    else:
        run = read_run(args.run)
    if args.checkpoint:
        run = replace(run, checkpoint=Path(args.checkpoint))
    if args.dry_run is None:
        print(f"Pushed: {push(run, args.repo, private=args.private, license=args.license)}")
        return
    folder = Path(args.dry_run)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"--dry-run {folder} is there already: name a new folder")
    for file in write_model(run, args.repo, folder, license=args.license):
        print(f"Written: {file} ({file.stat().st_size / 1e6:.1f} MB)")
