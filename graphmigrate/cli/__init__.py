"""The command line: parse, call the façade, render, exit."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command named in ``sys.argv`` and exit with its code (see ``docs/exit-codes.md``)."""
    from graphmigrate.cli.app import run

    sys.exit(run(sys.argv[1:]))
