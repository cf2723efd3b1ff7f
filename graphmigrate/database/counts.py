"""How many nodes and relationships there are, from the server's own counts (Cypher Manual, "Count store")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.identifiers import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphmigrate.database.connection import Database


def count(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """Give the nodes of each label and the relationships of each type, the ledger's own left out."""
    labels = [record["label"] for record in database.read("CALL db.labels() YIELD label RETURN label")]
    own = [label for label in labels if not label.startswith("__GraphMigrate")]
    names = database.read("CALL db.relationshipTypes() YIELD relationshipType AS name RETURN name")
    types = [record["name"] for record in names]
    return _counts(database, own, "COUNT {{ (:{}) }}", {}), _counts(
        database, types, "COUNT {{ ()-[:{}]->() }}", _DRAWN
    )


# What the ledger draws for people does not count. Planning each COUNT takes milliseconds, so it stands only where it matters.
_DRAWN = {
    "HEAD": " - COUNT { (:__GraphMigrateLedger)-[:HEAD]->() }",
    "NEXT": " - COUNT { (:__GraphMigrateMigration)-[:NEXT]->() }",
}


def _counts(database: Database, names: list[str], pattern: str, without: Mapping[str, str]) -> dict[str, int]:
    if not names:
        return {}
    parts = ", ".join(pattern.format(quote(name)) + without.get(name, "") for name in sorted(names))
    found = database.read(f"RETURN [{parts}] AS counts")[0]["counts"]
    return {name: number for name, number in zip(sorted(names), found, strict=True) if number}
