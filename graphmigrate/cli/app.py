"""The root command: imports the others when they are used, and turns each error into a message and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import CommandLine, SharedOption, add_shared, shared_options, suggest
from graphmigrate.cli.signals import calm
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

NAME = "graphmigrate"
COMPLETE = "_GRAPHMIGRATE_COMPLETE"
HELP = """Schema migrations and seeds for Neo4j: exactly once, whatever dies.

Files in migrations/ and seeds/ are applied to the database at NEO4J_URI, or to the project's local server."""
# Section -> command -> (where it is, what it does): the help is written without importing any of them.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Migrations": {
        "migrate": ("migrations:migrate", "Apply every pending migration."),
        "plan": ("migrations:plan", "Show what 'migrate' would do; changes nothing."),
        "undo": ("undo:undo", "Take back what was applied last."),
        "clean": ("undo:clean", "Drop what migrations made, and the history."),
        "status": ("migrations:status", "Show each migration's state; changes nothing."),
        "validate": ("migrations:validate", "Report every problem of files and history; changes nothing."),
        "run": ("migrations:run", "Run one file of Cypher, without a trace in the history."),
        "baseline": ("migrations:baseline", "Mark everything up to a version as already there."),
        "adopt": ("adopt:adopt", "Take over what another tool has applied."),
        "repair": ("migrations:repair", "Resolve differences between history and files."),
        "wait": ("migrations:wait", "Wait until the database answers."),
        "entrypoint": ("entrypoint:entrypoint", "Wait, migrate, seed, then become a container's command."),
    },
    "Seeds": {
        "seed": ("seeds:seed", "Load seeds; 'seed list' shows them."),
        "summary": ("seeds:summary", "Show what the graph holds and where to look at it."),
    },
    "Project": {
        "doctor": ("support:doctor", "Check the way to the database, and the database."),
        "import": ("project:import_file", "Make a seed and a migration from a CSV file."),
        "init": ("project:init", "Turn a folder into a project that works at once."),
        "new": ("project:new", "Begin the next migration."),
        "squash": ("squash:squash", "Put one file in place of the oldest migrations."),
        "server": ("server:server", "Start and stop a real local Neo4j for development."),
        "explain": ("support:explain", "Show what an error code means and what to do."),
        "completion": ("support:completion", "Let your shell complete commands and options."),
    },
}
_PLACES = {name: place for section in COMMANDS.values() for name, (place, _) in section.items()}
# What other tools call their commands, and where that leads here.
ELSEWHERE = {
    **dict.fromkeys(("up", "apply", "update", "upgrade"), "'graphmigrate migrate' applies what is pending."),
    **dict.fromkeys(
        ("info", "history", "current", "show"), "'graphmigrate status' shows each migration's state."
    ),
    **dict.fromkeys(
        ("create", "generate", "revision", "make"), "'graphmigrate new DESCRIPTION' begins a migration."
    ),
    **dict.fromkeys(
        ("down", "downgrade", "rollback"), "'graphmigrate undo' takes back what was applied last."
    ),
    **dict.fromkeys(
        ("drop", "reset"),
        "'graphmigrate clean' drops what migrations made, with --all-data everything; 'graphmigrate seed --reset' removes what "
        "seeds made; a local server started with 'graphmigrate server start --ephemeral' begins empty.",
    ),
}


class Root(click.Group):
    """Loads a command's module when the command is used, and suggests one where none has that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it)
        """Return the names in the order of the help."""
        return list(_PLACES)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command from the table, without importing any."""
        named = [(name, text) for section in COMMANDS.values() for name, (_, text) in section.items()]
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, text in named if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

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
        """Return the command that ``args`` begin with; ``help X`` is ``X --help``. Raises UsageError with a suggestion."""
        if args[0] == "help":
            args = [*args[1:], "--help"]
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
        if args[0] not in _PLACES and not ctx.resilient_parsing:
            hint = ELSEWHERE.get(args[0]) or suggest(args[0], _PLACES)
            raise UsageError(
                f"There is no command {args[0]!r}.", hint=hint or "'graphmigrate --help' lists the commands."
            )
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


@click.group(
    NAME,
    cls=Root,
    help=HELP,
    params=shared_options(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    None, "-V", "--version", package_name=NAME, prog_name=NAME, message="%(prog)s %(version)s"
)
@click.pass_context
def root(ctx: click.Context) -> None:
    """Show the help where no command is given: that is a usage error, since nothing was done."""
    if ctx.invoked_subcommand is None:
        ctx.obj.cli.write(sys.stderr, ctx.get_help())
        raise UsageError("No command was given.", hint="For example: graphmigrate status")


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error has become a message."""
    line = CommandLine()
    try:
        code = _invoke(line, list(arguments))
    except BaseException as error:
        calm()
        from graphmigrate.cli.failures import report

        code = report(error, line, arguments)
    return code


def _invoke(line: CommandLine, arguments: list[str]) -> int:
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, NAME, COMPLETE, os.environ[COMPLETE])
    try:
        with root.make_context(NAME, arguments, obj=line) as ctx:
            root.invoke(ctx)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    return 0
