"""What runs have open on the server: listed, ended, and waited for until it can take no effect any more."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.connection import LOCK, LOOK, PREPARE, WORK
from graphmigrate.database.failures import DriverFailure

if TYPE_CHECKING:
    import neo4j

    from graphmigrate.database.connection import Database

_COUNTED = (
    *("nodes_created", "nodes_deleted", "relationships_created", "relationships_deleted"),
    *("properties_set", "labels_added", "labels_removed"),
)
_WORDS = re.compile(r"[^\[\], ]+")  # of "Blocked by: [neo4j-transaction-7, neo4j-transaction-9]"
_CLOSING = 10.0  # seconds
_NOT_READERS = (LOCK, WORK, LOOK, PREPARE)  # a reader without the lock disturbs nobody


def transactions(database: Database) -> list[neo4j.Record]:
    """List the open transactions of every run against this ledger."""
    return database.read(queries.TRANSACTIONS, database=database.name, ledger=database.settings.ledger)


def terminate(database: Database, chosen: Any) -> None:
    """Terminate those whose metadata is ``chosen``."""
    ids = [row["id"] for row in transactions(database) if chosen(row["metadata"])]
    if ids:
        database.read(queries.TERMINATE, ids=ids)


def waiting_for_lock(database: Database) -> list[str]:
    """Return the transactions of this run, and those that procedures opened, that wait for the transaction of its lock.

    One that a procedure opened has no connection and no metadata.
    """
    rows = database.read(queries.BLOCKED, database=database.name, run=database.run)
    locks = {row["id"] for row in rows if row["role"] == LOCK}
    return [
        row["id"]
        for row in rows
        if row["role"] != LOCK and not locks.isdisjoint(_WORDS.findall(row["status"]))
    ]


def await_no_work(database: Database, chosen: Any, roles: tuple[str, ...] = (WORK,)) -> None:
    """End the chosen runs' transactions in these roles, and wait until none of them can take effect any more.

    What a holder of the lock only reads (``LOOK``) takes no effect, but keeps labels locked against changes of the schema.

    A terminated transaction whose client does not speak stays open, whatever its role, and with it an index without owner, if
    it has made a constraint. Dropping that index corrupts the schema: when the transaction closes at last, Neo4j 5.26
    drops by number whatever has its place, and 2026.05 stops the database. So its connection is closed, by which the server
    rolls it back; where the user may not do that, a run that would drop an index asks ``is_any_terminated``.

    Those that ``CALL {…} IN TRANSACTIONS`` opens carry no metadata, but name the one around them; one that is terminated
    through it may be committing all the same, so it is waited for until it is listed no more.
    """
    pauses = Backoff(longest=0.1)
    closing: float | None = None
    while True:
        rows = transactions(database)
        terminated = {row["id"] for row in rows if row["status"].startswith("Terminated")}
        found = {
            row["id"]: row["connection"]
            for row in rows
            if chosen(row["metadata"])
            and row["metadata"].get("role") in (_NOT_READERS if row["id"] in terminated else roles)
        }
        alive = found.keys() - terminated
        inner = any(row["outer"] in found for row in rows)
        if alive:
            database.read(queries.TERMINATE, ids=list(alive))
        elif not inner and (not found or (closing and time.monotonic() > closing + _CLOSING)):
            return
        elif closing is None:
            closing = time.monotonic()
            _close_connections(database, list(found.values()))
        pauses.pause()


def _close_connections(database: Database, ids: list[str]) -> None:
    """Let the server close these connections and roll back what is open there, where the user may do that."""
    with suppress(*DriverFailure):
        database.read(queries.CLOSE_CONNECTIONS, ids=ids)


def is_any_terminated(database: Database) -> bool:
    """Whether a transaction was terminated and not rolled back yet, as far as the user may see it.

    An index without owner may be its.
    """
    found = database.read(queries.TERMINATED, database=database.name)
    return bool(found[0]["number"])


def changes_of(summary: neo4j.ResultSummary) -> dict[str, int]:
    """Return the server's counters that are not zero, by the driver's names."""
    counters = summary.counters
    return {name: getattr(counters, name) for name in _COUNTED if getattr(counters, name)}
