"""Statements that commit by themselves: announced first, so that an interruption in between is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import neo4j

from graphmigrate.database.connection import WORK
from graphmigrate.database.failures import DriverFailure, failed_batches, statement_failure
from graphmigrate.errors import MigrationFailed
from graphmigrate.migrations.run_state import attempts, give_up, pause

if TYPE_CHECKING:
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.segments import Segment


def run_alone(state: RunState, task: Task, segment: Segment) -> None:
    """Write the intent, run the statement, then record that it ended (Cypher Manual, "CALL subqueries in transactions")."""
    statement = segment.statements[0]
    state.commit(state.row_write(task, segment, segment.number - 1, intent=segment.number))
    state.announced.add(task.key)
    query = neo4j.Query(
        statement.sent,
        metadata=state.database.metadata(WORK),
        timeout=task.migration.header.options.timeout or 0,
    )
    tries = attempts(task)
    for attempt in tries:
        state.lock.confirm()
        try:
            with state.database.session(write=True) as session:
                told = failed_batches(session.run(query))
            break
        except DriverFailure as error:
            state.lock.confirm()
            state.look(lambda: None)  # what it began must end before anybody judges or repeats it
            if not task.migration.header.options.repeatable or give_up(error, attempt, tries):
                raise _hinted(statement_failure(error, statement), task) from error
            pause(attempt)
    if told:
        raise _hinted(MigrationFailed(told, place=statement.place), task)
    state.commit(state.row_write(task, segment, segment.number, intent=None))


def _hinted(failure: MigrationFailed, task: Task) -> MigrationFailed:
    failure.hint = "The server commits inside this statement, so part of it may have taken effect. " + (
        "It is declared repeatable: correct what is wrong and run again."
        if task.migration.header.options.repeatable
        else f"Look at the data, then: graphmigrate repair --rerun {task.name} or --done {task.name}."
    )
    return failure
