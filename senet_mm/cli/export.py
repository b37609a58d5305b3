"""Write a whole detector as an ONNX file: senet-mm export CONFIG CHECKPOINT OUT.onnx"""

import argparse
import copy
import sys
from collections.abc import Sequence
from pathlib import Path

from ..compat.extras import needed
from ..export.agreement import agreement
from ..export.check import compare
from ..export.detector import PRECISIONS, PlainDetector
from ..export.int8 import write_int8
from ..export.load import describe, load_detector
from ..export.onnx_file import write_onnx
from ..export.pictures import pictures_in, pictures_to_check
from ..export.runtime import OnnxDetector
from ..io.outputs import check_output
from ..layers.fuse import fuse_for_inference
from ..runs.config import load_config
from ..runs.task import Task, expect_task
from ..weights.read.sources import fetch
from .arguments import KeyValues, Parser, integer

_SUFFIX = ".onnx"
_FP32, _, _INT8 = PRECISIONS
_NUM_IMAGES = 50


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm export",
        description="Write a detector, from picture to boxes, as an ONNX file, and check it",
    )
    parser.add_argument("config", help="config file, best the one saved in the work dir")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("out", help=f"the file to write, NAME{_SUFFIX}")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--size",
        type=integer(32),
        nargs=2,
        metavar=("H", "W"),
        help="take pictures of this height and width alone, into which others are fitted",
    )
    sizes.add_argument(
        "--dynamic", action="store_true", help="take pictures of any size (the default)"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=_FP32,
        help=f"of the layers; {_INT8}: of those of backbone and neck",
    )
    parser.add_argument(
        "--calibration-images",
        nargs="+",
        metavar="PATH",
        help=f"of {_INT8}: pictures, or folders of them, such as the detector will see",
    )
    parser.add_argument(
        "--num-images",
        type=integer(1),
        metavar="N",
        help=f"of {_INT8}: how many of these to calibrate on (default: {_NUM_IMAGES})",
    )
    parser.add_argument(
        "--no-nms",
        dest="nms",
        action="store_false",
        help="give all candidates, for a suppression of your own",
    )
    parser.add_argument(
        "--fold-bn", action="store_true", help="fold batch norm into the convolutions first"
    )
    parser.add_argument(
        "--check",
        nargs="+",
        default=[],
        metavar="PICTURE",
        help="compare the file with mmdet on these (default: pictures of the test set if they are "
        "there, else generated ones)",
    )
    parser.add_argument("--cfg-options", nargs="+", action=KeyValues, help="settings to override")
    args = parser.parse_args(argv)
    if not args.out.endswith(_SUFFIX):
        parser.error(f"{args.out}: expected a name that ends in {_SUFFIX}")
    if args.precision == _INT8 and not args.calibration_images:
        parser.error(
            f"--precision {_INT8} needs --calibration-images: pictures, or a folder of them, such "
            "as the detector will see"
        )
    if args.precision != _INT8 and (args.calibration_images or args.num_images):
        parser.error(
            f"--calibration-images and --num-images go with --precision {_INT8}, not with "
            f"{args.precision}"
        )
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    for package in ("onnx", "onnxruntime"):
        needed(package)
    check_output(args.out, "OUT")
    calibration = pictures_in(args.calibration_images or [], args.num_images or _NUM_IMAGES)
    cfg = load_config(args.config, options=args.cfg_options)
    expect_task(cfg, Task.DETECTION, "senet-mm export")
    checkpoint = fetch(args.checkpoint)
    model = load_detector(cfg, checkpoint)
    exported = copy.deepcopy(model)
    if args.fold_bn:
        fuse_for_inference(exported)
    detector = PlainDetector(exported, suppress=args.nms, precision=args.precision).eval()
    size = tuple(args.size) if args.size else None
    about = describe(cfg, checkpoint, detector, size=size)
    out = Path(args.out)
    if args.precision == _INT8:
        print(write_int8(detector, out, size=size, description=about, pictures=calibration))
    else:
        write_onnx(detector, out, size=size, description=about)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {', '.join(detector.outputs)}")
    if not args.nms:
        return  # mmdet gives no candidates to compare with
    file, pictures = OnnxDetector(out), pictures_to_check(cfg, args.check)
    if args.precision == _INT8:
        print(f"beside mmdet: {agreement(model, file, pictures)}")
        return
    differences = compare(model, file, pictures)
    print(f"beside mmdet: {differences}")
    if args.precision == _FP32 and not differences.within_tolerance:
        print(
            "note: more than float32 explains on most pictures: look at them before you use it",
            file=sys.stderr,
        )
