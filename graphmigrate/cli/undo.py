"""``undo``: migrations taken back, the last applied first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import Seconds, check_data, command, placeholders, versions
from graphmigrate.cli.render.style import count, duration

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.results import UndoResult


@command("undo")
@click.option(
    "--to",
    metavar="VERSION",
    shell_complete=versions,
    help="Take back all that was applied after this version; 0: everything.",
)
@click.option("--steps", type=int, metavar="N", help="Take back the last N; default: 1.")
@click.option("--lock-timeout", type=Seconds(), help="Wait so long for another run to end; default: 600.")
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
