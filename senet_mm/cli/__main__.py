"""``python -m senet_mm.cli COMMAND ...``."""

from .main import main

if __name__ == "__main__":
    main()
