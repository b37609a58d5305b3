"""Train a detector: python tools/train.py --help"""

from senet_mm.cli import train
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(train.main)
