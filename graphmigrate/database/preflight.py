"""Every pending statement parsed and planned by the server itself before the first one is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind, Statement
from graphmigrate.database.explain import explain_all
from graphmigrate.database.failures import code_of, message_of, position_of
from graphmigrate.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import neo4j

    from graphmigrate.database.connection import Database

# What an earlier migration of the same plan may still make.
_MAY_COME_LATER = (
    "IndexNotFound",
    "ConstraintNotFound",
    "DatabaseNotFound",
    "IndexDropFailed",
    "ConstraintDropFailed",
)
_SCHEMA_TYPE = "s"


def explain(database: Database, statements: Sequence[Statement]) -> list[Problem]:
    """EXPLAIN each statement on a few connections; nothing is executed. Gives the findings by file and line."""
    answers = explain_all(database, [(statement.text, {}) for statement in statements])
    judged = (_judge(statement, answer) for statement, answer in zip(statements, answers, strict=True))
    found = [problem for problem in judged if problem]
    return sorted(found, key=lambda each: (each.place.file, each.place.line) if each.place else ("", 0))


def _judge(statement: Statement, answer: str | neo4j.exceptions.Neo4jError) -> Problem | None:
    if not isinstance(answer, str):
        return _refusal(answer, statement)
    is_schema = answer == _SCHEMA_TYPE
    if is_schema != (statement.kind in {Kind.SCHEMA, Kind.SYSTEM}):
        if is_schema and "CALL" in keywords(statement.text):
            return None  # a procedure of mode DBMS or SCHEMA makes any statement `s`
        return Problem(
            "GM203",
            f"graphmigrate reads this statement as {statement.kind.value}, the server says {answer!r}.",
            "This is a fault of graphmigrate; please report the statement. Nothing was run.",
            statement.place,
        )
    return None


def _refusal(error: neo4j.exceptions.Neo4jError, statement: Statement) -> Problem:
    position = position_of(error)
    place = statement.place_of(position[0] - 1, position[1]) if position else statement.place
    code = code_of(error)
    later = code.endswith(_MAY_COME_LATER)
    return Problem(
        "GM202" if later else "GM201",
        f"{message_of(error)} [{code}]",
        "An earlier migration may still make it."
        if later
        else "Nothing was run; mend the statement and run again.",
        place,
        Severity.WARNING if later else Severity.ERROR,
    )
