"""Options that every command takes, before or after its name; the later one wins."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from graphmigrate.errors import UsageError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OUTPUTS = ("text", "json", "markdown")
WITH_MARKDOWN = ("plan", "status")
LOG_FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")
EPILOG = "Options of every command (--uri, --database, --output, --quiet …): graphmigrate --help"


class SharedOption(click.Option):
    """An option of every command; its help stands on the root command only."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Give the line of help."""
        return super().get_help_record(ctx) if ctx.parent is None else None


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if parameter.name and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
        ctx.obj.given[parameter.name] = value


def _option(*names: str, **more: Any) -> SharedOption:
    return SharedOption(names, expose_value=False, callback=_remember, **more)


def _setting(*names: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: an option of some commands that is a setting, and so also in environment and file."""
    return click.option(*names, expose_value=False, callback=_remember, **more)


allow_empty = _setting(
    "--allow-empty",
    is_flag=True,
    help="A folder without migrations is no error [GRAPHMIGRATE_ALLOW_EMPTY].",
)


check_data = _setting(
    "--check-data",
    type=click.Choice(("auto", "always", "never")),
    help="Look first for values that new constraints would refuse; auto: up to a million of a label, 30 seconds.",
)


def shared_options() -> list[click.Parameter]:
    """Make these options, once for each command."""
    return [
        _option("--uri", metavar="URI", help="The database, for example bolt://localhost:7687 [NEO4J_URI]."),
        _option("--username", metavar="NAME", help="[NEO4J_USERNAME]"),
        _option(
            "--password-file", metavar="PATH", help="A file that holds the password [NEO4J_PASSWORD_FILE]."
        ),
        _option("--password", is_flag=True, help="Ask for the password [NEO4J_PASSWORD]."),
        _option("--database", metavar="NAME", help="Its name; default: the user's own [NEO4J_DATABASE]."),
        _option(
            "--ca-file", metavar="PATH", help="Certificates to trust instead of the system's [NEO4J_CA_FILE]."
        ),
        _option("--migrations", metavar="PATH", help="The folder of migrations; default: migrations."),
        _option("--seeds", metavar="PATH", help="The folder of seeds; default: seeds."),
        _option("--config", metavar="PATH", help="The configuration file; default: graphmigrate.toml."),
        _option("--env-file", metavar="PATH", help="A file of NAME=value lines; default: .env."),
        _option(
            "--output",
            type=click.Choice(OUTPUTS),
            help="How results are printed; default: text. Markdown: plan and status.",
        ),
        _option("--quiet", "-q", is_flag=True, help="Print errors and results only."),
        _option(
            "--log-format",
            type=click.Choice(LOG_FORMATS),
            help="Tell what happens as log lines on standard error [GRAPHMIGRATE_LOG_FORMAT].",
        ),
        _option(
            "--log-level",
            type=click.Choice(LEVELS),
            help="The least that is logged; default: info [GRAPHMIGRATE_LOG_LEVEL].",
        ),
        _option("--debug", is_flag=True, help="Show stack traces and what is logged."),
    ]


def add_shared(command: click.Command) -> None:
    """Give a command, and all commands in it, the shared options that it does not define itself."""
    if any(isinstance(each, SharedOption) for each in command.params):
        return
    taken = {name for each in command.params for name in each.opts}
    command.params.extend(each for each in shared_options() if taken.isdisjoint(each.opts))
    command.epilog = command.epilog or EPILOG
    if isinstance(command, click.Group):
        for each in command.commands.values():
            add_shared(each)


def check_password_flag(arguments: Sequence[str], commands: Iterable[str]) -> None:
    """Refuse a password on the command line, where every process can read it, without repeating it (GM155)."""
    for index, word in enumerate(arguments):
        if word == "--":
            return
        following = arguments[index + 1] if word == "--password" and index + 1 < len(arguments) else "-"
        if word.startswith("--password=") or not (following.startswith("-") or following in commands):
            raise UsageError(
                "--password takes no value: it asks for the password.",
                hint="Use NEO4J_PASSWORD or --password-file in scripts; put --password last where it is meant to ask.",
                code="GM155",
            )


class Seconds(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A time in seconds, not below zero."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            self.fail(f"{value!r} is not a number of seconds, such as 30 or 2.5", param, ctx)
        return seconds


def suggest(word: str, known: list[str]) -> str | None:
    """Say which known word was probably meant."""
    found = closest(word, known)
    return f"Did you mean {found!r}?" if found else None


def command(name: str, **more: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command; its function gets the CliContext first."""

    def declare(function: Callable[..., Any]) -> click.Command:
        decorate = cast(Callable[[Callable[..., Any]], click.Command], click.command(name, **more))
        return decorate(click.pass_obj(function))

    return declare
