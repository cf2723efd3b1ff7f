"""Data segments: the row first, then the statements, in one transaction; so each step is there wholly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.database import queries
from graphmigrate.database.connection import WORK
from graphmigrate.database.failures import DriverFailure
from graphmigrate.database.guard import check_not_erased, ledger_size
from graphmigrate.database.history import COMPLETE, STARTED
from graphmigrate.database.ledger import StepTaken
from graphmigrate.database.transactions import changes_of
from graphmigrate.errors import GraphMigrateError, MigrationFailed
from graphmigrate.events import BatchDone
from graphmigrate.migrations.run_state import attempts, failed, give_up, may_delete, pause, taken_over

if TYPE_CHECKING:
    import neo4j

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.ledger import RowWrite
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.segments import Segment


def run_batches(state: RunState, task: Task, segment: Segment) -> None:
    """Run the segment's statement until a batch changes nothing; each batch commits with its number."""
    limit = task.migration.header.options.max_batches
    while changes := run_data(state, task, segment):
        state.batches += 1
        state.listen(BatchDone(task.migration.file.version.text, state.batches, changes))
        if state.batches >= limit:
            raise MigrationFailed(
                f"{task.name} still changes something after {limit} batches.",
                hint="Does the statement exclude what it has done already? Else raise: // graphmigrate: max-batches N",
                place=segment.statements[0].place,
                code="GM505",
            )
    state.batches = 0


def run_data(state: RunState, task: Task, segment: Segment) -> int:
    """Run a data segment, or one batch of it, in one transaction with its row; gives the number of changes it made."""
    options = task.migration.header.options
    tries = attempts(task)
    changes = 0
    for attempt in tries:
        work = _Work(segment, options.batch)
        changes = 0
        try:
            with state.database.transaction(WORK, timeout=options.timeout) as tx:
                write = _fence(state, tx, task, segment)
                changes = work.run(tx)
                if segment.batched and not changes:
                    _end_batches(tx, task, segment, write)
            break
        except (*DriverFailure, StepTaken) as error:
            state.lock.confirm()
            if _landed(state, task, segment, changes):
                break
            if give_up(error, attempt, tries):
                raise failed(error, work.at) from error
            pause(attempt)
        except GraphMigrateError as error:
            error.place = error.place or (work.at.place if work.at else None)
            raise
    state.journal.pending.clear()
    return changes


class _Work:
    """One attempt at the statements of a segment; ``at`` is the one that was sent last (None: none yet)."""

    def __init__(self, segment: Segment, batch: int | None) -> None:
        self._statements = segment.statements
        self._parameters = {"batch": batch} if batch else {}
        self.at: Statement | None = None

    def run(self, tx: neo4j.Transaction) -> int:
        """Send every statement; gives the number of changes. Raises GraphMigrateError where the ledger would be deleted."""
        before = ledger_size(tx) if may_delete(self._statements) else None
        changes = deleted = 0
        for statement in self._statements:
            self.at = statement
            summary = tx.run(statement.sent, self._parameters).consume()
            deleted += summary.counters.nodes_deleted
            changes += sum(changes_of(summary).values()) or int(summary.counters.contains_updates)
        if before is not None and deleted:
            check_not_erased(tx, before)
        return changes


def _fence(state: RunState, tx: neo4j.Transaction, task: Task, segment: Segment) -> RowWrite:
    """Write the row first: whoever commits a step first owns it."""
    if segment.batched:
        write = state.row_write(task, segment, segment.number - 1, batches=state.batches + 1)
    else:
        write = state.row_write(task, segment, segment.number)
    state.journal.write(tx, write)
    return write


def _end_batches(tx: neo4j.Transaction, task: Task, segment: Segment, write: RowWrite) -> None:
    done = segment.number >= len(task.segments)
    changes = {"step": segment.number, "batches": 0, "state": COMPLETE if done else STARTED}
    tx.run(queries.PUT_ROW, key=write.key, changes=changes).consume()


def _landed(state: RunState, task: Task, segment: Segment, changes: int) -> bool:
    """After an error: wait until our own transactions can do nothing more, then read whether the step is there."""
    record = state.look(lambda: state.row(task.key))
    if record is None:
        return False
    more_to_come = segment.batched and changes > 0
    wanted = (segment.number - 1, state.batches + 1) if more_to_come else (segment.number, 0)
    reached = (record["step"], record["batches"]) >= wanted
    if reached and record["run"] != state.database.run:
        raise taken_over(f"Another run took over and applied {task.name}")
    return bool(reached)
