"""The root command: finds the others lazily, and turns whatever happens into a message and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.context import CliContext
from graphmigrate.cli.options import SharedOption, add_shared, check_password_flag, shared_options, suggest
from graphmigrate.cli.signals import calm
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "graphmigrate"
COMPLETE = "_GRAPHMIGRATE_COMPLETE"
HELP = """Schema migrations and seeds for Neo4j: exactly once, whatever dies.

Files in migrations/ and seeds/ are applied to the database at NEO4J_URI, or to the project's local server."""
# Section -> command -> (where it is, what it does): the help is written without importing any of them.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Migrations": {
        "migrate": ("migrations:migrate", "Apply every pending migration."),
        "plan": ("migrations:plan", "Show what 'migrate' would do; changes nothing."),
        "status": ("migrations:status", "Show each migration's state; changes nothing."),
        "validate": ("migrations:validate", "Report every problem of files and history; changes nothing."),
        "baseline": ("migrations:baseline", "Mark everything up to a version as already there."),
        "repair": ("migrations:repair", "Resolve disagreements of history and files."),
        "wait": ("migrations:wait", "Wait until the database answers."),
        "entrypoint": ("entrypoint:entrypoint", "Wait, migrate, seed, then become a container's command."),
    },
    "Seeds": {
        "seed": ("seeds:seed", "Load seeds; 'seed list' shows them."),
        "summary": ("summary:summary", "Show what the graph holds and where to look at it."),
    },
    "Project": {
        "doctor": ("doctor:doctor", "Check the way to the database, and the database."),
        "init": ("project:init", "Turn a folder into a project that works at once."),
        "new": ("project:new", "Begin the next migration."),
        "server": ("server:server", "Start and stop a real local Neo4j for development."),
        "explain": ("explain:explain", "Show what an error code means and what to do."),
        "completion": ("completion:completion", "Let your shell complete commands and options."),
    },
}
_PLACES = {name: place for section in COMMANDS.values() for name, (place, _) in section.items()}


class Root(click.Group):
    """Loads a command's module when the command is used, and suggests one where none has that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it)
        """Give the names in the order of the help."""
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command."""
        if cmd_name not in _PLACES:
            return None
        module, attribute = _PLACES[cmd_name].split(":")
        command = getattr(import_module(f"graphmigrate.cli.{module}"), attribute)
        add_shared(command)
        return command  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begin with; raises UsageError with a suggestion."""
        name = args[0]
        if name not in _PLACES and not ctx.resilient_parsing:
            hint = suggest(name, list(_PLACES)) or "'graphmigrate --help' lists the commands."
            raise UsageError(f"There is no command {name!r}.", hint=hint)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: they are what people look for."""
        self.format_commands(ctx, formatter)
        shared = [each for each in self.get_params(ctx) if isinstance(each, SharedOption)]
        others = [each for each in self.get_params(ctx) if each not in shared]
        for title, parameters in (
            ("Options of every command, before or after it", shared),
            ("Others", others),
        ):
            with formatter.section(title):
                formatter.write_dl([row for each in parameters if (row := each.get_help_record(ctx))])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by section."""
        for title, commands in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"{NAME} {version(NAME)}")
        ctx.exit()


@click.group(
    NAME,
    cls=Root,
    help=HELP,
    params=shared_options(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.pass_context
def root(ctx: click.Context) -> None:
    """Show the help where no command is given: that is a usage error, since nothing was done."""
    if ctx.invoked_subcommand is None:
        ctx.obj.write(sys.stderr, ctx.get_help())
        raise UsageError("No command was given.", hint="For example: graphmigrate status")
    ctx.obj.check_output(ctx.invoked_subcommand)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; every error has become a message."""
    cli = CliContext(arguments)
    try:
        code = _invoke(cli)
    except BaseException as error:
        calm()
        from graphmigrate.cli.failures import report

        code = report(error, cli)
    return cli.finish(code)


def _invoke(cli: CliContext) -> int:
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, NAME, COMPLETE, os.environ[COMPLETE])
    check_password_flag(cli.arguments, {*_PLACES, "list", "start", "stop", "status", "url", "logs"})
    try:
        with root.make_context(NAME, list(cli.arguments), obj=cli) as ctx:
            root.invoke(ctx)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    return 0
