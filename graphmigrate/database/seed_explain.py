"""Ask the server whether it would run statements, without running them (Cypher Manual, "EXPLAIN")."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.database.connection import READER
from graphmigrate.database.failures import DriverFailure, connection_failure, worth_retrying
from graphmigrate.database.seed_ledger import StepFailed, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphmigrate.database.connection import Database

# The newline keeps the server's columns those of the statement.
EXPLAIN = "EXPLAIN\n"


def explain(database: Database, queries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[StepFailed | None]:
    """Give for each query (text, parameters) what the server has against it, with positions in the text.

    Uses ``preflight_connections`` connections. Raises ConnectionFailed.
    """
    lanes = max(1, min(database.settings.preflight_connections, len(queries)))
    with ThreadPoolExecutor(lanes) as pool:
        shares = pool.map(lambda lane: _explain(database, queries[lane::lanes]), range(lanes))
        found: list[StepFailed | None] = [None] * len(queries)
        for lane, share in enumerate(shares):
            found[lane::lanes] = share
    return found


def _explain(database: Database, queries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[StepFailed | None]:
    answers: list[StepFailed | None] = []
    with database.session(write=False) as session:
        for text, parameters in queries:
            query = neo4j.Query(EXPLAIN + text, metadata=database.metadata(READER))
            try:
                session.run(query, dict(parameters)).consume()
                answers.append(None)
            except DriverFailure as error:
                if not isinstance(error, neo4j.exceptions.Neo4jError) or worth_retrying(error):
                    raise connection_failure(error, database.settings) from error
                answers.append(_without_prefix(failure(error)))
    return answers


def _without_prefix(found: StepFailed) -> StepFailed:
    if found.position is None:
        return found
    line, column = found.position
    return StepFailed(found.code, found.message, (line - 1, column))
