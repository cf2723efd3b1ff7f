"""Ask the server whether it would run statements, without running them (Cypher Manual, "EXPLAIN")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.database.explain import explain_all
from graphmigrate.seeds.ledger import StepFailed, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphmigrate.database.connection import Database


def explain(database: Database, queries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[StepFailed | None]:
    """Return for each query (text, parameters) why the server refuses it, with positions in the text.

    Uses ``preflight_connections`` connections. Raises ConnectionFailed, and SchemaLocked.
    """
    answers = explain_all(database, queries)
    return [None if isinstance(answer, str) else _without_prefix(failure(answer)) for answer in answers]


def _without_prefix(found: StepFailed) -> StepFailed:
    if found.position is None:
        return found
    line, column = found.position
    return StepFailed(found.code, found.message, (line - 1, column))
