"""Options that every command takes, before or after its name; the later one wins."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from graphmigrate.errors import TITLES, GraphMigrateError, UsageError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.cli.context import CliContext
    from graphmigrate.settings import Settings

ASK = "\0"  # stands for --password without a value
OUTPUTS = ("text", "json", "markdown", "github", "junit")
IN_CI = ("github", "junit")
LOG_FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")
EPILOG = "Options of every command (--uri, --database, --output, --quiet …): graphmigrate --help"


class CommandLine:
    """What stands on a command line; the rest of its context is imported when a command begins."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    @cached_property
    def cli(self) -> CliContext:
        """Return what the command prints by and reaches the project with."""
        from graphmigrate.cli.context import CliContext

        return CliContext(self.given)


class SharedOption(click.Option):
    """An option of every command; its help stands on the root command only."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the line of help."""
        return super().get_help_record(ctx) if ctx.parent is None else None


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what the command line says, the later place before the earlier, and then what the environment says."""
    name, source = str(parameter.name), ctx.get_parameter_source(str(parameter.name))
    if source is ParameterSource.COMMANDLINE:
        if name == "password" and value != ASK:
            raise UsageError(
                "--password takes no value: it asks for the password.",
                hint="Use NEO4J_PASSWORD or --password-file in scripts; put --password last where it is meant to ask.",
                code="GM155",
            )
        ctx.obj.given[name] = value
    elif source is ParameterSource.ENVIRONMENT:
        ctx.obj.given.setdefault(name, value)


def _option(*names: str, **more: Any) -> SharedOption:
    return SharedOption(names, expose_value=False, callback=_remember, is_eager=True, **more)


def _variable(name: str) -> dict[str, str]:
    return {"envvar": f"GRAPHMIGRATE_{name}"}


def _setting(*names: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: an option of some commands that is a setting, and so also in environment and file."""
    return click.option(*names, expose_value=False, callback=_remember, **more)


allow_empty = _setting(
    "--allow-empty",
    is_flag=True,
    help="A folder without migrations is no error [GRAPHMIGRATE_ALLOW_EMPTY].",
)


allow = _setting(
    "--allow",
    metavar="any-label=V7",
    multiple=True,
    help="Run this version, or seed, though it may reach graphmigrate's own nodes [GRAPHMIGRATE_ALLOW].",
)


placeholders = _setting(
    "--set",
    "set",
    metavar="NAME=VALUE",
    multiple=True,
    help="The value of a placeholder that the configuration lists [GRAPHMIGRATE_SET_NAME].",
)


check_data = _setting(
    "--check-data",
    type=click.Choice(("auto", "always", "never")),
    help="Look first for values that new constraints would refuse; auto: up to a million of a label, 30 seconds.",
)


def shared_options() -> list[click.Parameter]:
    """Return these options, made anew for each command."""
    return [*_setting_options(), *_output_options()]


def _setting_options() -> list[click.Parameter]:
    return [
        _option("--uri", metavar="URI", help="The database, for example bolt://localhost:7687 [NEO4J_URI]."),
        _option("--username", metavar="NAME", help="[NEO4J_USERNAME]"),
        _option(
            "--password-file", metavar="PATH", help="A file that holds the password [NEO4J_PASSWORD_FILE]."
        ),
        _option(
            "--password",
            metavar="",
            is_flag=False,
            flag_value=ASK,
            help="Ask for the password [NEO4J_PASSWORD].",
        ),
        _option("--database", metavar="NAME", help="Its name; default: the user's own [NEO4J_DATABASE]."),
        _option(
            "--ca-file", metavar="PATH", help="Certificates to trust instead of the system's [NEO4J_CA_FILE]."
        ),
        _option("--migrations", metavar="PATH", help="The folder of migrations; default: migrations."),
        _option("--seeds", metavar="PATH", help="The folder of seeds; default: seeds."),
        _option("--config", metavar="PATH", help="The configuration file; default: graphmigrate.toml."),
        _option("--env-file", metavar="PATH", help="A file of NAME=value lines; default: .env."),
    ]


