"""Convert weights to our layout or to timm's: python tools/convert_weights.py --help"""

from senet_mm.cli import convert
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(convert.main)
