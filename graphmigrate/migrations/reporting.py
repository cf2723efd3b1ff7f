"""What callers are told of files and history, of a plan, of a run and of an undo: the results of the façade."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.failures import DriverFailure
from graphmigrate.database.version import Version
from graphmigrate.database.violations import sizes, used_labels
from graphmigrate.errors import Severity
from graphmigrate.migrations import apply, findings
from graphmigrate.migrations.checks import with_actions
from graphmigrate.migrations.data_check import check_data
from graphmigrate.migrations.plan import make_plan
from graphmigrate.migrations.rehearse import rehearse
from graphmigrate.migrations.undo import make_undo_plan, without_fix_in_file
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
    from collections.abc import Iterable, Mapping, Sequence

    from graphmigrate.database.connection import Database
    from graphmigrate.migrations.plan import Skip, Task
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.schema.model import DdlAction, SchemaObject

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
    costs = _hazards(workspace.database, planned.tasks) if planned.tasks else {}
    if planned.everything and history.record is None:  # another run may still change the data
        catalogue = read_catalogue(workspace.database)
        problems += check_data(workspace.database, planned.everything, catalogue, how.check_data)
    problems = [without_fix_in_file(each) if how.undo else each for each in problems]
    executed: list[ExecutedStatement] = []
    if how.execute and not any(each.severity is Severity.ERROR for each in problems):
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


def migrate(
    workspace: Workspace,
    target: str | None,
    allow_out_of_order: bool,
    lock_timeout: float | None,
    check_data: str | None,
    reapply: bool,
) -> MigrateResult:
    """Apply what is pending and return what a caller is told of the run."""
    started = time.monotonic()
    planned, history, outcome = apply.migrate(
        workspace, target, allow_out_of_order, lock_timeout, check_data, reapply
    )
    complete = [version for version, row in history.rows.items() if row.complete]
    known = (*complete, *(Version.parse(each.version) for each in outcome.applied))
    return MigrateResult(
        workspace.target,
        tuple(outcome.applied),
        (*(skipped(each) for each in planned.skips), *outcome.skipped),
        _highest(known),
        time.monotonic() - started,
        planned.warnings,
    )


def undo(
    workspace: Workspace,
    to: str | None,
    steps: int | None,
    lock_timeout: float | None,
    check_data: str | None,
) -> UndoResult:
    """Take back what was applied last and return what a caller is told of the undo."""
    started = time.monotonic()
    planned, history, outcome = apply.undo(workspace, to, steps, lock_timeout, check_data)
    gone = {Version.parse(each.version) for each in outcome.undone}
    left = [row.version for row in history.rows.values() if row.complete and row.version not in gone]
    seconds = time.monotonic() - started
    return UndoResult(workspace.target, tuple(outcome.undone), _highest(left), seconds, planned.warnings)


def _highest(versions: Iterable[Version]) -> str | None:
    numbered = [version for version in versions if not version.is_named]
    return max(numbered).text if numbered else None


# ---- what a planned statement could cost

_MANY = 100_000  # entities of a label, over which an index takes so long that people should know


def _hazards(database: Database, tasks: Iterable[Task]) -> dict[int, str]:
    """Return what each statement that could cost something would do, by the statement's ``id``."""
    statements = [pair for task in tasks for segment in task.segments for pair in with_actions(segment)]
    built = {id(each): target for each, action in statements if (target := _indexed(action))}
    sizes = _sizes(database, list(built.values()))
    found: dict[int, str] = {}
    for each, _ in statements:
        said = [
            "commits by itself" if each.kind in {Kind.AUTOCOMMIT, Kind.SYSTEM} else "",
            "deletes data" if each.kind is not Kind.SCHEMA and "DELETE" in keywords(each.text) else "",
            _over(built.get(id(each)), sizes),
        ]
        if any(said):
            found[id(each)] = ", ".join(filter(None, said))
    return found


def _indexed(action: DdlAction | None) -> SchemaObject | None:
    """Return what a statement builds an index for."""
    target = action.target if action and action.verb == "create" else None
    builds = target is not None and (target.type.has_index or not target.type.is_constraint)
    return target if builds else None


def _sizes(database: Database, targets: Sequence[SchemaObject]) -> Mapping[tuple[str, str], int]:
    """Return how many entities each label has; nothing where the server does not tell."""
    labels = {(each.entity, label) for each in targets for label in each.labels}
    try:
        known = labels & (used_labels(database) or set()) if labels else set()
        return sizes(database, sorted(known)) if known else {}
    except DriverFailure:
        return {}


def _over(target: SchemaObject | None, sizes: Mapping[tuple[str, str], int]) -> str:
    if target is None:
        return ""
    number = sum(sizes.get((target.entity, label), 0) for label in target.labels)
    return f"builds an index over {number:,} {target.entity}s" if number >= _MANY else ""
