"""What the database holds: constraints and indexes, read, dropped, and awaited until they are ONLINE; numbers of nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.lexer import quote
from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.connection import WORK
from graphmigrate.errors import MigrationFailed
from graphmigrate.events import IndexesAwaited, Listener
from graphmigrate.schema.catalogue import FAILED, ONLINE, Catalogue
from graphmigrate.schema.model import ObjectType, drop_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from graphmigrate.database.connection import Database
    from graphmigrate.schema.model import CatalogueEntry, SchemaObject

    Key = tuple[str, frozenset[str]]

_SILENT = 0.6  # seconds, before a person is told what is waited for
_JAVA_EXCEPTION = re.compile(r"^(Caused by: )?([a-z]\w*\.)+\w+: ")


def read_catalogue(database: Database) -> Catalogue:
    """Return every constraint and index, the ledger's own among them."""
    return Catalogue.from_rows(_rows(database, queries.CONSTRAINTS), _rows(database, queries.INDEXES))


def _rows(database: Database, query: str) -> list[dict[str, Any]]:
    """Read with Cypher 25 where the server has it: under 5, definitions of newer indexes are null."""
    prefix = "CYPHER 25 " if "25" in database.languages else ""
    rows = [record.data() for record in database.read(prefix + query)]
    return [
        row | {"createStatement": prefix + row["createStatement"] if row["createStatement"] else None}
        for row in rows
    ]


def unique_keys(database: Database) -> set[Key]:
    """Say which properties of which label, taken together, no two nodes have alike."""
    return {
        key
        for entry in Catalogue.from_rows(_rows(database, queries.CONSTRAINTS), ()).constraints.values()
        for key in made_unique(entry.object)
    }


def made_unique(target: SchemaObject) -> Iterator[Key]:
    """Return the labels, with properties, of which a constraint lets no two nodes have the same values."""
    if target.entity == "node" and target.type in {ObjectType.UNIQUENESS, ObjectType.KEY}:
        for label in target.labels:
            yield label, frozenset(target.properties)


def drop_entries(database: Database, entries: Iterable[CatalogueEntry], role: str = WORK) -> None:
    """Drop constraints and indexes, all or none, in a transaction that the next holder of the lock finds and ends."""
    chosen = tuple(entries)
    if not chosen:
        return
    with database.transaction(role) as tx:
        for entry in chosen:
            tx.run(f"{drop_of(entry.object)} IF EXISTS").consume()


def names_in_use(database: Database) -> set[str]:
    """Return the labels and relationship types that nodes or relationships have (Operations Manual, "Procedures")."""
    return {record["name"] for record in database.read(queries.NAMES_IN_USE)}


def await_indexes(
    database: Database, listen: Listener, awaited: Collection[SchemaObject], seconds: float | None = None
) -> None:
    """Wait until these indexes are ONLINE, for at most ``seconds``, or as long as the setting ``index_timeout`` says.

    Raises IndexFailed where one of them is FAILED, or MigrationFailed (GM506) when the time is over. The states
    are read rather than awaited by ``db.awaitIndexes``, which also fails for an index of somebody else's.
    """
    patience = database.settings.index_timeout if seconds is None else seconds
    backoff = Backoff(first=0.005, longest=0.64, seconds=patience)
    while True:
        catalogue = Catalogue.from_rows([], _rows(database, queries.INDEXES))
        found = [(target, catalogue.find(target)) for target in awaited]
        for target, entry in found:
            if entry and entry.state == FAILED:
                raise IndexFailed(target, entry)
        waiting = {
            entry.name: entry.population or 0.0 for _, entry in found if entry and entry.state != ONLINE
        }
        if not waiting:
            return
        if backoff.waited > _SILENT:
            listen(IndexesAwaited(waiting))
        if not backoff.pause():
            names = ", ".join(f"{name} ({share:.0f} %)" for name, share in waiting.items())
            raise MigrationFailed(
                f"Not ONLINE after {patience:g} s: {names}.",
                hint="They go on populating on the server. Raise index_timeout, or run the same command again later.",
                code="GM506",
            )


class IndexFailed(MigrationFailed):
    """The server could not build an index; ``target`` is what was asked for."""

    code = "GM506"

    def __init__(self, target: SchemaObject, entry: CatalogueEntry) -> None:
        super().__init__(
            f"The index {entry.name} could not be built: {_reason(entry.failure)}",
            hint="Fix the data, or the index's definition, and run again.",
        )
        self.target = target


def _reason(failure: str | None) -> str:
    """Return the one line of a Java stack trace that says why: the last cause's."""
    lines = [line.strip() for line in (failure or "").splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    told = causes[-1] if causes else next(iter(lines), "the server does not say why")
    return _JAVA_EXCEPTION.sub("", told)


# ---- how many there are, from the server's own counts (Cypher Manual, "Count store")


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
