"""EXPLAIN: the server parses and plans a statement, and runs nothing (Cypher Manual, "Execution plans and query tuning")."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.database.failures import DriverFailure, connection_failure, worth_retrying
from graphmigrate.errors import SchemaLocked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphmigrate.database.connection import Database

# The newline keeps the server's columns those of the statement.
_EXPLAIN = "EXPLAIN\n"
_TRIES = 5
_PATIENCE = 10.0


def explain_all(
    database: Database, queries: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[str | neo4j.exceptions.Neo4jError]:
    """Return the answer of ``_explain_one`` for each query (text, parameters), in order.

    Uses ``preflight_connections`` connections, with READ sessions: EXPLAIN of a writing statement is allowed there.
    Raises ConnectionFailed, and SchemaLocked where a statement is not planned in time. With the lock there is no such
    limit: no other run is at work then, and whatever else changes the schema would be waited for anyway.
    """
    patience = None if database.confirm else min(_PATIENCE, database.settings.stale_after)
    lanes = max(1, min(database.settings.preflight_connections, len(queries)))

    def share(lane: int) -> list[str | neo4j.exceptions.Neo4jError]:
        with database.session(write=False) as session:
            return [_explain_one(database, session, *query, patience) for query in queries[lane::lanes]]

    answers: list[str | neo4j.exceptions.Neo4jError] = [""] * len(queries)
    with ThreadPoolExecutor(lanes) as pool:
        for lane, found in enumerate(pool.map(share, range(lanes))):
            answers[lane::lanes] = found
    return answers


def _explain_one(
    database: Database,
    session: neo4j.Session,
    text: str,
    parameters: Mapping[str, Any],
    patience: float | None,
) -> str | neo4j.exceptions.Neo4jError:
    """Return the type of a query (``r``, ``rw``, ``w`` or ``s``), or why the server refuses it; its lines count from 2.

    What may pass by itself is tried again: planning waits for locks that another run's schema change holds, for
    ``patience`` seconds or, without, as long as it takes.
    """
    query = neo4j.Query(
        f"{_EXPLAIN}{text}",  # type: ignore[arg-type,unused-ignore]
        metadata=database.metadata(database.role_of_reading),
        timeout=patience or 0,
    )
    began = time.monotonic()
    for attempt in range(_TRIES):
        try:
            return str(session.run(query, dict(parameters)).consume().query_type)
        except DriverFailure as error:
            lost = not isinstance(error, neo4j.exceptions.Neo4jError)
            if patience and not lost and time.monotonic() - began >= patience:
                raise _not_planned(patience) from error
            if not lost and not worth_retrying(error):
                return error  # type: ignore[return-value]
            if lost or attempt == _TRIES - 1:
                raise connection_failure(error, database.settings) from error
            time.sleep(random.uniform(0.5, 1.0) * 0.1 * 2**attempt)  # noqa: S311 - jitter
    raise AssertionError("the last attempt returns or raises")


def _not_planned(patience: float) -> SchemaLocked:
    return SchemaLocked(
        f"The server did not plan a statement within {patience:g} s: another transaction changes the schema, or it is very busy.",
        hint="SHOW TRANSACTIONS tells whose it is. `graphmigrate migrate` waits for it, or ends what a run left behind.",
    )
