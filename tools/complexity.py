"""Parameters and multiply-adds per stage: python tools/complexity.py --help"""

from senet_mm.cli import complexity
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(complexity.main)
