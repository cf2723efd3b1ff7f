"""What the parts of one run share: connection, lock, the commits that are due, and how far the migration at hand is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphmigrate.database import commit
from graphmigrate.database.commit import Step
from graphmigrate.database.failures import DriverFailure, code_of, message_of, statement_failure
from graphmigrate.database.guard import why_refused
from graphmigrate.database.history import SKIPPED, Attempt
from graphmigrate.database.ledger import new_row, progress, record_attempt
from graphmigrate.errors import GraphMigrateError, MigrationFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    import neo4j

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.connection import Database
    from graphmigrate.database.lock import Lock
    from graphmigrate.events import Listener
    from graphmigrate.migrations.model import Migration
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.segments import Segment


@dataclass(slots=True)
class RunState:
    """One run's connection and lock, and where it stands in the migration at hand.

    ``rank`` is the highest rank so far: the ranks of migrations are the order in which they were last gone on with, so that an
    undo can take the way back. ``task`` is the migration at hand, whose node was committed ``commits`` times and keeps
    ``statements``; ``batches`` counts the committed batches of the segment at hand. ``pending`` are steps of schema segments: a
    transaction that changes the schema cannot write data (Cypher Manual, "Constraints"), so they are committed with the next
    data or by themselves.
    """

    database: Database
    lock: Lock
    rank: int
    listen: Listener
    task: Task | None = None
    commits: int = 0
    batches: int = 0
    statements: tuple[str, ...] = ()
    pending: dict[str, Step] = field(default_factory=dict)

    def begin(self, task: Task) -> None:
        """Turn to a migration."""
        row = task.row
        self.task = task
        self.rank += 1
        self.commits = row.commits if row else 0
        self.batches = row.batches if row else 0
        self.statements = row.statements[: row.committed] if row else ()

    def pass_over(self, segment: Segment) -> None:
        """Count the statements of a segment among those that are committed."""
        self.statements += segment.fingerprints
        self.batches = 0

    def step(self, task: Task, segment: Segment | None, reached: int, **values: Any) -> Step:
        """Return the commit that brings the migration's node to step ``reached``, with the statements of ``segment``."""
        statements = (*self.statements, *(segment.fingerprints if segment else ()))
        number = self.commits + 1
        first = first_row(task.migration, self.database, self.rank) if number == 1 else {}
        changes = progress(task.migration.file.checksum, reached, task.steps, statements, self.database.run)
        return Step(task.key, number, first | changes | {"rank": self.rank} | values, task.name)

    def skip(self, task: Task, reason: str) -> None:
        """Remember that a condition of the migration did not hold."""
        record_skip(self.database, task.migration.file.version.canonical, reason)

    def stage(self, step: Step) -> None:
        """Keep a step for the next transaction."""
        self.pending[step.key] = self._folded(step)

    def _folded(self, step: Step) -> Step:
        before = self.pending.get(step.key)
        return step._replace(values={**before.values, **step.values}) if before else step

    def flush(self) -> None:
        """Commit the pending steps in a transaction of their own."""
        if self.pending:
            self.record()

    def record(self, *own: Step) -> None:
        """Commit the pending steps and ``own``. Raises MigrationFailed (GM513) where the server refuses to write the history."""
        try:
            self.commit(*own)
        except DriverFailure as error:
            raise unrecorded(error) from error

    def commit(
        self, *own: Step, work: Callable[[neo4j.Transaction], Any] = lambda _: None, **options: Any
    ) -> Any:
        """Commit the pending steps, ``own`` and ``work`` together; see ``database.commit``."""
        steps = self.pending | {step.key: self._folded(step) for step in own}
        result = commit.commit(self.database, tuple(steps.values()), work, **options)
        self.pending.clear()
        self.commits += self.task is not None and self.task.key in steps
        return result


def first_row(migration: Migration, database: Database, rank: int) -> dict[str, Any]:
    """Return the properties that a migration's node keeps from its first step on."""
    file = migration.file
    return new_row(
        file.version,
        description=file.description,
        source=file.name,
        user=database.user,
        rank=rank,
        type_=file.type,
        language=migration.header.options.cypher or database.language,
    )


_TOO_LARGE = (
    "This transaction was too large for the server's memory, and was rolled back. Let it change fewer rows at a time: "
    '`// graphmigrate: batch 10000` as the first line, and LIMIT $batch in the statement (the how-to "Change a lot of data").'
)


def unrecorded(error: BaseException) -> GraphMigrateError:
    """Tell that the history could not be written; nothing that belongs to it was committed, or the next run completes it."""
    return MigrationFailed(
        f"The history could not be written: {message_of(error)} [{code_of(error)}]",
        hint="Fix that (a constraint on graphmigrate's own nodes? a full disk?) and run the same command again: "
        "it continues where this run stopped.",
        code="GM513",
    )


def failed(error: BaseException, statement: Statement | None) -> GraphMigrateError:
    """Tell why a segment failed, at its place in the file; without a statement it was the history's own write."""
    if statement is None:
        return unrecorded(error)
    failure = statement_failure(error, statement)
    failure.hint = (
        why_refused(statement.text, failure.message)
        or (_TOO_LARGE if "OutOfMemory" in code_of(error) else None)
        or failure.hint
        or "This transaction was rolled back; what was committed before is recorded. Fix the file or the data and run again."
    )
    return failure


def record_skip(database: Database, version: str, reason: str) -> None:
    """Remember that a migration was skipped, and why."""
    with database.transaction() as tx:
        record_attempt(tx, database, version, Attempt(SKIPPED, reason))
