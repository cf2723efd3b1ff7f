"""What ``status`` says of each version; it imports nothing that only a run needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.database.first_use import missing_constraints
from graphmigrate.migrations.standing import entries_of, told_mismatches
from graphmigrate.results import Status, StatusRow

if TYPE_CHECKING:
    from graphmigrate.migrations.standing import Entry
    from graphmigrate.migrations.workspace import Workspace


def status(workspace: Workspace) -> Status:
    """Return every version's state, and every difference between files and history."""
    files, history = workspace.files_and_history(strict=False)
    entries = entries_of(workspace, files, history)
    problems = [*files.problems, *told_mismatches(files, entries, history)]
    problems += missing_constraints(workspace.database, history)
    return Status(workspace.target, tuple(map(status_row, entries)), tuple(problems))


def status_row(entry: Entry) -> StatusRow:
    """Return what a caller is told of a version's state."""
    row = entry.row
    return StatusRow(
        version=entry.version.text,
        description=entry.description,
        state=entry.state,
        file=entry.file.name if entry.file else None,
        installed_on=row.installed_on if row else None,
        installed_by=row.installed_by if row else None,
        execution_time=row.execution_time if row else None,
        type=row.type if row else None,
        detail=entry.detail,
    )
