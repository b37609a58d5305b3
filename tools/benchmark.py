"""Time SE against the plain net and against others: python tools/benchmark.py --help"""

from senet_mm.cli import benchmark
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(benchmark.main)
