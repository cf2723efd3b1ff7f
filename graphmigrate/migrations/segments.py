"""A migration cut into segments: neighbouring statements of one kind, the unit of commit and of resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import parameters
from graphmigrate.cypher.model import Kind
from graphmigrate.schema.reader import read_ddl
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphmigrate.cypher.model import Statement
    from graphmigrate.migrations.model import Migration
    from graphmigrate.schema.model import DdlAction


class Segment(Value):
    """Statements that commit together. ``number`` is 1-based; ``actions`` says what a schema segment does.

    ``batched`` marks a data segment whose one statement is run again and again with ``$batch``.
    """

    number: int
    kind: Kind
    statements: tuple[Statement, ...]
    actions: tuple[DdlAction, ...] = ()
    batched: bool = False

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What the ledger keeps of each statement, to see whether one that was committed is still the same."""
        return tuple(statement.fingerprint for statement in self.statements)

    @property
    def creates_only(self) -> bool:
        """Whether it is a schema segment without any DROP."""
        return self.kind is Kind.SCHEMA and all(action.verb == "create" for action in self.actions)

    @property
    def guarded(self) -> bool:
        """Whether every statement of a schema segment is written with IF [NOT] EXISTS."""
        return self.kind is Kind.SCHEMA and all(action.guarded for action in self.actions)


def segments_of(migration: Migration, committed: int = 0, step: int = 0) -> tuple[Segment, ...]:
    """Cut a migration, from its first statement that is not ``committed``, into segments numbered from ``step`` + 1 on.

    Neo4j refuses DDL and writes in one transaction, one transaction cannot drop a constraint and make it again, and
    statements that commit by themselves stand alone (Cypher Manual, "CALL subqueries in transactions").
    """
    options = migration.header.options
    one_by_one = options.transaction == "statement"
    segments: list[Segment] = []
    run: list[tuple[Statement, Kind, DdlAction | None]] = []

    def close() -> None:
        if run:
            kind = run[0][1]
            statements = tuple(statement for statement, _, _ in run)
            actions = tuple(action for _, _, action in run if action)
            batched = kind is Kind.DATA and any(uses_batch(statement) for statement in statements)
            batched = batched or (kind is Kind.CODE and options.batch is not None)
            segments.append(Segment(step + len(segments) + 1, kind, statements, actions, batched))
            run.clear()

    for statement in migration.statements[committed:]:
        kind, action = kind_and_action(statement)
        if run and _parts(run[-1][1], [each for _, _, each in run], kind, action, one_by_one):
            close()
        if run and kind is Kind.DATA and options.batch and (uses_batch(statement) or uses_batch(run[-1][0])):
            close()
        run.append((statement, kind, action))
    close()
    return tuple(segments)


def kind_and_action(statement: Statement) -> tuple[Kind, DdlAction | None]:
    """Return how to execute a statement: DDL that the reader does not understand is run like an autocommit one."""
    if statement.kind is not Kind.SCHEMA:
        return statement.kind, None
    action = read_ddl(statement.text)
    return (Kind.SCHEMA, action) if action else (Kind.AUTOCOMMIT, None)


def uses_batch(statement: Statement) -> bool:
    """Whether the statement takes the ``$batch`` parameter from the header."""
    used = any(parameter.name == "batch" for parameter in parameters(statement.text))
    return used and "batch" not in statement.parameters


def _parts(
    before: Kind, done: Iterable[DdlAction | None], kind: Kind, action: DdlAction | None, one_by_one: bool
) -> bool:
    if kind is not before or kind in {Kind.AUTOCOMMIT, Kind.SYSTEM}:
        return True
    if kind is Kind.SCHEMA and action is not None and action.verb == "create":
        return any(each is not None and each.verb == "drop" for each in done)
    return kind is Kind.DATA and one_by_one
