"""Whose COCOeval matches detections to objects."""

from __future__ import annotations

from typing import Any

from pycocotools.cocoeval import COCOeval

ENGINES = ("pycocotools", "vernier")


def evaluator_of(engine: str) -> type[Any]:
    """The class ``COCOeval`` of an engine.

    Raises:
        ImportError: If it is not installed.
        ValueError: If there is no such engine.
    """
    if engine == "pycocotools":
        return COCOeval
    if engine != "vernier":
        raise ValueError(f"engine is {engine!r}; expected one of {', '.join(ENGINES)}")
    try:
        import vernier
    except ImportError as error:
        raise ImportError(
            f"engine vernier cannot be imported ({error}): pip install vernier, or "
            "leave it out, the numbers are the same"
        ) from error
    return vernier.COCOeval
