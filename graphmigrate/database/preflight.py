"""Every pending statement parsed and planned by the server itself before the first one is run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind, Statement
from graphmigrate.database.explain import explain_all
from graphmigrate.database.failures import code_of, message_of, position_of
from graphmigrate.errors import Problem, Severity
from graphmigrate.schema.model import FOR_ENTERPRISE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.errors import Place

# What an earlier migration of the same plan may still make.
_MAY_COME_LATER = (
    "IndexNotFound",
    "ConstraintNotFound",
    "DatabaseNotFound",
    "IndexDropFailed",
    "ConstraintDropFailed",
)
# What another server may have, or another release.
_MAY_BE_ELSEWHERE = re.compile(r"Unknown function|ProcedureNotFound")
_NOT_IN_EDITION = re.compile(r"'(?P<what>[^']+)' is not supported in (?P<edition>\w+) edition")
_SCHEMA_TYPE = "s"
_LOOKING_TYPES = {"r", _SCHEMA_TYPE}  # a procedure of mode DBMS, dbms.components for one, is the latter


def explain(
    database: Database, statements: Sequence[Statement], guarded: Collection[str] = ()
) -> list[Problem]:
    """EXPLAIN each statement on a few connections; nothing is executed. Gives the findings by file and line.

    A procedure or function that is missing is a warning in the ``guarded`` files: a query decides whether they run here.
    """
    answers = explain_all(database, [(statement.sent, {}) for statement in statements])
    judged = (_judge(statement, answer) for statement, answer in zip(statements, answers, strict=True))
    found = [_eased(problem, guarded) for problem in judged if problem]
    return sorted(found, key=lambda each: (each.place.file, each.place.line) if each.place else ("", 0))


def explain_conditions(database: Database, conditions: Sequence[tuple[str, Place]]) -> list[Problem]:
    """EXPLAIN the queries of ``assert`` and ``assume`` lines, which may only read."""
    answers = explain_all(database, [(query, {}) for query, _ in conditions])
    judged = (_of_condition(place, answer) for (_, place), answer in zip(conditions, answers, strict=True))
    return [problem for problem in judged if problem]


def _of_condition(place: Place, answer: str | neo4j.exceptions.Neo4jError) -> Problem | None:
    if answer in _LOOKING_TYPES:
        return None
    trouble = (
        "This condition's query does more than read."
        if isinstance(answer, str)
        else f"This condition's query would fail: {message_of(answer)} [{code_of(answer)}]"
    )
    return Problem("GM504", trouble, "Nothing was run; let it return one boolean.", place)


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


def _eased(problem: Problem, guarded: Collection[str]) -> Problem:
    is_guarded = problem.place is not None and problem.place.file in guarded
    if is_guarded and (problem.code == "GM205" or _MAY_BE_ELSEWHERE.search(problem.message)):
        return replace(problem, severity=Severity.WARNING)
    return problem


def _of_edition(error: neo4j.exceptions.Neo4jError) -> str | None:
    """Return what this edition of Neo4j does not have, where that is why the server refuses a statement."""
    told = f"{getattr(error, 'gql_status_description', '')} {error.message}"
    found = _NOT_IN_EDITION.search(told)
    if found:
        return f"Neo4j {found['edition'].title()} Edition has no {found['what']}."
    if code_of(error).endswith("UnsupportedAdministrationCommand"):
        return "This edition of Neo4j has no such administration command."
    return None


def _refusal(error: neo4j.exceptions.Neo4jError, statement: Statement) -> Problem:
    edition = _of_edition(error)
    if edition:
        return Problem("GM205", edition, FOR_ENTERPRISE, statement.place)
    position = position_of(error)
    place = statement.place_of(position[0] - 1, position[1]) if position else statement.place
    code = code_of(error)
    later = code.endswith(_MAY_COME_LATER)
    return Problem(
        "GM201",
        f"{message_of(error)} [{code}]",
        "An earlier migration may still make it."
        if later
        else "Nothing was run; correct the statement and run again.",
        place,
        Severity.WARNING if later else Severity.ERROR,
    )
