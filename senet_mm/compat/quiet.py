"""Imports of the stack without what its packages say about optional parts that nobody asked for.

The maintained forks print a line for OneDL's data sets, twice, and warn of another evaluation.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

_PRINTED = "Could not import OneDL. Skipping OneDL datasets.\n"
_WARNED = "faster_coco_eval is not installed"


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Leave these notes out; whatever else is printed comes when the imports are done."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.filterwarnings("ignore", _WARNED)
            yield
    finally:
        sys.stdout.write(printed.getvalue().replace(_PRINTED, ""))
