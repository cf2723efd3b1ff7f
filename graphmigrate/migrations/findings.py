"""What speaks against a plan before its first statement: files, history, statements, server, data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.model import Kind
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.first_use import missing_constraints
from graphmigrate.database.guard import allowed_names
from graphmigrate.database.preflight import explain, explain_conditions
from graphmigrate.database.target import target_problems
from graphmigrate.errors import PreflightError, Problem, SchemaLocked, Severity, raise_all
from graphmigrate.events import CheckStarted
from graphmigrate.migrations import checks, plan
from graphmigrate.migrations.checks import may_be_skipped, reaching_ours, with_actions
from graphmigrate.migrations.files import files_for
from graphmigrate.migrations.standing import compare, of_history, told_mismatches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.database.history import History
    from graphmigrate.migrations.plan import Plan
    from graphmigrate.migrations.workspace import Workspace


MANY = 100  # statements whose check takes so long that people should know


def validate(workspace: Workspace) -> tuple[Problem, ...]:
    """Collect every problem of files, history and pending statements."""
    files, migrations, problems = workspace.read_all()
    if any(each.code == "GM110" and each.severity is Severity.ERROR for each in problems):
        return tuple(problems)  # every version in the history would be missing, for one and the same reason
    history = workspace.history()
    entries = compare(files_for(files, history), history)
    problems.extend(told_mismatches(files, entries, history))
    problems.extend(missing_constraints(workspace.database, history))
    chosen = plan.candidates(entries, target=None, allow_out_of_order=True)
    pairs = [
        (each, migrations.get(each.file) or workspace.read_one(each.file)) for each in chosen if each.file
    ]
    planned = plan.build(pairs, history, workspace.target, workspace.settings.ledger, allow_out_of_order=True)
    planned = plan.with_callbacks(workspace, files, history, planned)
    problems += [*planned.problems, *findings(workspace, planned, history)]
    return tuple(dict.fromkeys(problems))  # GM211 speaks of the history and of the statements


def findings(workspace: Workspace, planned: Plan, history: History) -> list[Problem]:
    """Collect what the checks and the server say of the planned statements, without a lock."""
    found = [*_about_server(workspace, planned, history), *of_history(history)]
    found += checked(workspace, planned, history)
    try:
        return [*found, *_explained(workspace, planned)]
    except SchemaLocked as locked:
        return [*found, Problem(locked.code, locked.message, locked.hint, severity=Severity.WARNING)]


def checked(workspace: Workspace, planned: Plan, history: History) -> list[Problem]:
    """Judge the plan's statements, along the catalogue where it stands still."""
    if not planned.everything:
        return []
    found = checks.check_statements(planned.everything, workspace.target, workspace.settings.allow)
    if history.record is not None:  # the run at work, or the next one, still changes the catalogue
        return found
    return [*found, *checks.check_catalogue(planned.everything, read_catalogue(workspace.database))]


def preflight(workspace: Workspace, planned: Plan, history: History) -> bool:
    """Refuse what the files alone or the server's parser refuse, before the lock is even asked for.

    False where the server cannot say yet, because another run's schema change is under way: ask again with the lock, which
    is when a run that never ends was ended.
    """
    found = _about_server(workspace, planned, history)
    refuse(found)
    found += checks.check_statements(planned.everything, workspace.target, workspace.settings.allow)
    try:
        found += _explained(workspace, planned)
    except SchemaLocked:
        refuse(found)
        return False
    workspace.warn((*planned.problems, *found))
    refuse(found)
    return True


def _about_server(workspace: Workspace, planned: Plan, history: History) -> list[Problem]:
    """Judge the server and the database, and the language that the planned files will run under."""
    if not planned.everything:
        return []
    server = workspace.target
    found = list(target_problems(server.database, server.version, workspace.facts))
    return [*found, *plan.other_language(planned, history, workspace.facts.language)]


def _explained(workspace: Workspace, planned: Plan) -> list[Problem]:
    """Let the server parse and plan every statement, and the queries of conditions that are still to be asked."""
    tasks = {
        statement: task
        for task in planned.everything
        for segment in task.segments
        for statement, action in with_actions(segment)
        if segment.kind is not Kind.CODE and (statement.language or not (action and action.plain))
    }
    statements = list(tasks)
    if len(statements) >= MANY:
        workspace.listen(CheckStarted(len(statements)))
    guarded = {
        each.place.file
        for task in planned.everything
        if may_be_skipped(task)
        for each in task.migration.statements
    }
    asked = [
        (each.value, each.place)
        for task in planned.everything
        if task.row is None
        for each in task.migration.header.queries
    ]
    found = explain_conditions(workspace.database, asked) if asked else []
    if not statements:
        return found
    allowed = allowed_names(workspace.settings.allow)
    return found + explain(
        workspace.database, statements, guarded, lambda each: reaching_ours(each, tasks[each], allowed)
    )


def refuse(problems: Sequence[Problem]) -> None:
    """Raise PreflightError where any of these is an error."""
    errors = _unique(each for each in problems if each.severity is Severity.ERROR)
    raise_all(errors, PreflightError, "{count} statements would fail; nothing was run.")


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the first finding at each place."""
    found: dict[object, Problem] = {}
    for problem in problems:
        found.setdefault(problem.place or problem, problem)
    return list(found.values())
