"""Every pending statement parsed and planned by the server itself before the first one is run."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import neo4j

from graphmigrate.cypher.clauses import judge
from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind, Statement
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.failures import (
    DriverFailure,
    code_of,
    connection_failure,
    message_of,
    position_of,
    worth_retrying,
)
from graphmigrate.errors import Problem, SchemaLocked, Severity
from graphmigrate.schema.model import FOR_ENTERPRISE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

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
Answer: TypeAlias = "neo4j.ResultSummary | neo4j.exceptions.Neo4jError"
# Operators by the Cypher Manual, "Operators in detail": what finds a node by no label, what only passes it on, and what
# goes on along its relationships.
_ANY_LABEL = ("AllNodesScan", "PartitionedAllNodesScan", "NodeByIdSeek", "NodeByElementIdSeek")
_PASSING = {"Filter", "CacheProperties", "Eager", "Distinct", "OrderedDistinct", "Sort", "Limit"}
_FOLLOWING = ("Expand", "VarLengthExpand", "PruningVarLengthExpand", "BFSPruningVarLengthExpand")
_LOOKING_TYPES = {"r", _SCHEMA_TYPE}  # a procedure of mode DBMS, dbms.components for one, is the latter

# The newline keeps the server's columns those of the statement.
_EXPLAIN = "EXPLAIN\n"
_TRIES = 5
_PATIENCE = 10.0


def explain(
    database: Database,
    statements: Sequence[Statement],
    guarded: Collection[str],
    reaching_ours: Callable[[Statement], Problem],
) -> list[Problem]:
    """Return what the server says against each statement, by file and line; EXPLAIN parses and plans, and runs nothing.

    A procedure or function that is missing is a warning in the ``guarded`` files: a query decides whether they run here.
    ``reaching_ours`` makes the finding about an autocommit statement whose plan reads nodes of any label.
    """
    answers = explain_all(database, [(statement.sent, statement.parameters) for statement in statements])
    found = []
    for statement, answer in zip(statements, answers, strict=True):
        problem = _judge(statement, answer)
        if problem:
            found.append(_eased(problem, guarded))
        elif statement.kind is Kind.AUTOCOMMIT and _scans_any_label(statement, answer):
            found.append(reaching_ours(statement))
    return sorted(found, key=lambda each: (each.place.file, each.place.line) if each.place else ("", 0))


def _scans_any_label(statement: Statement, answer: Answer) -> bool:
    """Whether the plan reads nodes of any label where the text did not tell: the second judge of what commits by itself."""
    judged = judge(statement.text)
    if isinstance(answer, Exception) or judged.reaches or judged.names_ours:
        return False  # it is refused already, or taken at its word
    return reads_any_label(answer.plan or {})


def reads_any_label(operator: Mapping[str, Any], consumer: str = "") -> bool:
    """Whether a plan reads nodes of any label; what follows a relationship from there finds none of ours."""
    name = str(operator.get("operatorType", "")).partition("@")[0]
    if name.startswith(_ANY_LABEL):
        return not consumer.startswith(_FOLLOWING)
    if name not in _PASSING:
        consumer = name
    return any(reads_any_label(child, consumer) for child in operator.get("children", ()))


def explain_conditions(database: Database, conditions: Sequence[tuple[str, Place]]) -> list[Problem]:
    """EXPLAIN the queries of ``assert`` and ``assume`` lines, which may only read."""
    answers = explain_all(database, [(query, {}) for query, _ in conditions])
    judged = (_of_condition(place, answer) for (_, place), answer in zip(conditions, answers, strict=True))
    return [problem for problem in judged if problem]


def _of_condition(place: Place, answer: Answer) -> Problem | None:
    if isinstance(answer, Exception):
        trouble = f"This condition's query would fail: {message_of(answer)} [{code_of(answer)}]"
    elif answer.query_type in _LOOKING_TYPES:
        return None
    else:
        trouble = "This condition's query does more than read."
    return Problem("GM504", trouble, "Nothing was run; let it return one boolean.", place)


def _judge(statement: Statement, answer: Answer) -> Problem | None:
    if isinstance(answer, Exception):
        return _refusal(answer, statement)
    is_schema = answer.query_type == _SCHEMA_TYPE
    if is_schema != (statement.kind in {Kind.SCHEMA, Kind.SYSTEM}):
        if is_schema and "CALL" in keywords(statement.text):
            return None  # a procedure of mode DBMS or SCHEMA makes any statement `s`
        return Problem(
            "GM203",
            f"graphmigrate reads this statement as {statement.kind.value}, the server says {answer.query_type!r}.",
            "This is a fault of graphmigrate; please report the statement. Nothing was run.",
            statement.place,
        )
    return None


def _eased(problem: Problem, guarded: Collection[str]) -> Problem:
    is_guarded = problem.place is not None and problem.place.file in guarded
    if is_guarded and (problem.code == "GM205" or _MAY_BE_ELSEWHERE.search(problem.message)):
        return problem._replace(severity=Severity.WARNING)
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


def explain_all(database: Database, queries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Answer]:
    """Return the answer of ``_explain_one`` for each query (text, parameters), in order.

    Uses ``preflight_connections`` connections, with READ sessions: EXPLAIN of a writing statement is allowed there.
    Raises ConnectionFailed, and SchemaLocked where a statement is not planned in time. With the lock there is no such
    limit: no other run is at work then, and whatever else changes the schema would be waited for anyway.
    """
    patience = None if database.confirm else min(_PATIENCE, database.settings.stale_after)
    lanes = max(1, min(database.settings.preflight_connections, len(queries)))

    def share(lane: int) -> list[Answer]:
        with database.session(write=False) as session:
            return [_explain_one(database, session, *query, patience) for query in queries[lane::lanes]]

    answers: dict[int, Answer] = {}
    with ThreadPoolExecutor(lanes) as pool:
        for lane, found in enumerate(pool.map(share, range(lanes))):
            answers.update(zip(range(lane, len(queries), lanes), found, strict=True))
    return [answers[number] for number in range(len(queries))]


def _explain_one(
    database: Database,
    session: neo4j.Session,
    text: str,
    parameters: Mapping[str, Any],
    patience: float | None,
) -> Answer:
    """Return the type (``r``, ``rw``, ``w`` or ``s``) and plan of a query, or why the server refuses it; its lines count from 2.

    What may pass by itself is tried again: planning waits for locks that another run's schema change holds, for
    ``patience`` seconds or, without, as long as it takes.
    """
    query = neo4j.Query(
        f"{_EXPLAIN}{text}",  # type: ignore[arg-type,unused-ignore]
        metadata=database.metadata(database.role_of_reading),
        timeout=patience or 0,
    )
    backoff = Backoff(first=0.1, attempts=_TRIES)
    while True:
        try:
            return session.run(query, dict(parameters)).consume()
        except DriverFailure as error:
            lost = not isinstance(error, neo4j.exceptions.Neo4jError)
            if patience and not lost and backoff.waited >= patience:
                raise _not_planned(patience) from error
            if not lost and not worth_retrying(error):
                return error  # type: ignore[return-value]
            if lost or not backoff.pause():
                raise connection_failure(error, database.settings) from error


def _not_planned(patience: float) -> SchemaLocked:
    return SchemaLocked(
        f"The server did not plan a statement within {patience:g} s: another transaction changes the schema, or it is very busy.",
        hint="SHOW TRANSACTIONS tells whose it is. `graphmigrate migrate` waits for it, or ends what a run left behind.",
    )
