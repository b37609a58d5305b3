"""Compare detectors, the baseline first: python tools/compare.py --help"""

from senet_mm.cli import compare
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(compare.main)
