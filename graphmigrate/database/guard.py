"""A user's statement that deletes everything must not delete the history with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from graphmigrate.errors import GraphMigrateError

if TYPE_CHECKING:
    import neo4j

# What decides and what people look at; attempts and locks come and go. Each count is answered from the count
# store, with what the transaction changed so far (Cypher Manual, "Count store").
_LABELS: tuple[LiteralString, ...] = (
    "__GraphMigrateLedger",
    "__GraphMigrateMigration",
    "__GraphMigrateRun",
    "__GraphMigrateSeed",
)
COUNT_LEDGER: LiteralString = (
    "RETURN " + " + ".join(f"COUNT {{ (:{label}) }}" for label in _LABELS) + " AS size"
)


def ledger_size(tx: neo4j.Transaction) -> int:
    """Count the ledger's nodes as this transaction sees them."""
    return int(tx.run(COUNT_LEDGER).single(strict=True)["size"])


def check_not_erased(tx: neo4j.Transaction, before: int) -> None:
    """Raise GraphMigrateError (GM520) where the ledger has fewer nodes than ``before``.

    The caller then rolls back. Call it before the commit of a transaction whose counters show deleted nodes.
    """
    missing = before - ledger_size(tx)
    if missing > 0:
        raise GraphMigrateError(
            f"A statement here would have deleted {missing} of graphmigrate's own nodes, its history;"
            " it was rolled back.",
            hint="Exclude them: MATCH (n) WHERE none(l IN labels(n) WHERE l STARTS WITH '__GraphMigrate') …",
            code="GM520",
        )
