"""The whole way of a run, from top to bottom: read, plan, check, lock, recover, check again, run, record.

``migrate`` is the way; ``undo`` goes it with the way back of each migration. What a run finds on the way stands in ``findings``;
what it does with one migration in ``runner``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.commit import read_after_pending
from graphmigrate.database.failures import DriverFailure
from graphmigrate.database.first_use import missing_constraints, prepare_ledger
from graphmigrate.database.history import UNDO, Attempt, undo_key
from graphmigrate.database.records import read_run_record
from graphmigrate.errors import GraphMigrateError
from graphmigrate.events import MigrationRecovered, MigrationSkipped, Notice, RunStarted
from graphmigrate.migrations import checks, data_check, findings, recovery
from graphmigrate.migrations.callbacks import run_unrecorded
from graphmigrate.migrations.model import FileKind, Outcome
from graphmigrate.migrations.plan import Plan, make_plan, nothing_to_do
from graphmigrate.migrations.recovery import Ending, close_record, open_record
from graphmigrate.migrations.run_state import RunState, record_skip
from graphmigrate.migrations.runner import Runner
from graphmigrate.migrations.undo import choose, make_undo_plan, without_fix_in_file
from graphmigrate.results import AppliedMigration

if TYPE_CHECKING:
    from graphmigrate.database.history import History
    from graphmigrate.database.lock import Lock
    from graphmigrate.migrations.model import MigrationFolder
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.schema.catalogue import Catalogue


class Run(NamedTuple):
    """What a run decided and did; ``history`` is that before its own migrations."""

    planned: Plan
    history: History
    outcome: Outcome


def migrate(
    workspace: Workspace,
    target: str | None,
    allow_out_of_order: bool,
    lock_timeout: float | None,
    check_data: str | None,
    reapply: bool = True,
) -> Run:
    """Apply what is pending: everything is checked before the lock is asked for, and what may have changed since under it.

    Without ``reapply``, what was undone stops it.
    """
    files, history = workspace.files_and_history()
    workspace.warn(history.warnings)
    # while another run is at work, or one that died is not recovered, the history cannot be held against the files
    ended = history.record is None
    planned = make_plan(workspace, files, history, target, allow_out_of_order, judge=ended, reapply=reapply)
    outcome = Outcome()
    if nothing_to_do(planned, history):
        missing = missing_constraints(workspace.database, history)  # this run makes none
        workspace.warn(missing)
        return Run(planned._replace(problems=(*planned.problems, *missing)), history, outcome)
    explained = findings.preflight(workspace, planned, history)
    with workspace.locked(lock_timeout) as lock:
        before, history = history, recover(workspace, lock, files, outcome)
        if not (ended and history.same_rows(before)):
            planned = make_plan(workspace, files, history, target, allow_out_of_order, reapply=reapply)
        if not explained:
            findings.preflight(workspace, planned, history)
        run(workspace, lock, files, planned, history, outcome, check_data)
    return Run(planned, history, outcome)


def undo(
    workspace: Workspace,
    to: str | None,
    steps: int | None,
    lock_timeout: float | None,
    check_data: str | None,
) -> Run:
    """Take back the migrations that were applied last: all is checked before the lock is asked for, and again under it."""
    files, history = workspace.files_and_history()
    workspace.warn(history.warnings)
    planned, outcome, explained = Plan(), Outcome(), False
    if history.record is None:
        planned = make_undo_plan(workspace, files, history, to, steps)
        if not planned.tasks:
            return Run(planned, history, outcome)
        explained = findings.preflight(workspace, planned, history)
    else:
        choose(history, to, steps)  # what is wrong with the words is said at once
    with workspace.locked(lock_timeout) as lock:
        before = workspace.history()
        left = _left_by_the_dead(workspace, before) if to is None else None
        history = recover(workspace, lock, files, outcome)
        if left is not None:
            steps = sum(undo_key(row.key) in left for row in history.rows.values())
            workspace.listen(
                Notice("An undo that died had begun: this one finishes it, and takes no more back.")
            )
        if left is None or steps:
            planned = make_undo_plan(workspace, files, history, to, steps)
            if not explained:
                findings.preflight(workspace, planned, history)
            run(workspace, lock, files, planned, history, outcome, check_data)
        else:
            planned = Plan()
    return Run(planned, history, outcome)


def _left_by_the_dead(workspace: Workspace, history: History) -> set[str] | None:
    """Return the keys that an undo meant to take back which never said that it ended; None where there was none."""
    record = read_run_record(workspace.database, history.record) if history.record else None
    keys = {item["key"] for item in record.plan if item["type"] == UNDO} if record else set()
    return keys or None


def recover(workspace: Workspace, lock: Lock, files: MigrationFolder, outcome: Outcome) -> History:
    """Complete the history of a run that died; return the history as it then stands."""
    history = workspace.history()
    if history.record is None:
        return history
    lock.doing("recovering a run that died")
    read = workspace.read_one
    for each in recovery.recover(workspace.database, history, files, read, {}, listen=workspace.listen):
        version, description = each.version.text, each.migration.file.description
        workspace.listen(MigrationRecovered(version, description))
        if each.complete:
            done = outcome.undone if each.migration.file.kind is FileKind.UNDO else outcome.applied
            done.append(AppliedMigration(version, description, 0.0, recovered=True))
    return workspace.history()


def run(
    workspace: Workspace,
    lock: Lock,
    files: MigrationFolder,
    planned: Plan,
    history: History,
    outcome: Outcome,
    check_data: str | None,
) -> None:
    """Record the skips, then run the tasks; ``outcome`` holds what was done, also where it ends in an error.

    The schema is read once, under the lock: it is what the plan is checked against and what the run starts from.
    """
    database = workspace.database
    catalogue = read_catalogue(database)
    _check(workspace, planned, catalogue, check_data)
    _skip(workspace, planned, history)
    if not planned.tasks and not planned.after:
        return
    workspace.listen(RunStarted(len(planned.tasks)))
    for task in planned.tasks:
        if task.row is None and task.migration.file.version in history.undone:
            workspace.listen(Notice(f"{task.name} was undone, and is applied again (@{task.application})."))
    rank = planned.rank_before(history)
    state = RunState(database, lock, rank, workspace.listen)
    try:
        if planned.before:
            run_unrecorded(workspace, lock, planned.before)
            catalogue = read_catalogue(database)
        record = open_record(database, planned, catalogue, rank)  # may be interrupted after its commit
        Runner(state, catalogue).run(planned.tasks, outcome)
        state.task = None  # what fails from here on is no migration's failure
        if planned.after:  # the record is open: killed here, the next run starts them again
            run_unrecorded(workspace, lock, planned.after)
        prepare_ledger(database)  # a statement may have dropped the constraints on our own nodes
        close_record(database, record, history, outcome, planned.tasks, catalogue)
    except BaseException as error:
        _end_unfinished(workspace, state, files, outcome, error)
        raise


def _check(workspace: Workspace, planned: Plan, catalogue: Catalogue, check_data: str | None) -> None:
    """Raise PreflightError for what the schema or the data would refuse; tell the warnings."""
    found = checks.check_catalogue(planned.everything, catalogue)
    findings.refuse(found)
    found += data_check.check_data(workspace.database, planned.everything, catalogue, check_data)
    if any(task.undoes for task in planned.tasks):
        found = [without_fix_in_file(each) for each in found]
    findings.refuse(found)
    workspace.warn(found)


def _skip(workspace: Workspace, planned: Plan, history: History) -> None:
    """Tell and record the migrations that are skipped."""
    for skip in planned.skips:
        workspace.listen(MigrationSkipped(skip.file.version.text, skip.file.description, skip.reason))
        if history.skips.get(skip.file.version.canonical) != skip.reason:
            record_skip(workspace.database, skip.file.version.canonical, skip.reason)


def _end_unfinished(
    workspace: Workspace, state: RunState, files: MigrationFolder, outcome: Outcome, error: BaseException
) -> None:
    """Complete the history as the next run would: what took effect is read, not remembered.

    Where that cannot be done now, the record stays open and the next run does it.
    """
    database = workspace.database

    result = "failed" if isinstance(error, Exception) else "interrupted"
    reason = str(error) if isinstance(error, GraphMigrateError) else result
    version = state.task.migration.file.version.canonical if state.task else None
    ending = Ending(result, outcome, version, Attempt(result, reason))
    if result == "interrupted":
        database.renew()
    with suppress(Exception):  # whatever stands in the way now, the next run does it
        state.lock.confirm()
        read_after_pending(database, lambda: None)  # what was sent must have ended before anything is judged
        with suppress(GraphMigrateError, *DriverFailure):
            state.flush()
        recovery.recover(database, workspace.history(), files, workspace.read_one, {}, ending)
