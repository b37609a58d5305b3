"""What SE gates do: python tools/analyze_gates.py --help"""

from senet_mm.cli import gates
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(gates.main)
