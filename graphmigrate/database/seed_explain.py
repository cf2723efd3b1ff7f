"""Ask the server whether it would run statements, without running them (Cypher Manual, "EXPLAIN")."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from graphmigrate.database.explain import explain_one
from graphmigrate.database.seed_ledger import StepFailed, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphmigrate.database.connection import Database


_WRITES = StepFailed("Neo.ClientError.Statement.AccessMode", "query(…) may only read, and this writes", None)


def explain(
    database: Database,
    queries: Sequence[tuple[str, Mapping[str, Any]]],
    reading: frozenset[str] = frozenset(),
) -> list[StepFailed | None]:
    """Give for each query (text, parameters) what the server has against it, with positions in the text.

    Those whose text is in ``reading`` may not write. Uses ``preflight_connections`` connections. Raises ConnectionFailed.
    """
    lanes = max(1, min(database.settings.preflight_connections, len(queries)))
    with ThreadPoolExecutor(lanes) as pool:
        shares = pool.map(lambda lane: _explain(database, queries[lane::lanes], reading), range(lanes))
        found: list[StepFailed | None] = [None] * len(queries)
        for lane, share in enumerate(shares):
            found[lane::lanes] = share
    return found


def _explain(
    database: Database, queries: Sequence[tuple[str, Mapping[str, Any]]], reading: frozenset[str]
) -> list[StepFailed | None]:
    answers: list[StepFailed | None] = []
    with database.session(write=False) as session:
        for text, parameters in queries:
            answer = explain_one(database, session, text, parameters)
            if isinstance(answer, str):
                answers.append(_WRITES if text in reading and answer != "r" else None)
            else:
                answers.append(_without_prefix(failure(answer)))
    return answers


def _without_prefix(found: StepFailed) -> StepFailed:
    if found.position is None:
        return found
    line, column = found.position
    return StepFailed(found.code, found.message, (line - 1, column))
