"""Detect objects in pictures: python tools/infer.py --help"""

from senet_mm.cli import infer
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(infer.main)
