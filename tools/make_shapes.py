"""Write the embedded shapes set: python tools/make_shapes.py --help"""

from senet_mm.cli import shapes
from senet_mm.cli.errors import run

if __name__ == "__main__":
    run(shapes.main)
