"""What a run would do and what speaks against it; takes no lock and writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphmigrate.database.version import Version
from graphmigrate.errors import (
    HistoryMismatch,
    MigrationFailed,
    PreflightError,
    Problem,
    ProjectError,
    SchemaLocked,
    Severity,
    UsageError,
    raise_all,
)
from graphmigrate.events import CheckStarted
from graphmigrate.migrations import plan
from graphmigrate.migrations.plan import UNFINISHED
from graphmigrate.results import (
    MigrateResult,
    PlannedMigration,
    PlannedStatement,
    SkippedMigration,
    State,
    StatusRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.database.history import History
    from graphmigrate.migrations.model import Migration, MigrationFolder
    from graphmigrate.migrations.outcome import Outcome
    from graphmigrate.migrations.plan import Entry, Plan
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import Target
    from graphmigrate.settings import Settings

MANY = 100  # statements whose check takes so long that people should know
_DIFFER = "History and files differ in {count} places; nothing was run."


def make_plan(
    workspace: Workspace,
    files: MigrationFolder,
    history: History,
    target: str | None,
    allow_out_of_order: bool,
    *,
    strict: bool = True,
    judge: bool = True,
) -> Plan:
    """Decide what to run; ``strict`` raises what would stop a run, of the history only where it is to be judged."""
    entries = plan.compare(files.files, history)
    limit = _limit(target, entries)
    found = plan.mismatches(entries, history, allow_out_of_order=allow_out_of_order)
    if strict and judge:
        raise_all(found, HistoryMismatch, _DIFFER)
    chosen = plan.candidates(entries, target=limit, allow_out_of_order=allow_out_of_order)
    if not chosen:
        return plan.Plan(problems=tuple(found))
    pairs, problems = _read_all(workspace, chosen, strict=strict)
    planned = plan.build(
        pairs, history, workspace.target, workspace.settings.ledger, allow_out_of_order=allow_out_of_order
    )
    if strict and judge:
        _raise_planned(planned)
    return plan.Plan(planned.tasks, planned.skips, (*found, *problems, *planned.problems))


def validate(workspace: Workspace, *, offline: bool) -> tuple[Problem, ...]:
    """Collect every problem of files, history and pending statements; ``offline`` judges the files alone."""
    files = workspace.files(strict=False)
    problems = list(files.problems)
    migrations: dict[Version, Migration] = {}
    for file in files.files:
        migrations[file.version], found = workspace.read(file)
        problems.extend(found)
    if offline or any(each.code == "GM110" and each.severity is Severity.ERROR for each in problems):
        return tuple(problems)  # every version in the history would be missing, for one and the same reason
    history = workspace.history()
    entries = plan.compare(files.files, history)
    problems.extend(mismatches(files, entries, history))
    chosen = plan.candidates(entries, target=None, allow_out_of_order=True)
    pairs = [(entry, migrations[entry.version]) for entry in chosen]
    planned = plan.build(pairs, history, workspace.target, workspace.settings.ledger, allow_out_of_order=True)
    problems += [*planned.problems, *findings(workspace, planned, history)]
    return tuple(dict.fromkeys(problems))  # GM211 speaks of the history and of the statements


def standing(workspace: Workspace, files: MigrationFolder, history: History) -> tuple[Entry, ...]:
    """Return every version with the state that a run would find: what was skipped once is judged as file and server are now."""
    entries = plan.compare(files.files, history)
    return tuple(_judged_anew(workspace, entry, history) for entry in entries)


def _judged_anew(workspace: Workspace, entry: Entry, history: History) -> Entry:
    if entry.file is None or entry.state not in {State.SKIPPED, *UNFINISHED}:
        return entry
    migration, _ = workspace.read(entry.file)
    if entry.state in UNFINISHED:
        return plan.with_progress(entry, len(migration.statements))
    return plan.judged_anew(entry, migration.header, history, workspace.target)


def mismatches(files: MigrationFolder, entries: Sequence[Entry], history: History) -> list[Problem]:
    """Name every disagreement; where the folder is wrong, that comes first: a file that was not read is not missing."""
    found = [*plan.mismatches(entries, history), *_of_history(history)]
    if all(each.severity is not Severity.ERROR for each in files.problems):
        return found
    hint = "Fix what is wrong with the migrations folder first: that may be the cause."
    return [replace(each, hint=hint) if each.code in {"GM602", "GM603"} else each for each in found]


def nothing_to_do(planned: Plan, history: History) -> bool:
    """Whether the history says all that a run would: no task, no run that died, every skip recorded."""
    known = all(history.skips.get(each.file.version.canonical) == each.reason for each in planned.skips)
    return not planned.tasks and history.record is None and known


def findings(workspace: Workspace, planned: Plan, history: History) -> list[Problem]:
    """Collect what the checks and the server say of the planned statements, without a lock."""
    found = [*_about_server(workspace, planned, history), *_of_history(history)]
    found += checked(workspace, planned, history)
    try:
        return [*found, *_explained(workspace, planned)]
    except SchemaLocked as locked:
        return [*found, Problem(locked.code, locked.message, locked.hint, severity=Severity.WARNING)]


def checked(workspace: Workspace, planned: Plan, history: History) -> list[Problem]:
    """Judge the plan's statements, along the catalogue where it stands still."""
    from graphmigrate.database.catalogue import read_catalogue
    from graphmigrate.migrations import checks

    if not planned.tasks:
        return []
    if history.record is not None:  # the run at work, or the next one, still changes the catalogue
        return checks.check_statements(planned.tasks, workspace.target, workspace.settings.allow)
    return checks.check(
        planned.tasks, workspace.target, read_catalogue(workspace.database), workspace.settings.allow
    )


