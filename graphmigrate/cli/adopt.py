"""``adopt``: from another tool's history, or a folder of scripts, to ours."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import command, versions_option
from graphmigrate.cli.render.style import count
from graphmigrate.errors import UsageError
from graphmigrate.results import version_name
from graphmigrate.value import Value

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.results import AdoptResult


class RenameReport(Value):
    """The files that were renamed, or would be: each the old name and the new one."""

    renamed: bool
    files: tuple[tuple[str, str], ...]


@command("adopt")
@click.option("--dry-run", is_flag=True, help="Show what would be taken over; changes nothing.")
@click.option("--project", metavar="NAME", help="The project of neo4j-python-migrations whose history it is.")
@versions_option("--accept", "Take a file as it is, though it is not what was applied.")
@click.option(
    "--rename",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Give the scripts of a folder names that are read here, and do nothing else.",
)
@click.option("--yes", is_flag=True, help="With --rename: do it without asking.")
def adopt(
    cli: CliContext,
    dry_run: bool,
    project: str | None,
    accept: tuple[str, ...],
    rename: Path | None,
    yes: bool,
) -> None:
    """Take over the history of neo4j-migrations, neo4j-python-migrations or golang-migrate.

    What they applied counts as applied here, after each file was compared with the checksum in their history. Nothing of
    theirs is changed.
    """
    if rename is not None:
        _rename(cli, rename, yes=yes, dry_run=dry_run)
        return
    with cli.migrator() as migrator:
        result = migrator.adopt(project=project, accept=accept, dry_run=dry_run)
    cli.result(result, lambda _: _lines(result))
    known = f"; {count(result.known, 'version')} known already" if result.known else ""
    if not result.adopted:
        cli.say(f"Nothing to do: all of {result.tool}'s history is known already.")
    else:
        word = "Would adopt" if dry_run else "Adopted"
        cli.say(
            f"{word} {count(len(result.adopted), 'version')} of {result.tool}{known}; its own history stays as it is."
        )


def _lines(result: AdoptResult) -> list[str]:
    rows = [
        (
            version_name(each.version),
            each.description,
            f"{each.installed_on:%Y-%m-%d %H:%M}" if each.installed_on else "",
            each.file or "",
            each.compared,
        )
        for each in result.adopted
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _rename(cli: CliContext, folder: Path, *, yes: bool, dry_run: bool) -> None:
    """Show the commands, ask, and rename."""
    from graphmigrate.migrations.adopt import renames

    moves = renames(folder)
    lines = [f"git mv {shlex.quote(str(old))} {shlex.quote(str(new))}" for old, new in moves]
    done = False
    if moves and not dry_run:
        if not yes:
            cli.say("\n".join(lines))
        if not yes and not (sys.stdin.isatty() and click.confirm("Rename these files?", err=True)):
            raise UsageError(
                "Nothing was renamed.",
                hint="Run the commands above, or say --yes (--dry-run only shows them).",
            )
        for old, new in moves:
            try:
                os.rename(old, new)
            except OSError as error:
                raise UsageError(
                    f"{old} cannot be renamed: {error.strerror}.",
                    hint="Check the folder's rights.",
                    code="GM167",
                ) from None
        done = True
    report = RenameReport(done, tuple((str(old), str(new)) for old, new in moves))
    cli.result(report, lambda _: lines)
    cli.say(f"Renamed {count(len(moves), 'file')}." if done else "Nothing was renamed.")
