"""SE before the sum in fewer passes over the maps: what is chosen, and how it runs."""

from .choose import Choice, Path, Tail, choose
from .run import run

__all__ = ["Choice", "Path", "Tail", "choose", "run"]
