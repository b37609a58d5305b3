"""A command line that is run in this process, and what it came to."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import pytest

from senet_mm.cli.main import main


@dataclass(frozen=True)
class Attempt:
    """What a command line came to: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines that name an error."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


def run_command(capfd: pytest.CaptureFixture, *arguments: object) -> Attempt:
    """Run ``senet-mm COMMAND ...`` through ``main()``, as the command does."""
    capfd.readouterr()
    code = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["senet-mm", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:
            traceback.print_exc()
            code = 1
    return Attempt(code, *capfd.readouterr())
