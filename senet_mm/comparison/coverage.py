"""Tell of results that leave out images: their AP is low for that reason."""

from __future__ import annotations

from collections.abc import Collection

_MANY = 0.1  # of the images with objects; a whole results file has something for nearly each


def coverage_note(
    name: str, detected: Collection[int], with_objects: Collection[int]
) -> str | None:
    """A sentence if results have nothing for many images that have objects.

    Args:
        name: What to call the results.
        detected: The images, by index, that have a detection.
        with_objects: Those that have an object to find.
    """
    missing = len(set(with_objects) - set(detected))
    if missing <= _MANY * len(set(with_objects)):
        return None
    return (
        f"{name} has no detection for {missing:,} of the {len(set(with_objects)):,} images with "
        "objects, all of which count as not found: is it of another split, or cut short?"
    )
