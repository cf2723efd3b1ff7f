"""Ask the server whether it would run statements, without running them (Cypher Manual, "EXPLAIN")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.database.explain import explain_all
from graphmigrate.seeds.ledger import StepFailed, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import neo4j

    from graphmigrate.database.connection import Database


_WRITES = StepFailed("Neo.ClientError.Statement.AccessMode", "query(…) may only read, and this writes", None)


def explain(
    database: Database,
    queries: Sequence[tuple[str, Mapping[str, Any]]],
    reading: frozenset[str] = frozenset(),
) -> list[StepFailed | None]:
    """Give for each query (text, parameters) what the server has against it, with positions in the text.

    Those whose text is in ``reading`` may not write. Uses ``preflight_connections`` connections.
    Raises ConnectionFailed, and SchemaLocked.
    """
    answers = explain_all(database, queries)
    return [
        _refusal(answer, must_read=text in reading)
        for (text, _), answer in zip(queries, answers, strict=True)
    ]


def _refusal(answer: str | neo4j.exceptions.Neo4jError, *, must_read: bool) -> StepFailed | None:
    if isinstance(answer, str):
        return _WRITES if must_read and answer != "r" else None
    return _without_prefix(failure(answer))


def _without_prefix(found: StepFailed) -> StepFailed:
    if found.position is None:
        return found
    line, column = found.position
    return StepFailed(found.code, found.message, (line - 1, column))
