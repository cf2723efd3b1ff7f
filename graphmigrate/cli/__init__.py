"""The command line: parse, call the façade, render, exit."""

from __future__ import annotations

import sys

from graphmigrate.cli.signals import Stopped, raise_on_signals


def main() -> None:
    """Run the command named in ``sys.argv`` and exit with its code (see ``docs/reference/exit-codes.md``)."""
    try:
        raise_on_signals()
        from graphmigrate.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt as error:  # before the first command was known, or after its last word
        code = 128 + (error.number if isinstance(error, Stopped) else 2)
    sys.exit(code)
