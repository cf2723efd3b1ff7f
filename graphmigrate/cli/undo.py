"""``undo`` and ``clean``: migrations taken back, and everything taken away."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import check_data, command, lock_timeout, placeholders, versions
from graphmigrate.cli.render.style import clean as printable
from graphmigrate.cli.render.style import count, duration
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.results import CleanResult, UndoResult


@command("undo")
@click.option(
    "--to",
    metavar="VERSION",
    shell_complete=versions,
    help="Take back all that was applied after this version; 0: everything.",
)
@click.option("--steps", type=int, metavar="N", help="Take back the last N; default: 1.")
@lock_timeout
@check_data
@placeholders
def undo(cli: CliContext, to: str | None, steps: int | None, lock_timeout: float | None) -> None:
    """Take back what was applied last: the last migration, or several in reverse order of their application.

    Constraints and indexes are taken back by what was recorded of them, data by a file U<version>__<description>.cypher.
    Everything is checked before anything is changed; 'plan --undo' shows it. Run it again after any failure: it continues.
    """
    with cli.migrator() as migrator:
        result = migrator.undo(to=to, steps=steps, lock_timeout=lock_timeout)
    for each in result.warnings:
        cli.warn(each)
    cli.say(_outcome(result))
    cli.result(result, lambda _: [])


def _outcome(result: UndoResult) -> str:
    at = f"at version {result.version}" if result.version else "empty"
    if not result.undone:
        return f"Nothing to undo: the schema is {at}."
    names = f"Undid {count(len(result.undone), 'migration')} in {duration(result.seconds)}; the schema is now {at}."
    return f"{names}\ngraphmigrate migrate applies them again: delete or change their files where that is not meant."


@command("clean")
@click.option("--all-data", is_flag=True, help="Also delete every node and relationship.")
@click.option("--yes", is_flag=True, help="Do not ask for the database's name.")
def clean(cli: CliContext, all_data: bool, yes: bool) -> None:
    """Drop the constraints and indexes that migrations of this history made, and the history; data stay without --all-data.

    Shows first what would go, and asks for the name of the database. Refuses a target that is marked protected.
    """
    with cli.migrator() as migrator:
        planned = migrator.clean(all_data=all_data, dry_run=True)
        for each in planned.problems:
            cli.warn(each)
        cli.say(_going(planned))
        if not yes:
            _confirm(planned.target.database)
        result = migrator.clean(all_data=all_data)
    cli.say("Done.")
    cli.result(result, lambda _: [])


def _going(result: CleanResult) -> str:
    """Say what would go."""
    lines = [f"This goes in the database {result.target.database} at {result.target.uri}:"]
    for what, names in (("constraint", result.constraints), ("index", result.indexes)):
        lines += [f"  {what} {printable(each)}" for each in names]
    lines.append(f"  {result.records:,} of graphmigrate's own nodes: the history")
    if result.nodes is not None:
        lines.append(f"  all data: {result.nodes:,} nodes, {result.relationships:,} relationships")
    return "\n".join(lines)


def _confirm(database: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on; nothing was changed.",
            hint="Look at what goes, and say --yes where it is meant.",
        )
    if click.prompt(f"Type {database} to go on", default="", show_default=False, err=True) != database:
        raise UsageError("That is not the name of the database; nothing was changed.", hint="Run it again.")
