"""The tasks of a plan, in order: conditions, segments by kind, what is told and remembered of each."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from graphmigrate.cypher.model import Kind
from graphmigrate.database.failures import DriverFailure, message_of
from graphmigrate.errors import MigrationFailed
from graphmigrate.events import MigrationApplied, MigrationSkipped, MigrationStarted, MigrationUndone
from graphmigrate.migrations.code_runs import run_code
from graphmigrate.migrations.data_segments import run_autocommit, run_batches, run_data
from graphmigrate.migrations.schema_segments import SchemaSegments
from graphmigrate.results import AppliedMigration, SkippedMigration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.errors import Place
    from graphmigrate.migrations.model import Outcome
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.schema.catalogue import Catalogue


_ONE_BOOLEAN = (
    "Nothing of this migration was run. Put the query right, e.g. `// assert q' RETURN true`, and run again."
)


class Runner:
    """One run's execution. ``catalogue`` is the state of the schema before it."""

    def __init__(self, state: RunState, catalogue: Catalogue) -> None:
        self._state = state
        self._schema = SchemaSegments(state, catalogue)

    def run(self, tasks: Sequence[Task], outcome: Outcome) -> None:
        """Execute the tasks in order.

        Raises MigrationFailed or LockLost; rows of segments that took effect may then still be pending in the journal.
        """
        for number, task in enumerate(tasks, 1):
            self._run_task(task, number, len(tasks), outcome)
        self._schema.await_indexes()
        self._state.flush()

    def _run_task(self, task: Task, number: int, total: int, outcome: Outcome) -> None:
        state, file = self._state, task.migration.file
        if task.row is None and not self._conditions_hold(task, outcome):
            return
        state.listen(MigrationStarted(file.version.text, file.description, number, total, task.first))
        started = time.monotonic()
        state.begin(task)
        for segment in task.segments:
            state.lock.doing(f"{task.name} {file.description}, part {segment.number} of {task.steps}")
            try:
                self._run_segment(task, segment)
            except MigrationFailed as failure:
                if failure.error_code == "GM520":  # it was ended by the lock, which knows no place
                    failure.place = failure.place or segment.statements[0].place
                raise
            state.pass_over(segment)
        if not task.segments:  # what followed the committed statements was taken out of the file
            state.record(state.step(task, None, task.first - 1))
        seconds = time.monotonic() - started
        outcome.times[task.key] = timedelta(seconds=seconds)
        done, told = (outcome.undone, MigrationUndone) if task.undoes else (outcome.applied, MigrationApplied)
        done.append(AppliedMigration(file.version.text, file.description, seconds))
        state.listen(told(file.version.text, file.description, seconds))

    def _run_segment(self, task: Task, segment: Segment) -> None:
        if segment.kind is Kind.SCHEMA:
            self._schema.run(task, segment)
            return
        self._schema.await_indexes(segment)
        self._schema.unused.write(segment)
        if segment.kind is Kind.CODE:
            run_code(self._state, task, segment)
        elif segment.kind is not Kind.DATA:
            run_autocommit(self._state, task, segment)
        elif segment.batched:
            run_batches(self._state, task, segment)
        else:
            run_data(self._state, task, segment)

    # ---- conditions that are queries

    def _conditions_hold(self, task: Task, outcome: Outcome) -> bool:
        file = task.migration.file
        for condition in task.migration.header.queries:
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
            self._state.skip(task, reason)
            outcome.skipped.append(SkippedMigration(file.version.text, file.description, reason))
            self._state.listen(MigrationSkipped(file.version.text, file.description, reason))
            return False
        return True

    def _asks(self, query: str, place: Place) -> bool:
        try:
            records = self._state.database.read(query)
        except DriverFailure as error:
            message = f"This condition's query failed: {message_of(error)}"
            raise MigrationFailed(message, hint=_ONE_BOOLEAN, place=place, code="GM504") from error
        values = [record[0] for record in records if len(record)]
        if len(values) != 1 or not isinstance(values[0], bool):
            raise MigrationFailed(
                "This condition's query must return one row with one boolean.",
                hint=_ONE_BOOLEAN,
                place=place,
                code="GM504",
            )
        return values[0]
