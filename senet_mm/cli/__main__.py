"""``python -m senet_mm.cli COMMAND ...``."""

from .main import main

main()
