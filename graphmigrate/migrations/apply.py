"""Carrying a plan out under the lock: a run that died is recovered first, then the tasks run between two records."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from graphmigrate.database.history import Attempt
from graphmigrate.errors import GraphMigrateError
from graphmigrate.events import MigrationRecovered, MigrationSkipped, RunStarted, Warned
from graphmigrate.migrations import checks, data_check
from graphmigrate.migrations import repair as repairs
from graphmigrate.migrations.preview import refuse
from graphmigrate.results import AppliedMigration

if TYPE_CHECKING:
    from graphmigrate.database.history import History
    from graphmigrate.database.lock import Lock
    from graphmigrate.database.version import Version
    from graphmigrate.migrations.model import MigrationFolder
    from graphmigrate.migrations.outcome import Outcome
    from graphmigrate.migrations.plan import Plan
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import RepairAction


def recover_dead(workspace: Workspace, lock: Lock, files: MigrationFolder, outcome: Outcome) -> History:
    """Complete the history of a run that died; return the history as it then stands."""
    history = workspace.history()
    if history.record is None:
        return history
    from graphmigrate.migrations.recovery import recover

    lock.doing("recovering a run that died")
    for each in recover(workspace.database, history, files, workspace.read_one, {}, listen=workspace.listen):
        version, description = each.version.text, each.migration.file.description
        workspace.listen(MigrationRecovered(version, description))
        if each.complete:
            outcome.applied.append(AppliedMigration(version, description, 0.0, recovered=True))
    return workspace.history()


def repair(
    workspace: Workspace, files: MigrationFolder, wanted: dict[str, set[Version]]
) -> tuple[RepairAction, ...]:
    """Do what a person said of the named versions; every word is checked before anything is committed."""
    from graphmigrate.migrations.recovery import recover, verdicts_of

    history = workspace.history()
    verdicts = verdicts_of(workspace.database, history, wanted)
    others = {word: versions - verdicts.keys() for word, versions in wanted.items()}
    chosen = repairs.changes(files, history, others, workspace.read_one)
    if verdicts:  # for those of a run that died whose fate cannot be read
        recover(workspace.database, history, files, workspace.read_one, verdicts)
    recovered = tuple(repairs.recovered_action(version, word) for version, word in verdicts.items())
    return (*recovered, *repairs.resolve(workspace.database, chosen, workspace.listen))


def show_repairs(workspace: Workspace, files: MigrationFolder) -> tuple[RepairAction, ...]:
    """Name what stops ``migrate`` and what resolves it; changes nothing."""
    from graphmigrate.migrations.recovery import first_unfinished

    history = workspace.history()
    version = first_unfinished(workspace.database, history)
    unfinished = [repairs.unfinished(version)] if version else []
    return (*unfinished, *repairs.findings(files, history, workspace.read_one))


def apply(
    workspace: Workspace,
    lock: Lock,
    files: MigrationFolder,
    planned: Plan,
    history: History,
    outcome: Outcome,
    check_data: str | None = None,
) -> None:
    """Record the skips, then run the tasks; ``outcome`` holds what was done, also where it ends in an error.

    The schema is read once, under the lock: it is what the plan is checked against and what the run starts from.
    Raises PreflightError where a statement would fail.
    """
    from graphmigrate.database.catalogue import read_catalogue
    from graphmigrate.database.ledger import prepare_ledger
    from graphmigrate.migrations.recovery import close_record, open_record
    from graphmigrate.migrations.run_state import RunState, record_skip
    from graphmigrate.migrations.runner import Runner

    database = workspace.database
    catalogue = read_catalogue(database)
    found = checks.check_catalogue(planned.tasks, catalogue)
    refuse(found)
    found += data_check.check_data(database, planned.tasks, catalogue, check_data)
    refuse(found)
    for problem in found:
        workspace.listen(Warned(problem))
    for skip in planned.skips:
        workspace.listen(MigrationSkipped(skip.file.version.text, skip.file.description, skip.reason))
        if history.skips.get(skip.file.version.canonical) != skip.reason:
            record_skip(database, skip.file.version.canonical, skip.reason)
    if not planned.tasks:
        return
    workspace.listen(RunStarted(len(planned.tasks)))
    state = RunState(database, lock, history.top_rank, workspace.listen)
    try:
        record = open_record(
            database, planned, catalogue, history.top_rank
        )  # an interruption may come just after its commit
        Runner(state, catalogue).run(planned.tasks, outcome)
        state.task = None  # what fails from here on is no migration's failure
        prepare_ledger(database)  # a statement may have dropped the constraints on our own nodes
        close_record(database, record, history, outcome)
    except BaseException as error:
        _end_unfinished(workspace, state, files, outcome, error)
        raise


def _end_unfinished(
    workspace: Workspace, state: RunState, files: MigrationFolder, outcome: Outcome, error: BaseException
) -> None:
    """Complete the history as the next run would: what took effect is read, not remembered.

    Where that cannot be done now, the record stays open and the next run does it.
    """
    from graphmigrate.database.commit import read_after_pending
    from graphmigrate.database.failures import DriverFailure
    from graphmigrate.migrations.recovery import Ending, recover

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
        recover(database, workspace.history(), files, workspace.read_one, {}, ending)
