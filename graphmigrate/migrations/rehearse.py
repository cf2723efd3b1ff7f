"""Run what is pending in one transaction that is rolled back, to tell what it would change (``plan --execute``)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from graphmigrate.cypher.model import Kind
from graphmigrate.database import queries
from graphmigrate.database.failures import DriverFailure, statement_failure
from graphmigrate.database.transactions import changes_of
from graphmigrate.errors import Problem, Severity, UsageError
from graphmigrate.results import ExecutedStatement

if TYPE_CHECKING:
    import neo4j

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.history import History
    from graphmigrate.migrations.plan import Plan, Task
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.migrations.workspace import Workspace

_NOT_RUN = {
    Kind.SCHEMA: "not made; what follows ran without it",
    Kind.AUTOCOMMIT: "not run: the server would commit inside it",
    Kind.SYSTEM: "not run: the server would commit inside it",
    Kind.CODE: "not run: code may do more than its transaction",
}


class _RollBack(Exception):
    """Ends the transaction without a commit."""


def rehearse(
    workspace: Workspace, planned: Plan, history: History
) -> tuple[list[ExecutedStatement], list[Problem]]:
    """Return what each statement would change, and what failed.

    Raises UsageError (GM211) beside a run at work, or one that died.
    """
    if history.record is not None:
        raise UsageError(
            "Another run is at work here, or one died; nothing was tried.",
            hint="Run graphmigrate migrate, which waits for it or completes its history.",
            code="GM211",
        )
    tried = _Rehearsal()
    with suppress(_RollBack), workspace.database.transaction() as tx:
        # not the user's to count; a run that begins meanwhile ends this transaction
        tx.run(queries.WITHOUT_OURS).consume()
        for task in planned.everything:
            if not tried.run(tx, task):
                break
        raise _RollBack
    return tried.executed, tried.problems


class _Rehearsal:
    """Collects what the statements did."""

    def __init__(self) -> None:
        self.executed: list[ExecutedStatement] = []
        self.problems: list[Problem] = []
        self._left_out = False

    def run(self, tx: neo4j.Transaction, task: Task) -> bool:
        """Try what is left of a migration; False where a statement failed, after which nothing can run."""
        number = task.row.committed if task.row else 0
        holds = task.row is not None or all(
            [record[0] for record in tx.run(each.value)] == [True] for each in task.migration.header.queries
        )
        for segment in task.segments:
            for statement in segment.statements:
                number += 1
                changes, note = None, _NOT_RUN.get(segment.kind)
                if not holds:
                    note = "not run: a condition does not hold here"
                if note is None:
                    try:
                        changes = _changes(tx, task, segment, statement)
                    except DriverFailure as error:
                        self.problems.append(self._failure(error, statement))
                        return False
                self._left_out = self._left_out or changes is None
                place = statement.place
                self.executed.append(
                    ExecutedStatement(
                        task.migration.file.version.text, number, place.file, place.line, changes, note
                    )
                )
        return True

    def _failure(self, error: BaseException, statement: Statement) -> Problem:
        failure = statement_failure(error, statement)
        without = "A statement before it was left out here, which may be why. " if self._left_out else ""
        return Problem(
            "GM501",
            failure.message,
            f"{without}Everything was rolled back; the statements after it were not tried.",
            failure.place,
            Severity.WARNING if self._left_out else Severity.ERROR,
        )


def _changes(tx: neo4j.Transaction, task: Task, segment: Segment, statement: Statement) -> dict[str, int]:
    """Run a statement, one in batches until it changes nothing; return the server's counters."""
    options = task.migration.header.options
    given = {**statement.parameters, **({"batch": options.batch} if segment.batched else {})}
    total: dict[str, int] = {}
    for _ in range(options.max_batches if segment.batched else 1):
        changes = changes_of(tx.run(statement.sent, given).consume())
        for name, number in changes.items():
            total[name] = total.get(name, 0) + number
        if not changes:
            break
    return total
