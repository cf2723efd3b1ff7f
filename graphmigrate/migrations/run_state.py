"""What the parts of one run share: connection, lock, journal, and how far the migration at hand is."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.escapes import decode
from graphmigrate.database import queries
from graphmigrate.database.failures import (
    DriverFailure,
    code_of,
    message_of,
    statement_failure,
    worth_retrying,
)
from graphmigrate.database.history import SKIPPED, Attempt
from graphmigrate.database.ledger import Journal, RowWrite, StepTaken, new_row, progress, record_attempt
from graphmigrate.database.transactions import await_no_work
from graphmigrate.errors import GraphMigrateError, LockLost, MigrationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neo4j import Record

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.connection import Database
    from graphmigrate.database.lock import Lock
    from graphmigrate.events import Listener
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.segments import Segment

RETRIES = 5
_LOOK_SECONDS = 60.0


@dataclass(slots=True)
class RunState:
    """One run's connection, lock and journal, and where it stands in the migration at hand.

    ``rank`` is the highest installation rank so far, ``task`` the migration at hand; ``batches`` counts the committed
    batches of the segment at hand; ``announced`` are the keys whose row exists because an intent was written.
    """

    database: Database
    lock: Lock
    rank: int
    listen: Listener
    task: Task | None = None
    batches: int = 0
    announced: set[str] = field(default_factory=set)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.database)

    def row_write(self, task: Task, segment: Segment, step: int, **values: Any) -> RowWrite:
        """Give the write that brings the migration's row to ``step``."""
        checksums = [each.checksum for each in task.segments]
        run, checksum = self.database.run, task.migration.file.checksum
        changes = progress(checksum, step, checksums, run, touched=segment.number) | values
        pending = self.journal.pending.get(task.key)
        if pending is not None:
            return RowWrite(task.key, pending.step, pending.batches, changes)
        if task.row is not None or segment.number > 1 or self.batches > 0 or task.key in self.announced:
            return RowWrite(task.key, segment.number - 1, self.batches, changes)
        file, user = task.migration.file, self.database.user
        row = new_row(
            task.key,
            file.version,
            description=file.description,
            source=file.name,
            user=user,
            rank=self.rank,
            language=task.migration.header.options.cypher or self.database.language,
        )
        return RowWrite(task.key, None, 0, row | changes)

    def flush(self) -> None:
        """Commit the rows that are pending in a transaction of their own."""
        if self.journal.pending:
            self.commit()

    def commit(self, own: RowWrite | None = None) -> None:
        """Commit everything pending and ``own``; after an error, look whether it is there.

        Raises LockLost, or MigrationFailed (GM513) where the server refuses to write the history.
        """
        tries = attempts(None)
        for attempt in tries:
            try:
                with self.database.transaction() as tx:
                    self.journal.write(tx, own)
                break
            except (*DriverFailure, StepTaken) as error:
                self.lock.confirm()
                if self._are_there([*self.journal.pending.values(), *([own] if own else [])]):
                    break
                if give_up(error, attempt, tries):
                    raise unrecorded(error) from error
                pause(attempt)
        self.journal.pending.clear()

    def _are_there(self, writes: Sequence[RowWrite]) -> bool:
        """Whether this run's rows are as they were to be written: all or none of them are."""
        keys = {write.key: write for write in writes}
        found = self.look(lambda: {key: self.row(key) for key in keys})
        return all(
            row is not None
            and row["run"] == self.database.run
            and (row["step"], row["intent"]) == (write.values["step"], write.values.get("intent"))
            for key, write in keys.items()
            for row in [found[key]]
        )

    def row(self, key: str) -> Record | None:
        """Read the row of that key."""
        return next(iter(self.database.read(queries.ROW, key=key)), None)

    def look(self, read: Callable[[], Any]) -> Any:
        """Wait until this run's own transactions can do nothing more, then read what is there."""
        deadline = time.monotonic() + _LOOK_SECONDS
        while True:
            try:
                await_no_work(
                    self.database,
                    lambda metadata: metadata.get("run") == self.database.run,
                )
                return read()
            except DriverFailure as error:
                if not worth_retrying(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def attempts(task: Task | None) -> range:
    """Give the numbers of the attempts that a segment of this migration gets: the first, and its retries."""
    retries = task.migration.header.options.retry if task else None
    return range((RETRIES if retries is None else retries) + 1)


def give_up(error: BaseException, attempt: int, tries: range) -> bool:
    """Whether another attempt is of no use."""
    return isinstance(error, StepTaken) or not worth_retrying(error) or attempt == tries[-1]


def pause(attempt: int) -> None:
    """Wait before the next attempt: longer each time, with jitter."""
    time.sleep(random.uniform(0.5, 1.0) * 0.05 * 2**attempt)  # noqa: S311 - jitter


def taken_over(what: str) -> LockLost:
    """Tell that another run owns the ledger now."""
    return LockLost(
        f"{what}; this one committed nothing more.",
        hint="Run the same command again: it continues or finds nothing to do.",
        code="GM402",
    )


def unrecorded(error: BaseException) -> GraphMigrateError:
    """Tell that the history could not be written; nothing that belongs to it was committed, or the next run settles it."""
    if isinstance(error, StepTaken):
        return MigrationFailed(
            f"The history of {error} is not where this run left it: it was deleted or changed by something else.",
            hint="Look at the :__GraphMigrateMigration nodes; no statement may change them.",
            code="GM514",
        )
    return MigrationFailed(
        f"The history could not be written: {message_of(error)} [{code_of(error)}]",
        hint="Mend that (a constraint on graphmigrate's own nodes? a full disk?) and run the same command again: "
        "it continues where this run stopped.",
        code="GM513",
    )


def failed(error: BaseException, statement: Statement | None) -> GraphMigrateError:
    """Tell why a segment failed, at its place in the file; without a statement it was the history's own write."""
    if statement is None or isinstance(error, StepTaken):
        return unrecorded(error)
    failure = statement_failure(error, statement)
    failure.hint = failure.hint or (
        "This segment was rolled back; earlier ones are recorded. Mend the file or the data and run again."
    )
    return failure


def record_skip(database: Database, version: str, reason: str) -> None:
    """Remember that a migration was skipped, and why."""
    with database.transaction() as tx:
        record_attempt(tx, database, version, Attempt(SKIPPED, reason))


def may_delete(statements: Sequence[Statement]) -> bool:
    """Whether any statement could delete nodes; the server's counters then decide."""
    texts = [decode(statement.text).text.upper() for statement in statements]
    return any("DELETE" in text or "CALL" in text for text in texts)