def preflight(workspace: Workspace, planned: Plan, history: History) -> bool:
    """Refuse what the files alone or the server's parser refuse, before the lock is even asked for.

    False where the server cannot say yet, because another run's schema change is under way: ask again with the lock, which
    is when a run that never ends was ended.
    """
    from graphmigrate.events import Warned
    from graphmigrate.migrations import checks

    found = _about_server(workspace, planned, history)
    refuse(found)
    found += checks.check_statements(planned.tasks, workspace.target, workspace.settings.allow)
    try:
        found += _explained(workspace, planned)
    except SchemaLocked:
        refuse(found)
        return False
    for problem in (*planned.problems, *found):
        if problem.severity is Severity.WARNING:
            workspace.listen(Warned(problem))
    refuse(found)
    return True


def _about_server(workspace: Workspace, planned: Plan, history: History) -> list[Problem]:
    """Judge the server and the database, and the language that the planned files will run under."""
    from graphmigrate.database.target import target_problems

    if not planned.tasks:
        return []
    server = workspace.target
    found = list(target_problems(server.database, server.version, workspace.facts))
    return [*found, *plan.other_language(planned, history, workspace.facts.language)]


def data_findings(
    workspace: Workspace, planned: Plan, history: History, how: str | None = None
) -> list[Problem]:
    """Return what in the data stands in the way of the plan; nothing while another run may still change them."""
    from graphmigrate.database.catalogue import read_catalogue
    from graphmigrate.migrations.data_check import check_data

    if not planned.tasks or history.record is not None:
        return []
    return check_data(workspace.database, planned.tasks, read_catalogue(workspace.database), how)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise PreflightError where any of these is an error."""
    errors = _unique(each for each in problems if each.severity is Severity.ERROR)
    raise_all(errors, PreflightError, "{count} statements would fail; nothing was run.")


def warn(workspace: Workspace, history: History) -> None:
    """Tell what is not ours on the ledger's nodes."""
    from graphmigrate.events import Warned

    for problem in history.warnings:
        workspace.listen(Warned(problem))


def refuse_pending(workspace: Workspace) -> None:
    """Raise UsageError (GM213) while migrations are pending: seeds go into an up-to-date schema only."""
    history = workspace.history()
    warn(workspace, history)
    entries = standing(workspace, workspace.files(may_be_empty=True), history)
    waiting = [each for each in entries if each.state in {State.PENDING, *UNFINISHED}]
    if waiting:
        names = ", ".join(each.name for each in waiting[:5])
        raise UsageError(
            f"{len(waiting)} migration(s) are pending ({names}); seeds are loaded into an up-to-date schema only.",
            hint="Run first: graphmigrate migrate",
            code="GM213",
        )


def refuse_protected(settings: Settings, profile: str | None, *, yes: bool) -> None:
    """Raise UsageError (GM530) where the target is marked protected and nobody insists on this profile."""
    if settings.protected and not (profile and yes):
        raise UsageError(
            "This target is marked as protected in the configuration: no seeds are loaded into it by accident.",
            hint="If you mean it, name the profile and confirm: graphmigrate seed --profile NAME --yes",
            code="GM530",
        )


