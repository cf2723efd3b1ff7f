"""Statements that commit by themselves: announced first, so that an interruption in between is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import neo4j

from graphmigrate.database.connection import WORK
from graphmigrate.database.failures import DriverFailure, statement_failure

if TYPE_CHECKING:
    from graphmigrate.plan import Task
    from graphmigrate.runner.state import RunState
    from graphmigrate.segments import Segment


def run_alone(state: RunState, task: Task, segment: Segment) -> None:
    """Write the intent, run the statement, then record that it ended (Cypher Manual, "CALL subqueries in transactions")."""
    statement = segment.statements[0]
    _record(state, task, segment, segment.number - 1, intent=segment.number)
    state.announced.add(task.key)
    query = neo4j.Query(
        statement.text,
        metadata=state.database.metadata(WORK),
        timeout=task.migration.header.options.timeout or 0,
    )
    try:
        with state.database.session(write=True) as session:
            session.run(query).consume()
    except DriverFailure as error:
        failure = statement_failure(error, statement)
        failure.hint = (
            "The server commits inside this statement, so part of it may have taken effect. Look at the data, then: "
            f"graphmigrate repair --rerun {task.name} or --done {task.name}."
        )
        raise failure from error
    _record(state, task, segment, segment.number, intent=None)


def _record(state: RunState, task: Task, segment: Segment, step: int, *, intent: int | None) -> None:
    write = state.row_write(task, segment, step, intent=intent)
    with state.database.transaction() as tx:
        state.journal.write(tx, write)
    state.journal.pending.clear()
