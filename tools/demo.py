"""A plain and an SE detector, trained and compared: python tools/demo.py --help"""

from senet_mm.cli import demo
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(demo.main)
