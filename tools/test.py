"""Evaluate a checkpoint: python tools/test.py --help"""

from senet_mm.cli import test
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(test.main)
