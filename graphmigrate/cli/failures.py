"""Whatever ends a command early, as a message and an exit code; never a stack trace unless ``--debug``."""

from __future__ import annotations

import errno
import re
import sys
import traceback
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import suggest
from graphmigrate.cli.signals import Stopped
from graphmigrate.errors import GraphMigrateError, Interrupted, UsageError

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext


class InternalError(GraphMigrateError):
    """A mistake in this program, not in what it was given."""

    code = "GM179"
    exit_code = 5


def report(error: BaseException, cli: CliContext) -> int:
    """Print an error as text and, with ``--output json``, as an object; give the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError) and _is_of_click(error):
        return 0  # --help | true: a reader that has gone is no error; 'finish' leaves the stream
    if type(error).__name__ == "NoArgsIsHelpError" and isinstance(error, click.UsageError) and error.ctx:
        cli.write(sys.stderr, error.ctx.get_help())
        error = UsageError("No command was given.", hint=f"See '{error.ctx.command_path} --help'.")
    ours = as_ours(error, cli)
    if cli.log_format:
        from graphmigrate.cli.logs import log_error

        log_error(ours, error, cli)
    else:
        _show(ours, error, cli)
    if cli.json and not cli.answered:
        from graphmigrate.cli.render.json import error_object

        cli.write_object(error_object(ours), message=True)
    if cli.markdown:
        from graphmigrate.cli.render import markdown

        cli.write(sys.stdout, cli.redact("\n".join(markdown.error(ours))))
    return exit_code_of(ours)


def _show(ours: GraphMigrateError, error: BaseException, cli: CliContext) -> None:
    if cli.debug:
        from graphmigrate.cli.render.style import clean_lines

        cli.write(sys.stderr, clean_lines("".join(traceback.format_exception(error)).rstrip()))
    from graphmigrate.cli.render.problems import error_lines

    lines = error_lines(ours, cli.style(sys.stderr))
    cli.write(sys.stderr, "\n".join(lines))


def exit_code_of(error: GraphMigrateError) -> int:
    """Give the process's exit code; an interrupted one's is the shell's custom, 128 and the signal."""
    return 128 + error.signal_number if isinstance(error, Interrupted) else error.exit_code


def as_ours(error: BaseException, cli: CliContext) -> GraphMigrateError:
    """Translate what click, the system or a mistake raised."""
    if isinstance(error, GraphMigrateError):
        return error
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Interrupted(error.number if isinstance(error, Stopped) else 2)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if is_of_the_driver(error):
        return _of_the_driver(error, cli)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # click's own output: --help, --version
        from graphmigrate.cli.context import OutputFailed

        return OutputFailed(f"The output cannot be written: {error.strerror}.", hint="Is the disk full?")
    if isinstance(error, MemoryError):
        return InternalError(
            "There is not enough memory.", hint="Split the file, or run where there is more."
        )
    return InternalError(
        f"Internal error: {type(error).__name__}: {error}",
        hint="This is a mistake in graphmigrate. Run again with --debug and report what it prints.",
    )


def is_of_the_driver(error: BaseException) -> bool:
    """Whether the driver raised it, told without importing the driver."""
    return type(error).__module__.partition(".")[0] == "neo4j"


def _is_of_click(error: BaseException) -> bool:
    """Whether click met it while it printed: --help, --version, a completion."""
    last = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1:]
    return any(frame.f_globals.get("__name__") == "click.utils" for frame in last)


def _of_the_driver(error: BaseException, cli: CliContext) -> GraphMigrateError:
    from graphmigrate.database.failures import driver_failure
    from graphmigrate.settings import Settings

    return driver_failure(error, cli.target or Settings("the database"))


def _usage(error: click.ClickException) -> UsageError:
    """Tell click's complaint with the known word that is most like the one that was given."""
    context = getattr(error, "ctx", None)
    path = " ".join(context.command_path.split()) if context else "graphmigrate"
    hint = f"See '{path.replace(' seed load', ' seed')} --help'."
    message, word, known = _unknown(error, context)
    near = suggest(word, known) if word else None
    return UsageError(
        message if message.endswith((".", ")", "?")) else f"{message}.",
        hint=f"{near} {hint}" if near else hint,
    )


def _unknown(error: click.ClickException, context: click.Context | None) -> tuple[str, str | None, list[str]]:
    """Give the message, and the word that is not among the known ones where that is the trouble."""
    if isinstance(error, click.NoSuchOption):
        parameters = context.command.get_params(context) if context else []
        known = [name for each in parameters for name in each.opts]
        return f"There is no option {error.option_name!r}.", error.option_name, known
    missing = getattr(error, "command_name", None)  # NoSuchCommand of click 8.4 and later
    if missing and context:
        known = [name for name, each in getattr(context.command, "commands", {}).items() if not each.hidden]
        return f"There is no command {f'{context.info_name} {missing}'!r}.", missing, known
    message = error.format_message()
    kind = getattr(getattr(error, "param", None), "type", None)
    quoted = re.search(r"'([^']*)' is not one of", message)
    if isinstance(kind, click.Choice) and quoted:
        return message, quoted[1], [str(each) for each in kind.choices]
    return message, None, []
