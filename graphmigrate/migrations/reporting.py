"""What callers are told of files and history, of a plan, of a run and of an undo: the results of the façade."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.database.version import Version
from graphmigrate.errors import Severity
from graphmigrate.migrations import findings
from graphmigrate.migrations.hazards import hazards
from graphmigrate.migrations.plan import make_plan
from graphmigrate.migrations.undo_plan import make_undo_plan, without_fix_in_file
from graphmigrate.results import (
    ExecutedStatement,
    MigrateResult,
    PlannedMigration,
    PlannedStatement,
    PlanResult,
    SkippedMigration,
    UndoResult,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphmigrate.database.history import History
    from graphmigrate.migrations.model import Outcome
    from graphmigrate.migrations.plan import Plan, Skip, Task
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import Target

_CODE = "def %s(tx): code, not checked"


class PlanWords(NamedTuple):
    """What a person says to ``plan``: the options of ``migrate`` or, with ``undo``, those of ``undo``."""

    target: str | None
    allow_out_of_order: bool
    check_data: str | None
    undo: bool
    steps: int | None
    execute: bool


def plan_result(workspace: Workspace, how: PlanWords) -> PlanResult:
    """Plan, check and, where that is asked for, execute and roll back; nothing is written."""
    files, history = workspace.files_and_history()
    if how.undo:
        planned = make_undo_plan(workspace, files, history, how.target, how.steps, strict=False)
    else:
        planned = make_plan(workspace, files, history, how.target, how.allow_out_of_order, strict=False)
    problems = [*planned.problems, *findings.findings(workspace, planned, history)]
    costs = hazards(workspace.database, planned.tasks) if planned.tasks else {}
    problems += findings.data_findings(workspace, planned, history, how.check_data)
    problems = [without_fix_in_file(each) if how.undo else each for each in problems]
    executed: list[ExecutedStatement] = []
    if how.execute and not any(each.severity is Severity.ERROR for each in problems):
        from graphmigrate.migrations.rehearse import rehearse

        executed, failed = rehearse(workspace, planned, history)
        problems += failed
    return PlanResult(
        workspace.target,
        tuple(planned_migration(task, costs) for task in planned.tasks),
        tuple(skipped(skip) for skip in planned.skips),
        tuple(problems),
        tuple(task.name for task in (*planned.before, *planned.after)),
        how.undo,
        tuple(executed),
    )


def skipped(skip: Skip) -> SkippedMigration:
    """Return what a caller is told of a migration that is skipped."""
    return SkippedMigration(skip.file.version.text, skip.file.description, skip.reason)


def planned_migration(task: Task, hazards: Mapping[int, str]) -> PlannedMigration:
    """Return what a caller is told of a migration that would run; ``hazards`` are those of its statements, by ``id``."""
    file = task.migration.file
    listed = tuple(
        PlannedStatement(
            statement.place.file,
            statement.place.line,
            segment.kind.value,
            _CODE % ("downgrade" if task.undoes else "upgrade") if task.migration.code else statement.text,
            hazards.get(id(statement)),
        )
        for segment in task.segments
        for statement in segment.statements
    )
    committed = task.row.committed if task.row else 0
    return PlannedMigration(
        file.version.text,
        file.description,
        file.name,
        task.first,
        task.steps,
        listed,
        committed,
        1 if task.undoes else task.application,
    )


def migrate_result(
    target: Target, planned: Plan, history: History, outcome: Outcome, seconds: float
) -> MigrateResult:
    """Return what a caller is told of a run."""
    complete = [version for version, row in history.rows.items() if row.complete]
    known = (*complete, *(Version.parse(each.version) for each in outcome.applied))
    highest = max((version for version in known if not version.is_named), default=None)
    return MigrateResult(
        target,
        tuple(outcome.applied),
        (*(skipped(each) for each in planned.skips), *outcome.skipped),
        highest.text if highest else None,
        seconds,
        planned.warnings,
    )


def undo_result(
    target: Target, planned: Plan, history: History, outcome: Outcome, seconds: float
) -> UndoResult:
    """Return what a caller is told of an undo."""
    gone = {Version.parse(each.version) for each in outcome.undone}
    left = [row.version for row in history.rows.values() if row.complete and row.version not in gone]
    highest = max((version for version in left if not version.is_named), default=None)
    version = highest.text if highest else None
    return UndoResult(target, tuple(outcome.undone), version, seconds, planned.warnings)
