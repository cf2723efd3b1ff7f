"""Whatever ends a command early, as a message and an exit code; never a stack trace unless ``--debug``."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import read_shared, suggest
from graphmigrate.cli.output import OutputFailed, flush
from graphmigrate.cli.signals import Stopped
from graphmigrate.errors import GraphMigrateError, Interrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.cli.options import CommandLine


class InternalError(GraphMigrateError):
    """A mistake in this program, not in what it was given."""

    code = "GM179"
    exit_code = 5


def report(error: BaseException, line: CommandLine, arguments: Sequence[str] = ()) -> int:
    """Print an error and return the exit code."""
    try:
        return _report(error, line, arguments)
    finally:
        flush()


def _report(error: BaseException, line: CommandLine, arguments: Sequence[str]) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError) and _is_of_click(error):
        return 0  # --help | true: a reader that has gone is no error
    if isinstance(error, click.UsageError):
        read_shared(line, arguments)
    if type(error).__name__ == "NoArgsIsHelpError" and isinstance(error, click.UsageError) and error.ctx:
        line.cli.write(sys.stderr, error.ctx.get_help())
        error = UsageError("No command was given.", hint=f"See '{error.ctx.command_path} --help'.")
    ours = as_ours(error)
    line.cli.fail(ours, error)
    return exit_code_of(ours)


def exit_code_of(error: GraphMigrateError) -> int:
    """Return the process's exit code; of an interrupted one 128 and the signal, as shells do."""
    return 128 + error.signal_number if isinstance(error, Interrupted) else error.exit_code


def as_ours(error: BaseException) -> GraphMigrateError:
    """Translate what click, the system or a mistake raised."""
    if isinstance(error, GraphMigrateError):
        return error
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Interrupted(error.number if isinstance(error, Stopped) else 2)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # click's own output: --help, --version
        return OutputFailed(f"The output cannot be written: {error.strerror}.", hint="Is the disk full?")
    if isinstance(error, MemoryError):
        return InternalError(
            "There is not enough memory.", hint="Split the file, or run where there is more."
        )
    return InternalError(
        f"Internal error: {type(error).__name__}: {error}",
        hint="This is a mistake in graphmigrate. Run again with --debug and report what it prints.",
    )


def _is_of_click(error: BaseException) -> bool:
    """Return whether click met it while it printed: --help, --version, a completion."""
    last = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1:]
    return any(frame.f_globals.get("__name__") == "click.utils" for frame in last)


def _usage(error: click.ClickException) -> UsageError:
    """Return click's complaint with the known word that is most like the one that was given."""
    context = getattr(error, "ctx", None)
    path = " ".join(context.command_path.split()) if context else "graphmigrate"
    hint = f"See '{path} --help'."
    message, word, known = _unknown(error, context)
    near = (
        "-V shows the version, --debug what happens."
        if word == "-v"
        else suggest(word, known)
        if word
        else None
    )
    return UsageError(
        message if message.endswith((".", ")", "?")) else f"{message}.",
        hint=f"{near} {hint}" if near else hint,
    )


def _unknown(error: click.ClickException, context: click.Context | None) -> tuple[str, str | None, list[str]]:
    """Return the message, and the unknown word with the known ones where that is the trouble."""
    if isinstance(error, click.NoSuchOption):
        parameters = context.command.get_params(context) if context else []
        known = [name for each in parameters for name in each.opts]
        return f"There is no option {error.option_name!r}.", error.option_name, known
    missing = getattr(error, "command_name", None)  # NoSuchCommand of click 8.4 and later
    if missing and context:
        known = [name for name, each in getattr(context.command, "commands", {}).items() if not each.hidden]
        return f"There is no command {f'{context.info_name} {missing}'!r}.", missing, known
    message = error.format_message()
    parameter = getattr(error, "param", None)
    kind, variable = getattr(parameter, "type", None), getattr(parameter, "envvar", None)
    if isinstance(variable, str) and repr(os.environ.get(variable)) in message:
        message = f"{variable}: {message}"
    quoted = re.search(r"'([^']*)' is not one of", message)
    if isinstance(kind, click.Choice) and quoted:
        return message, quoted[1], [str(each) for each in kind.choices]
    return message, None, []
