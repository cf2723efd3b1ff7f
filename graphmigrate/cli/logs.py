"""Logging on standard error, for ``--log-format``, ``--log-level`` and ``--debug``; no secret stands in it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from graphmigrate.cli.render.style import clean_lines
from graphmigrate.errors import Problem

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.errors import GraphMigrateError

_OURS = logging.getLogger("graphmigrate")
_CLI = logging.getLogger("graphmigrate.cli")
_DRIVER = logging.getLogger("neo4j")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
TEXT = "%(asctime)s %(name)s %(levelname)s %(message)s"


class Redacting(logging.Formatter):
    """Replaces secrets, and what would steer a terminal, in the finished line of another formatter."""

    def __init__(self, inner: logging.Formatter, cli: CliContext) -> None:
        super().__init__()
        self._inner = inner
        self._cli = cli

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        line = self._inner.format(record)
        if self._cli.log_format == "json":
            from json import loads

            return self._cli.encoded(loads(line), sys.stderr, message=True, indent=None)
        return self._cli.redact(clean_lines(line))


def set_up(cli: CliContext) -> None:
    """Show what is logged as the cli was told; else keep the driver's warnings off the screen.

    What those say reaches a person as an error of ours. Done once.
    """
    if any(isinstance(each.formatter, Redacting) for each in _OURS.handlers):
        return
    if not (cli.debug or cli.log_format):
        _DRIVER.addHandler(logging.NullHandler())
        return
    # else of a line that cannot be written, the arguments are printed as they are
    logging.raiseExceptions = False
    level = _LEVELS.get(cli.log_level, logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting(_formatter(cli), cli))
    for logger in (_OURS, _DRIVER):
        logger.addHandler(handler)
    _OURS.setLevel(level)
    _DRIVER.setLevel(max(level, logging.WARNING))  # what it says below that holds the values of parameters


def _formatter(cli: CliContext) -> logging.Formatter:
    if cli.log_format == "json":
        from graphmigrate.log import JsonFormatter

        return JsonFormatter()
    return logging.Formatter(TEXT)


def log_text(text: str, cli: CliContext) -> None:
    """Log what else would be told to a person."""
    set_up(cli)
    for line in text.splitlines():
        if line.strip():
            _CLI.info("%s", line.strip())


def log_problem(problem: Problem, cli: CliContext) -> None:
    """Log a finding."""
    set_up(cli)
    _CLI.warning("%s", problem, extra={"problem": problem})


def log_error(ours: GraphMigrateError, error: BaseException, cli: CliContext) -> None:
    """Log what ended the command: each of its findings, or itself; with the stack where ``--debug`` asks for it."""
    set_up(cli)
    itself = Problem(ours.error_code, ours.message, ours.hint, ours.place)
    for each in [*(each for each in ours.problems if each.message != ours.message), itself]:
        _CLI.error(
            "%s", each, extra={"problem": each}, exc_info=error if cli.debug and each is itself else None
        )
