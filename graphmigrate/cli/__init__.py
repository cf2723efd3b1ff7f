"""The command line: parse, call the façade, render, exit."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

from graphmigrate.cli.signals import Stopped, raise_on_signals

# Importing makes half a million objects that stay: looking for garbage among them takes a tenth of a short command.
_OBJECTS_WHILE_STARTING = 200_000


def main() -> None:
    """Run the command named in ``sys.argv`` and exit with its code (see ``docs/reference/exit-codes.md``)."""
    gc.set_threshold(_OBJECTS_WHILE_STARTING, *gc.get_threshold()[1:])
    try:
        raise_on_signals()
        from graphmigrate.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt as error:  # before the first command was known, or after its last word
        code = 128 + (error.number if isinstance(error, Stopped) else 2)
    if sys.gettrace() or sys.getprofile() or sys.flags.dev_mode:  # whoever looks on wants an ordinary end
        sys.exit(code)
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process without taking its memory apart, which takes Python a sixth of a short command.

    What was registered for the exit is done: logs are closed, temporary folders deleted.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
            stream.flush()
    os._exit(code)
