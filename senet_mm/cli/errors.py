"""Errors of a command line: one line for the user, or a traceback with a request for a report."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from mmengine.dist import is_main_process

from ..runs.processes import StoppedElsewhere
from ..runs.training.interrupt import Interrupted, interruptible
from .explain import explain
from .frames import Owner, owner_of

TRACEBACK_VARIABLE = "SENET_MM_TRACEBACK"
REPORT = (
    "This is a fault of senet_mm, not of what you gave it: please report it with the command line "
    "and this traceback."
)


def run(main: Callable[[], None]) -> None:
    """Run a command line; bad input becomes one line on stderr and exit code 2.

    Ctrl-C and SIGTERM become one line too, and exit codes 130 and 143. What nobody raised on
    purpose in our code, or in a module of the user's, keeps its traceback; for ours a sentence
    asks for a report. With ``SENET_MM_TRACEBACK=1`` in the environment every error keeps it.
    """
    try:
        with interruptible():
            main()
        return
    except Interrupted as stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would leave a traceback
        code = stop.exit_code
        if is_main_process():
            print(stop, file=sys.stderr, flush=True)
    except StoppedElsewhere:  # that process has told why
        code = 2
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        line = explain(error)
        if line is None:
            if owner_of(error) is Owner.OURS:
                print(REPORT, file=sys.stderr)
            raise
        code = 2
        print(f"error: {line}", file=sys.stderr)
    # here what was interrupted is freed, so that loaders have ended their workers
    sys.exit(code)
