"""An empty database on which statements are tried out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database import queries
from graphmigrate.database.catalogue import drop_entries, read_catalogue
from graphmigrate.database.failures import DriverFailure, statement_failure
from graphmigrate.errors import UsageError
from graphmigrate.schema.model import ObjectType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import neo4j

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.connection import Database
    from graphmigrate.schema.model import CatalogueEntry


def refuse_used(database: Database) -> None:
    """Raise UsageError (GM740) where the database holds anything: it is emptied again and again."""
    if _made(database) or database.read(queries.COUNT_NODES)[0]["count"]:
        raise UsageError(
            "The scratch database is not empty, and a squash empties it; nothing was changed.",
            hint="Name an empty one, or none: a throw-away server is started then.",
            code="GM740",
        )


def _made(database: Database) -> list[CatalogueEntry]:
    """Return the constraints, and the indexes that somebody made: each database has its lookup indexes."""
    catalogue = read_catalogue(database)
    indexes = catalogue.indexes.values()
    free = [each for each in indexes if not each.owner and each.object.type is not ObjectType.LOOKUP]
    return [*catalogue.constraints.values(), *free]


def empty(database: Database) -> None:
    """Delete every node, and drop what was made of the schema."""
    with database.transaction() as tx:
        tx.run(queries.DELETE_EVERYTHING).consume()
    drop_entries(database, _made(database))


def run(database: Database, statement: Statement) -> None:
    """Run a statement. Raises MigrationFailed at its place."""
    try:
        with database.session(write=True) as session:
            session.run(statement.sent).consume()  # type: ignore[arg-type,unused-ignore]
    except DriverFailure as error:
        raise statement_failure(error, statement) from error


class Contents(NamedTuple):
    """The nodes and relationships of a database."""

    nodes: Sequence[neo4j.Record]
    relationships: Sequence[neo4j.Record]

    def values(self) -> Counter[tuple[str, str]]:
        """Return each property key with its value, as a text, and how often it is there."""
        rows = [*self.nodes, *self.relationships]
        return Counter((key, repr(value)) for row in rows for key, value in row["values"].items())

    def texts(self, without: Collection[str] = ()) -> Counter[str]:
        """Return all as texts, each with its number: a node is known by what it has, not by its id.

        Of the property keys in ``without``, the values are left out.
        """

        def kept(row: neo4j.Record) -> list[tuple[str, Any]]:
            return sorted((key, None if key in without else value) for key, value in row["values"].items())

        nodes = {row["id"]: f"({sorted(row['labels'])} {kept(row)})" for row in self.nodes}
        relationships = [
            f"{nodes[row['start']]}-{row['type']} {kept(row)}->{nodes[row['end']]}"
            for row in self.relationships
        ]
        return Counter([*nodes.values(), *relationships])


def contents(database: Database) -> Contents:
    """Read every node and relationship."""
    return Contents(database.read(queries.ALL_NODES), database.read(queries.ALL_RELATIONSHIPS))


def schema(database: Database) -> set[str]:
    """Return a text for each constraint and index."""
    return {f"{each.name} {each.object} {each.create}" for each in _made(database)}