def _output_options() -> list[click.Parameter]:
    return [
        _option(
            "--output",
            type=click.Choice(OUTPUTS),
            help="How results are printed; default: text. Markdown: plan, status; GitHub, JUnit: plan, validate, seed check.",
            **_variable("OUTPUT"),
        ),
        _option("--quiet", "-q", is_flag=True, help="Print errors and results only.", **_variable("QUIET")),
        _option(
            "--log-format",
            type=click.Choice(LOG_FORMATS),
            help="Print log lines on standard error in place of messages [GRAPHMIGRATE_LOG_FORMAT].",
            **_variable("LOG_FORMAT"),
        ),
        _option(
            "--log-level",
            type=click.Choice(LEVELS),
            help="The least that is logged; default: info [GRAPHMIGRATE_LOG_LEVEL].",
            **_variable("LOG_LEVEL"),
        ),
        _option("--debug", is_flag=True, help="Show stack traces and what is logged.", **_variable("DEBUG")),
    ]


def add_shared(command: click.Command) -> None:
    """Add to a command, and to all commands in it, the shared options that it does not define itself."""
    if any(isinstance(each, SharedOption) for each in command.params):
        return
    taken = {name for each in command.params for name in each.opts}
    command.params.extend(each for each in shared_options() if taken.isdisjoint(each.opts))
    command.epilog = command.epilog or EPILOG
    if isinstance(command, click.Group):
        for each in command.commands.values():
            add_shared(each)


def read_shared(line: CommandLine, arguments: Sequence[str]) -> None:
    """Read the shared options alone, from a command line that click could not parse."""
    lenient = {"ignore_unknown_options": True, "allow_extra_args": True}
    only = click.Command("options", params=shared_options(), context_settings=lenient, add_help_option=False)
    with suppress(UsageError):  # what click complained about comes first
        only.make_context("options", list(arguments), obj=line, resilient_parsing=True)


class Seconds(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A time in seconds, not below zero."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            self.fail(f"{value!r} is not a number of seconds, such as 30 or 2.5", param, ctx)
        return seconds


def versions_option(
    name: str, text: str, metavar: str = "VERSION"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: an option that takes versions, and can be given several times."""
    return click.option(name, metavar=metavar, multiple=True, shell_complete=versions, help=text)


lock_timeout = click.option(
    "--lock-timeout", type=Seconds(), help="Wait so long for another run to end; default: 600."
)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return a question with the known word that was probably meant."""
    near = closest(word, known)
    return f"Did you mean {near!r}?" if near else None


def pass_cli(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command's function get the CliContext first."""

    @click.pass_obj
    @wraps(function)
    def passing(line: CommandLine, *args: Any, **given: Any) -> Any:
        return function(line.cli, *args, **given)

    return passing


def command(
    name: str, *, outputs: Sequence[str] = (), **more: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command; its function gets the CliContext first. ``outputs``: what it has beside text and JSON."""

    def declare(function: Callable[..., Any]) -> click.Command:
        @pass_cli
        @wraps(function)
        def checked(cli: CliContext, *args: Any, **given: Any) -> Any:
            cli.check_output(name, *outputs)
            return function(cli, *args, **given)

        decorate = cast(Callable[[Callable[..., Any]], click.Command], click.command(name, **more))
        return decorate(checked)

    return declare


# ---- what a shell completes: read from the project's files


def versions(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a version from the names of the files."""
    from graphmigrate.database.version import Version  # the reader of names would read all of Cypher's rules

    stems = [each.stem for each in _settings().migrations.rglob("[VR]*__*")]
    found = set()
    for stem in stems:
        with suppress(GraphMigrateError):
            found.add(Version.parse(stem if stem.startswith("R__") else stem.partition("__")[0][1:]))
    capital = incomplete[:1].upper() in {"V", ""}
    return _beginning([each.name if capital else each.text for each in sorted(found)], incomplete)


def seed_names(_ctx: click.Context, _parameter: click.Parameter | None, incomplete: str) -> list[str]:
    """Complete a seed from the names of the files."""
    suffix = ".cypher.j2"
    found = sorted(_settings().seeds.glob(f"[!_.]*{suffix}"))
    return _beginning([each.name.removesuffix(suffix) for each in found], incomplete)


def codes(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete an error code."""
    return _beginning(TITLES, incomplete)


def _settings() -> Settings:
    """Read the project's settings; where they are wrong nothing is completed from them."""
    from graphmigrate.settings import Settings, load

    try:
        return load(connect=False).settings
    except GraphMigrateError:
        return Settings()


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [each for each in words if each.lower().startswith(incomplete.lower())]
