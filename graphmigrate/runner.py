"""Executes a plan, segment by segment; each takes effect exactly once, whatever dies."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.cypher.model import Kind, Statement
from graphmigrate.database import queries
from graphmigrate.database.catalogue import await_indexes, read_catalogue
from graphmigrate.database.connection import WORK
from graphmigrate.database.failures import DriverFailure, statement_failure, worth_retrying
from graphmigrate.database.guard import check_not_erased, ledger_size
from graphmigrate.database.ledger import Journal, RowWrite, StepTaken, new_row, progress
from graphmigrate.database.lock import Lock, await_no_work
from graphmigrate.errors import GraphMigrateError, LockLost, MigrationFailed
from graphmigrate.events import BatchDone, Listener, MigrationApplied, MigrationSkipped, MigrationStarted
from graphmigrate.history import COMPLETE, STARTED
from graphmigrate.results import AppliedMigration, SkippedMigration
from graphmigrate.schema.compare import Fate, apply, fate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.database.connection import Database
    from graphmigrate.plan import Task
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.segments import Segment

_RETRIES = 5
_LOOK_SECONDS = 60.0


@dataclass(slots=True)
class Outcome:
    """What a run did so far."""

    applied: list[AppliedMigration] = field(default_factory=list)
    skipped: list[SkippedMigration] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    times: list[tuple[str, timedelta]] = field(default_factory=list)


class Runner:
    """One run's execution. ``catalogue`` is the state before it; ``rank`` the highest installation rank so far."""

    def __init__(
        self,
        database: Database,
        database_name: str,
        lock: Lock,
        journal: Journal,
        catalogue: Catalogue,
        rank: int,
        listen: Listener,
    ) -> None:
        self._database = database
        self._database_name = database_name
        self._lock = lock
        self._journal = journal
        self._base = catalogue
        self._done_schema: list[Segment] = []
        self._indexes_pending = False
        self._rank = rank
        self._listen = listen
        self._batches = 0
        self._announced: set[str] = set()

    def run(self, tasks: Sequence[Task], outcome: Outcome) -> None:
        """Execute the tasks in order; raises MigrationFailed or LockLost, with all that was committed recorded."""
        try:
            for number, task in enumerate(tasks, 1):
                self._run_task(task, number, len(tasks), outcome)
            self._await_indexes()
        finally:
            if self._journal.pending and not self._lock_is_lost():
                self._journal.flush()

    def _lock_is_lost(self) -> bool:
        try:
            self._lock.check()
        except LockLost:
            return True
        return False

    def _run_task(self, task: Task, number: int, total: int, outcome: Outcome) -> None:
        file = task.migration.file
        if task.row is None and not self._conditions_hold(task, outcome):
            return
        self._listen(MigrationStarted(file.version.text, file.description, number, total, task.first))
        started = time.monotonic()
        self._rank += task.row is None
        self._batches = task.row.batches if task.row else 0
        for segment in task.remaining:
            self._lock.doing(
                f"{task.name} {file.description}, segment {segment.number} of {len(task.segments)}"
            )
            self._lock.check()
            self._run_segment(task, segment)
        seconds = time.monotonic() - started
        outcome.keys.append(task.key)
        outcome.times.append((task.key, timedelta(seconds=seconds)))
        outcome.applied.append(AppliedMigration(file.version.text, file.description, seconds))
        self._listen(MigrationApplied(file.version.text, file.description, seconds))

    def _conditions_hold(self, task: Task, outcome: Outcome) -> bool:
        file = task.migration.file
        for condition in task.migration.header.conditions:
            if condition.subject != "query":
                continue
            if self._asks(condition.value, condition.place):
                continue
            if condition.mode == "assert":
                raise MigrationFailed(
                    f"{task.name} asserts what does not hold here.",
                    hint="Nothing of this migration was run. Look at the query's answer; earlier migrations are applied.",
                    place=condition.place,
                    code="GM503",
                )
            reason = f"assumes what does not hold here: {condition.value}"
            record_skip(self._database, file.version.canonical, reason)
            outcome.skipped.append(SkippedMigration(file.version.text, file.description, reason))
            self._listen(MigrationSkipped(file.version.text, file.description, reason))
            return False
        return True

    def _asks(self, query: str, place: Any) -> bool:
        try:
            records = self._database.read(query)
        except DriverFailure as error:
            raise MigrationFailed(
                f"This condition's query failed: {error}", place=place, code="GM504"
            ) from error
        values = [record[0] for record in records if len(record)]
        if len(values) != 1 or not isinstance(values[0], bool):
            raise MigrationFailed(
                "This condition's query must return one row with one boolean.", place=place, code="GM504"
            )
        return values[0]

    def _run_segment(self, task: Task, segment: Segment) -> None:
        if segment.kind is Kind.SCHEMA:
            self._run_schema(task, segment)
            return
        self._await_indexes()
        if segment.kind is Kind.DATA and segment.batched:
            while self._run_data(task, segment):
                pass
        elif segment.kind is Kind.DATA:
            self._run_data(task, segment)
        else:
            self._run_alone(task, segment)

    # ---- rows

    def _row_write(self, task: Task, segment: Segment, step: int, **values: Any) -> RowWrite:
        """Give the write that brings the migration's row to ``step``."""
        checksums = [each.checksum for each in task.segments]
        run, checksum = self._database.run, task.migration.file.checksum
        changes = progress(checksum, step, checksums, run, touched=segment.number) | values
        exists = (
            task.row is not None or segment.number > 1 or self._batches > 0 or task.key in self._announced
        )
        pending = self._journal.pending.get(task.key)
        if pending is not None:
            return RowWrite(task.key, pending.step, pending.batches, changes)
        if exists:
            return RowWrite(task.key, segment.number - 1, self._batches, changes)
        return RowWrite(
            task.key, None, 0, new_row(task.migration.file, task.key, self._database, self._rank) | changes
        )

    # ---- data

    def _run_data(self, task: Task, segment: Segment) -> bool:
        """Run a data segment, or one batch of it, in one transaction with its row. Says whether a batch changed anything."""
        options = task.migration.header.options
        retries = _RETRIES if options.retry is None else options.retry
        changed = False
        for attempt in range(retries + 1):
            statement = segment.statements[0]
            try:
                with self._database.transaction(WORK, timeout=options.timeout) as tx:
                    writes = self._start_data(tx, task, segment)
                    before = ledger_size(tx) if _may_delete(segment) else None
                    changed = False
                    deleted = False
                    for statement in segment.statements:
                        counters = self._send(tx, statement, options.batch).counters
                        deleted = deleted or counters.nodes_deleted > 0
                        changed = changed or counters.contains_updates
                    if before is not None and deleted:
                        check_not_erased(tx, before)
                    self._finish_batch(tx, task, segment, writes, changed)
                break
            except (*DriverFailure, StepTaken) as error:
                if self._landed(task, segment, changed):
                    break
                if isinstance(error, StepTaken) or not worth_retrying(error) or attempt == retries:
                    raise self._failed(error, task, statement) from error
                time.sleep(random.uniform(0.5, 1.0) * 0.05 * 2**attempt)  # noqa: S311 - jitter
            except GraphMigrateError as error:
                error.place = error.place or statement.place
                raise
        self._journal.pending.clear()
        return self._after_batch(task, segment, changed)

    def _start_data(self, tx: neo4j.Transaction, task: Task, segment: Segment) -> RowWrite:
        """Write the row first: it is the fence."""
        if segment.batched:
            write = self._row_write(task, segment, segment.number - 1, batches=self._batches + 1)
        else:
            write = self._row_write(task, segment, segment.number)
        self._journal.write(tx, write)
        return write

    def _finish_batch(
        self, tx: neo4j.Transaction, task: Task, segment: Segment, write: RowWrite, changed: bool
    ) -> None:
        if segment.batched and not changed:
            done = segment.number >= len(task.segments)
            changes = {"step": segment.number, "batches": 0, "state": COMPLETE if done else STARTED}
            tx.run(queries.PUT_ROW, key=write.key, changes=changes).consume()

    def _after_batch(self, task: Task, segment: Segment, changed: bool) -> bool:
        if not segment.batched:
            return False
        if not changed:
            self._batches = 0
            return False
        self._batches += 1
        self._listen(BatchDone(task.migration.file.version.text, self._batches, 0))
        limit = task.migration.header.options.max_batches
        if self._batches >= limit:
            raise MigrationFailed(
                f"{task.name} still changes something after {limit} batches.",
                hint="Does the statement exclude what it has done already? Else raise: // graphmigrate: max-batches N",
                place=segment.statements[0].place,
                code="GM505",
            )
        self._lock.check()
        return True

    def _send(self, tx: neo4j.Transaction, statement: Statement, batch: int | None) -> neo4j.ResultSummary:
        parameters = {"batch": batch} if batch else {}
        return tx.run(statement.text, parameters).consume()

    def _landed(self, task: Task, segment: Segment, changed: bool) -> bool:
        """After an error: wait until our own transactions can do nothing more, then read whether the step is there."""
        record = self._look(lambda: self._read_row(task.key))
        if record is None:
            return False
        wanted = (
            (segment.number, 0)
            if not segment.batched or not changed
            else (segment.number - 1, self._batches + 1)
        )
        reached = (record["step"], record["batches"]) >= wanted
        if reached and record["run"] != self._database.run:
            raise LockLost(
                f"Another run took over and applied {task.name}; this one committed nothing more.",
                hint="Run the same command again: it finds nothing to do, or continues.",
                code="GM403",
            )
        return bool(reached)

    def _read_row(self, key: str) -> neo4j.Record | None:
        return next(iter(self._database.read(queries.ROW, key=key)), None)

    def _look(self, read: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + _LOOK_SECONDS
        while True:
            try:
                await_no_work(
                    self._database,
                    self._database_name,
                    lambda metadata: metadata.get("run") == self._database.run,
                )
                return read()
            except DriverFailure as error:
                if not worth_retrying(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _failed(self, error: BaseException, task: Task, statement: Statement) -> GraphMigrateError:
        if isinstance(error, StepTaken):
            return LockLost(
                f"The history of {task.name} was advanced by another run; this one committed nothing more.",
                hint="Run the same command again: it continues or finds nothing to do.",
                code="GM403",
            )
        failure = statement_failure(error, statement)
        failure.hint = failure.hint or (
            "This segment was rolled back; earlier ones are recorded. Mend the file or the data and run again."
        )
        return failure

    # ---- schema

    def _run_schema(self, task: Task, segment: Segment) -> None:
        if not segment.creates_only or self._makes_known_names(segment):
            self._await_indexes()
            self._journal.flush()
        retries = (
            _RETRIES if task.migration.header.options.retry is None else task.migration.header.options.retry
        )
        for attempt in range(retries + 1):
            statement = segment.statements[0]
            try:
                with self._database.transaction() as tx:
                    if not (segment.creates_only and segment.guarded):
                        self._require_ownership(tx, task)
                    for statement in segment.statements:
                        self._send(tx, statement, None)
                break
            except DriverFailure as error:
                if self._schema_landed(segment):
                    break
                if not worth_retrying(error) or attempt == retries:
                    raise self._failed(error, task, statement) from error
                time.sleep(random.uniform(0.5, 1.0) * 0.05 * 2**attempt)  # noqa: S311 - jitter
        self._after_schema(task, segment)

    def _after_schema(self, task: Task, segment: Segment) -> None:
        self._done_schema.append(segment)
        self._indexes_pending = self._indexes_pending or any(
            action.verb == "create" and action.of == "index" for action in segment.actions
        )
        self._journal.stage(self._row_write(task, segment, segment.number))
        if not segment.creates_only:
            self._await_indexes()
            self._journal.flush()

    def _require_ownership(self, tx: neo4j.Transaction, task: Task) -> None:
        found = list(tx.run(queries.OWNED, ledger=self._database.settings.ledger, run=self._database.run))
        if not found:
            raise LockLost(
                f"Another run took over before {task.name}; this one committed nothing more.",
                hint="Run the same command again: it continues or finds nothing to do.",
                code="GM403",
            )

    def _makes_known_names(self, segment: Segment) -> bool:
        """Whether the catalogue alone could not tell that this segment was committed."""
        expected = self._expected()
        return segment.guarded and fate(segment.actions, expected, expected) is Fate.COMMITTED

    def _expected(self) -> Catalogue:
        for segment in self._done_schema:
            self._base = apply(segment.actions, self._base)
        self._done_schema.clear()
        return self._base

    def _schema_landed(self, segment: Segment) -> bool:
        now_there = self._look(lambda: read_catalogue(self._database))
        expected = self._expected()
        return fate(segment.actions, expected, now_there) is Fate.COMMITTED

    def _await_indexes(self) -> None:
        if self._indexes_pending:
            await_indexes(self._database, self._listen)
            self._indexes_pending = False

    # ---- statements that commit by themselves

    def _run_alone(self, task: Task, segment: Segment) -> None:
        """Announce the statement, run it, then record that it ended: an interruption in between is then known."""
        statement = segment.statements[0]
        write = self._row_write(task, segment, segment.number - 1, intent=segment.number)
        with self._database.transaction() as tx:
            self._journal.write(tx, write)
        self._journal.pending.clear()
        self._announced.add(task.key)
        options = task.migration.header.options
        try:
            with self._database.session(write=True) as session:
                query = neo4j.Query(
                    statement.text,
                    metadata=self._database.metadata(WORK),
                    timeout=options.timeout or 0,
                )
                session.run(query).consume()
        except DriverFailure as error:
            failure = statement_failure(error, statement)
            failure.hint = (
                "The server commits inside this statement, so part of it may have taken effect. Look at the data, then: "
                f"graphmigrate repair --rerun {task.name} or --done {task.name}."
            )
            raise failure from error
        with self._database.transaction() as tx:
            self._journal.write(tx, self._row_write(task, segment, segment.number, intent=None))
        self._journal.pending.clear()


def record_skip(database: Database, version: str, reason: str) -> None:
    """Remember that a migration was skipped, and why."""
    with database.transaction() as tx:
        key = f"{database.settings.ledger}/skip/{version}"
        tx.run(
            queries.ATTEMPT, key=key, version=version, outcome="skipped", reason=reason, run=database.run
        ).consume()


def _may_delete(segment: Segment) -> bool:
    """Whether any statement could delete nodes; the server's counters then decide."""
    return any(
        "DELETE" in statement.text.upper() or "CALL" in statement.text.upper()
        for statement in segment.statements
    )
