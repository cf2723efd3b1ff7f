"""Data: the node first, then the statements, in one transaction. Statements that commit by themselves: announced first."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff, retries
from graphmigrate.database.commit import commit, until_known
from graphmigrate.database.connection import WORK
from graphmigrate.database.failures import DriverFailure, failed_batches, statement_failure
from graphmigrate.database.guard import (
    guarded,
    is_exposed,
    meets_ours_again,
    needs_guard,
    put_back,
    read_ours,
    was_put_back,
)
from graphmigrate.database.history import COMPLETE, STARTED
from graphmigrate.database.transactions import changes_of
from graphmigrate.errors import GraphMigrateError, MigrationFailed
from graphmigrate.events import BatchDone, Warned
from graphmigrate.migrations.run_state import failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from graphmigrate.cypher.model import Statement
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.segments import Segment


def run_data(state: RunState, task: Task, segment: Segment) -> None:
    """Run a data segment in one transaction with its step."""
    _commit(state, task, segment, _Work(state.database.settings.ledger, segment, {}))


def run_batches(state: RunState, task: Task, segment: Segment) -> None:
    """Run the segment's statement until a batch changes nothing; each batch commits with its number."""
    options = task.migration.header.options
    while changes := _commit(state, task, segment, _Batch(state.database.settings.ledger, task, segment)):
        state.batches += 1
        state.listen(BatchDone(task.migration.file.version.text, state.batches, changes))
        if state.batches >= options.max_batches:
            raise MigrationFailed(
                f"{task.name} still changes something after {options.max_batches} batches.",
                hint="Where the statement does not leave out what it has done already: put it right in the file, then "
                f"graphmigrate repair --rerun {task.name} and migrate again. Where it does: allow more batches with "
                "// graphmigrate: max-batches N",
                place=segment.statements[0].place,
                code="GM505",
            )


def _commit(state: RunState, task: Task, segment: Segment, work: _Work) -> int:
    """Commit a data segment, or one batch of it; return the number of changes it made."""
    options = task.migration.header.options
    if segment.batched:
        step = state.step(task, segment, segment.number - 1, batches=state.batches + 1)
    else:
        step = state.step(task, segment, segment.number)
    try:
        backoff = retries(options.retry)
        changes = int(
            state.commit(step, work=work, backoff=backoff, timeout=options.timeout, turn=work.attempt)
        )
    except DriverFailure as error:
        raise failed(error, work.at) from error
    if work.put_back:
        state.listen(Warned(was_put_back(work.put_back, work.texts, segment.statements[0].place)))
    return changes


class _Work:
    """The statements of a segment; ``at`` is the one that this attempt sent last (None: none yet)."""

    def __init__(self, ledger: str, segment: Segment, parameters: dict[str, Any]) -> None:
        self.texts = [statement.text for statement in segment.statements]
        self.put_back = 0  # bookkeeping nodes
        self._ledger = ledger
        self._statements = segment.statements
        self._parameters = parameters
        self.at: Statement | None = None

    def attempt(self, _: int) -> AbstractContextManager[None]:
        """Begin anew."""
        self.at = None
        return nullcontext()

    def __call__(self, tx: neo4j.Transaction) -> int:
        """Send every statement, and put the bookkeeping nodes back; return the number of changes."""
        try:
            return self._run(tx)
        except GraphMigrateError as error:
            error.place = error.place or (self.at.place if self.at else None)
            raise

    def _run(self, tx: neo4j.Transaction) -> int:
        changes = 0
        with guarded(tx, self._ledger, self.texts) as guard:
            for statement in self._statements:
                self.at = statement
                summary = tx.run(statement.sent, {**statement.parameters, **self._parameters}).consume()
                changes += sum(changes_of(summary).values()) or int(summary.counters.contains_updates)
        self.put_back = guard.put_back
        return changes


class _Batch(_Work):
    """One batch; where it changes nothing it ends the segment."""

    def __init__(self, ledger: str, task: Task, segment: Segment) -> None:
        super().__init__(ledger, segment, {"batch": task.migration.header.options.batch})
        done = segment.number >= task.steps
        self._key = task.key
        self._ended = {"step": segment.number, "batches": 0, "state": COMPLETE if done else STARTED}

    def _run(self, tx: neo4j.Transaction) -> int:
        changes = super()._run(tx)
        if self.put_back and not any(map(needs_guard, self.texts)):
            raise meets_ours_again(self.put_back)
        if not changes:
            tx.run(queries.PUT_ROWS, rows=[[self._key, self._ended]]).consume()
        return changes


def run_autocommit(state: RunState, task: Task, segment: Segment) -> None:
    """Write the intent, run the statement, then record that it ended (Cypher Manual, "CALL subqueries in transactions")."""
    statement, options = segment.statements[0], task.migration.header.options
    state.record(state.step(task, segment, segment.number - 1, intent=segment.number))
    query = neo4j.Query(
        statement.sent, metadata=state.database.metadata(WORK, step=task.key), timeout=options.timeout or 0
    )

    def run() -> str | None:
        state.lock.confirm()
        with state.database.session(write=True) as session:
            return failed_batches(session.run(query, dict(statement.parameters)))

    with _put_back_after(state, statement):
        try:
            backoff = retries(options.retry) if options.repeatable else Backoff(attempts=1)
            told = until_known(state.database, run, backoff=backoff, mark=task.key)
        except DriverFailure as error:
            raise _hinted(statement_failure(error, statement), task) from error
    if told:
        raise _hinted(MigrationFailed(told, place=statement.place), task)
    state.record(state.step(task, segment, segment.number))


@contextmanager
def _put_back_after(state: RunState, statement: Statement) -> Iterator[None]:
    """Put back what a statement changed on the bookkeeping nodes.

    It was allowed to reach them, or says what it leaves out, or another program's labels and relationships lead to them.
    """
    text, ledger = statement.text, state.database.settings.ledger
    if not (needs_guard(text) or commit(state.database, (), lambda tx: is_exposed(tx, [text]))):
        yield
        return
    before = commit(state.database, (), lambda tx: read_ours(tx, ledger))
    try:
        yield
    finally:
        number = commit(state.database, (), lambda tx: put_back(tx, before, ledger))
        if number:
            state.listen(Warned(was_put_back(number, [text], statement.place)))


def _hinted(failure: MigrationFailed, task: Task) -> MigrationFailed:
    failure.hint = "The server commits inside this statement, so part of it may have taken effect. " + (
        "It is declared repeatable: correct what is wrong and run again."
        if task.migration.header.options.repeatable
        else f"Look at the data, then: graphmigrate repair --rerun {task.name} or --done {task.name}."
    )
    return failure
