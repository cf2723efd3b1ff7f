"""Every pending statement parsed and planned by the server itself before the first one is run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind, Statement
from graphmigrate.database.explain import explain_one
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
    """EXPLAIN each statement on a few connections; nothing is executed.

    The sessions are READ sessions: EXPLAIN of a writing statement is allowed there (Cypher Manual, "Execution plans").
    """
    lanes = max(1, min(database.settings.preflight_connections, len(statements)))
    shares = [statements[lane::lanes] for lane in range(lanes)]
    with ThreadPoolExecutor(lanes) as pool:
        found = [
            problem
            for share in pool.map(lambda each: _explain_all(database, each), shares)
            for problem in share
        ]
    return sorted(found, key=lambda each: (each.place.file, each.place.line) if each.place else ("", 0))


def _explain_all(database: Database, statements: Sequence[Statement]) -> list[Problem]:
    problems = []
    with database.session(write=False) as session:
        for statement in statements:
            problem = _explain_one(database, session, statement)
            if problem:
                problems.append(problem)
    return problems


def _explain_one(database: Database, session: neo4j.Session, statement: Statement) -> Problem | None:
    answer = explain_one(database, session, statement.text)
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
