"""How many nodes and relationships there are, from the server's own counts (Cypher Manual, "Count store")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import quote
from graphmigrate.database import queries

if TYPE_CHECKING:
    from graphmigrate.database.connection import Database


def count(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """Return the nodes of each label and the relationships of each type, without the ledger's own.

    What a statement put on the ledger's nodes, a label or a relationship, does not count.
    """
    own = {record["name"]: record["count"] for record in database.read(queries.COUNT_ON_OWN)}
    labels = [record["name"] for record in database.read(queries.LABELS_IN_USE)]
    types = [record["name"] for record in database.read(queries.TYPES_IN_USE)]
    foreign = [label for label in labels if not label.startswith(queries.OWN)]
    return (
        _counts(database, [(each, "COUNT {{ (:{}) }}", own.get(f"label {each}", 0)) for each in foreign]),
        _counts(database, [(each, "COUNT {{ ()-[:{}]->() }}", own.get(f"type {each}", 0)) for each in types]),
    )


def _counts(database: Database, counted: list[tuple[str, str, int]]) -> dict[str, int]:
    if not counted:
        return {}
    parts = ", ".join(pattern.format(quote(name)) for name, pattern, _ in sorted(counted))
    found = database.read(f"RETURN [{parts}] AS counts")[0]["counts"]
    numbers = ((name, number - less) for (name, _, less), number in zip(sorted(counted), found, strict=True))
    return {name: number for name, number in numbers if number}
