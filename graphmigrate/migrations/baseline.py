"""Baseline: what is there already is marked as applied, and nothing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.database.commit import Step, write_steps
from graphmigrate.database.ledger import new_row, progress
from graphmigrate.database.records import item_of, record_change
from graphmigrate.errors import UsageError
from graphmigrate.migrations import standing
from graphmigrate.migrations.files import files_for
from graphmigrate.results import BaselineResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History
    from graphmigrate.database.version import Version
    from graphmigrate.migrations.model import MigrationFile, MigrationFolder

BASELINE = "baseline"


def baseline(
    database: Database, files: MigrationFolder, history: History, limit: Version, *, without_files: bool
) -> BaselineResult:
    """Commit a row for every version up to ``limit`` that has a file and no row, without running anything.

    Raises UsageError (GM610) where ``limit`` itself has neither, unless it is to be marked ``without_files``.
    """
    entries = [
        entry
        for entry in standing.compare(files_for(files, history), history)
        if entry.file and entry.row is None and entry.version <= limit
    ]
    marks: list[tuple[Version, MigrationFile | None]] = [(each.version, each.file) for each in entries]
    if limit not in history.rows and all(entry.version != limit for entry in entries):
        if not without_files:
            raise _no_file(limit, files)
        marks.append((limit, None))
    ranks = enumerate(marks, history.top_rank + 1)
    mark(
        database,
        history,
        [(version, marked(version, file, database, rank)) for rank, (version, file) in ranks],
    )
    return BaselineResult(tuple(version.text for version, _ in marks))


def _no_file(limit: Version, files: MigrationFolder) -> UsageError:
    below = [file for file in files.files if file.version < limit][-2:]
    above = [file for file in files.files if file.version > limit][:1]
    near = ", ".join(f"{file.version.name} ({file.name})" for file in (*below, *above))
    return UsageError(
        f"There is no migration {limit.name} in {files.path}; nothing was marked.",
        hint=(f"The nearest ones are {near}. " if near else "There is no migration file at all. ")
        + f"To mark {limit.name} all the same: graphmigrate baseline {limit.name} --without-files",
        code="GM610",
    )


def mark(database: Database, history: History, marks: Iterable[tuple[Version, dict[str, Any]]]) -> None:
    """Commit the rows of versions that are there already, with a record of them."""
    steps = [
        Step(history.next_key(database.settings.ledger, version), 1, row, version.name)
        for version, row in marks
    ]
    if steps:
        with database.transaction() as tx:
            write_steps(tx, steps, database.run)
            record_change(tx, database, BASELINE, [item_of(each.key, each.values) for each in steps], [])


def marked(
    version: Version,
    file: MigrationFile | None,
    database: Database,
    rank: int,
    *,
    description: str = BASELINE,
    user: str | None = None,
) -> dict[str, Any]:
    """Return the row of a version that was never run here; ``description`` is that of one without a file."""
    first = new_row(
        version,
        description=file.description if file else description,
        source=file.name if file else None,
        user=user or database.user,
        rank=rank,
        type_=BASELINE,
    )
    return first | progress(file.checksum if file else None, 0, 0, (), database.run)