def _explained(workspace: Workspace, planned: Plan) -> list[Problem]:
    """Let the server parse and plan every statement, and the queries of conditions that are still to be asked."""
    from graphmigrate.database.preflight import explain, explain_conditions
    from graphmigrate.migrations.checks import may_be_skipped, with_actions

    statements = [
        statement
        for task in planned.tasks
        for segment in task.remaining
        for statement, action in with_actions(segment)
        if statement.language or not (action and action.plain)
    ]
    if len(statements) >= MANY:
        workspace.listen(CheckStarted(len(statements)))
    guarded = {
        each.place.file
        for task in planned.tasks
        if may_be_skipped(task)
        for each in task.migration.statements
    }
    asked = [
        (each.value, each.place)
        for task in planned.tasks
        if task.row is None
        for each in task.migration.header.queries
    ]
    found = explain_conditions(workspace.database, asked) if asked else []
    return found + explain(workspace.database, statements, guarded) if statements else found


def _read_all(
    workspace: Workspace, chosen: Sequence[Entry], *, strict: bool
) -> tuple[list[tuple[Entry, Migration]], list[Problem]]:
    """Read the chosen files; every problem of all of them at once."""
    pairs: list[tuple[Entry, Migration]] = []
    problems: list[Problem] = []
    for entry in chosen:
        if entry.file is not None:
            migration, found = workspace.read(entry.file)
            problems.extend(found)
            pairs.append((entry, migration))
    errors = [each for each in problems if each.severity is Severity.ERROR]
    if strict:
        raise_all(errors, ProjectError, "{count} problems in the pending files; nothing was run.")
    return pairs, problems


def _of_history(history: History) -> list[Problem]:
    """Return what the history alone gives reason to warn of."""
    return [*([] if history.record is None else [_UNFINISHED]), *history.warnings]


_UNFINISHED = Problem(
    "GM211",
    "Another run is at work here, or one died: what it left is not taken into account.",
    "The next `graphmigrate migrate` waits for it, or completes its history first.",
    severity=Severity.WARNING,
)


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the first finding at each place."""
    found: dict[object, Problem] = {}
    for problem in problems:
        found.setdefault(problem.place or problem, problem)
    return list(found.values())


def _raise_planned(planned: Plan) -> None:
    """Raise what building the plan found: unmet asserts are failures, the rest is a matter of history."""
    asserts = [each for each in planned.errors if each.code == "GM503"]
    raise_all(asserts, MigrationFailed, "{count} asserts do not hold here; nothing was run.")
    raise_all(planned.errors, HistoryMismatch, _DIFFER)


def _limit(target: str | None, entries: Sequence[Entry]) -> Version | None:
    if target is None:
        return None
    version = Version.parse(target)
    if all(entry.version != version for entry in entries):
        known = ", ".join(entry.name for entry in entries[-3:]) or "none"
        raise UsageError(
            f"There is no migration V{version.text}.", hint=f"The last ones are: {known}.", code="GM119"
        )
    return version


# ---- what callers are told


def skipped(skip: plan.Skip) -> SkippedMigration:
    """Return what a caller is told of a migration that is skipped."""
    return SkippedMigration(skip.file.version.text, skip.file.description, skip.reason)


def planned_migration(task: plan.Task) -> PlannedMigration:
    """Return what a caller is told of a migration that would run."""
    file = task.migration.file
    statements = tuple(
        PlannedStatement(statement.file, statement.place.line, segment.kind.value, statement.text)
        for segment in task.remaining
        for statement in segment.statements
    )
    return PlannedMigration(
        file.version.text, file.description, file.name, task.first, task.steps, statements
    )


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


def migrate_result(
    target: Target, planned: Plan, history: History, outcome: Outcome, seconds: float
) -> MigrateResult:
    """Return what a caller is told of a run."""
    complete = (version for version, row in history.rows.items() if row.complete)
    highest = max((*complete, *(Version.parse(each.version) for each in outcome.applied)), default=None)
    return MigrateResult(
        target,
        tuple(outcome.applied),
        (*(skipped(each) for each in planned.skips), *outcome.skipped),
        highest.text if highest else None,
        seconds,
        tuple(each for each in planned.problems if each.severity is Severity.WARNING),
    )
