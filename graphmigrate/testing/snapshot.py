"""What a database holds, as a value; and the shortest way from what it holds now back to such a value.

For test databases only: everything is read into memory, so the cost grows with what migrations and seeds make. A test
that wrote nothing costs none of this (see ``keeper``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import neo4j

from graphmigrate.cypher.identifiers import quote
from graphmigrate.testing.wipe import end_other_transactions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Properties = dict[str, Any]


class Node(NamedTuple):
    """A node without its identity."""

    labels: frozenset[str]
    properties: Properties


class Relationship(NamedTuple):
    """A relationship; ``start`` and ``end`` are element ids."""

    type: str
    start: str
    end: str
    properties: Properties


@dataclass(slots=True)
class Contents:
    """Nodes and relationships by element id; constraints and free-standing indexes by name, as what creates them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    relationships: dict[str, Relationship] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Difference:
    """What has to be done so that the database holds the wanted contents again."""

    drops: list[str]
    creations: list[str]
    added_nodes: list[str]
    added_relationships: list[str]
    changed_nodes: dict[str, Node]
    changed_relationships: list[str]
    gone_nodes: list[str]
    gone_relationships: list[str]

    @property
    def schema(self) -> bool:
        """Whether constraints or indexes differ."""
        return bool(self.drops or self.creations)

    @property
    def added(self) -> bool:
        """Whether there are nodes or relationships too many."""
        return bool(self.added_nodes or self.added_relationships)

    @property
    def harmless(self) -> bool:
        """Whether there is nothing to do but to delete what was added, so that there is nothing to verify."""
        changed = (
            self.changed_nodes or self.changed_relationships or self.gone_nodes or self.gone_relationships
        )
        return not (self.schema or changed)


class NotRestored(Exception):
    """The database could not be brought back in place; it has to be made anew."""


GRAPH: Final = (
    "MATCH (n) RETURN elementId(n), labels(n), properties(n), "
    "[(n)-[r]->(m) | [elementId(r), type(r), elementId(m), properties(r)]]"
)
CONSTRAINTS: Final = "SHOW CONSTRAINTS YIELD name, createStatement"
INDEXES: Final = (
    "SHOW INDEXES YIELD name, createStatement, owningConstraint WHERE owningConstraint IS NULL "
    "RETURN name, createStatement"
)
DELETE_NODES: Final = "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id DETACH DELETE n"
DELETE_RELATIONSHIPS: Final = "UNWIND $ids AS id MATCH ()-[r]->() WHERE elementId(r) = id DELETE r"
# Labels and types travel as values (Cypher Manual, "Dynamic node labels and relationship types"): one query does for all
# of them, and the server plans it once.
SET_NODES: Final = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row[0] REMOVE n:$(row[1]) SET n:$(row[2]) SET n = row[3]"
SET_RELATIONSHIPS: Final = "UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row[0] SET r = row[1]"
CREATE_NODES: Final = "UNWIND $rows AS row CREATE (n:$(row[1])) SET n = row[2] RETURN row[0], elementId(n)"
CREATE_RELATIONSHIPS: Final = (
    "UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row[2] MATCH (b) WHERE elementId(b) = row[3] "
    "CREATE (a)-[r:$(row[1])]->(b) SET r = row[4] RETURN row[0], elementId(r)"
)
AWAIT_INDEXES: Final = "CALL db.awaitIndexes(60)"
_CHUNK: Final = 10_000
_PATIENCE: Final = 10.0  # seconds; who holds a lock for longer is a session that a test left open


def read(driver: neo4j.Driver) -> Contents:
    """Read everything the home database holds."""
    with driver.session() as session, session.begin_transaction(timeout=_PATIENCE) as tx:
        return _read(tx)


def restore(driver: neo4j.Driver, wanted: Contents) -> frozenset[str]:
    """Make the database hold ``wanted`` again; gives the bookmark of the transaction that did.

    What had to be made again has new element ids, which are written into ``wanted``. Raises NotRestored where it cannot be
    done in place, and the driver's errors.
    """
    with driver.session() as session:
        if not _mended(session, wanted):
            _rebuild(session, wanted)
            if not _mended(session, wanted):
                raise NotRestored
        return session.last_bookmarks().raw_values


def _mended(session: neo4j.Session, wanted: Contents) -> bool:
    """Mend the data in one transaction, unless the schema differs or it is too much for one.

    Whatever needed more than a deletion is read a second time, and committed only if it is what is wanted.
    """
    with session.begin_transaction(timeout=_PATIENCE) as tx:
        now = _read(tx)
        change = difference(now, wanted)
        if change.schema or len(change.added_nodes) > _CHUNK:
            return False
        _mend(tx, change, wanted)
        if not change.harmless:
            left = difference(Contents(*_graph(tx), now.constraints, now.indexes), wanted)
            if left.added or not left.harmless:
                raise NotRestored
        tx.commit()
    return True


def _rebuild(session: neo4j.Session, wanted: Contents) -> None:
    """Bring back constraints and indexes, and the data between dropping and creating them."""
    with session.begin_transaction(timeout=_PATIENCE) as tx:
        change = difference(_read(tx), wanted)
    end_other_transactions(session)
    _each(session, change.drops)
    for ids in _chunks(change.added_nodes):
        session.run(DELETE_NODES, ids=ids).consume()
    change.added_nodes = []
    with session.begin_transaction(timeout=_PATIENCE) as tx:
        _mend(tx, change, wanted)
        tx.commit()
    _each(session, [*change.creations, AWAIT_INDEXES])


def _each(session: neo4j.Session, statements: Iterable[str]) -> None:
    for statement in statements:
        session.run(neo4j.Query(statement, timeout=_PATIENCE * 6)).consume()


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _read(tx: neo4j.Transaction) -> Contents:
    return Contents(*_graph(tx), dict(tx.run(CONSTRAINTS).values()), dict(tx.run(INDEXES).values()))


def _graph(tx: neo4j.Transaction) -> tuple[dict[str, Node], dict[str, Relationship]]:
    nodes: dict[str, Node] = {}
    relationships: dict[str, Relationship] = {}
    for start, labels, properties, outgoing in tx.run(GRAPH):
        nodes[start] = Node(frozenset(labels), properties)
        for id_, type_, end, its in outgoing:
            relationships[id_] = Relationship(type_, start, end, its)
    return nodes, relationships


def difference(now: Contents, wanted: Contents) -> Difference:
    """Compare two contents; an entity whose id was given away to another one counts as gone."""
    drops: list[str] = []
    creations: list[str] = []
    for kind in ("constraint", "index"):
        present: dict[str, str] = now.constraints if kind == "constraint" else now.indexes
        expected: dict[str, str] = wanted.constraints if kind == "constraint" else wanted.indexes
        unwanted = [name for name, statement in present.items() if expected.get(name) != statement]
        drops += [f"DROP {kind.upper()} {quote(name)}" for name in unwanted]
        creations += [statement for name, statement in expected.items() if present.get(name) != statement]
    kept = {
        id_
        for id_, each in now.relationships.items()
        if id_ in wanted.relationships and each[:3] == wanted.relationships[id_][:3]
    }
    added_nodes = [id_ for id_ in now.nodes if id_ not in wanted.nodes]
    added = set(added_nodes)
    return Difference(
        drops,
        creations,
        added_nodes,
        [
            id_
            for id_, each in now.relationships.items()
            if id_ not in kept and each.start not in added and each.end not in added
        ],
        {id_: now.nodes[id_] for id_, each in wanted.nodes.items() if _differs(now.nodes.get(id_), each)},
        [
            id_
            for id_ in kept
            if not same(now.relationships[id_].properties, wanted.relationships[id_].properties)
        ],
        [id_ for id_ in wanted.nodes if id_ not in now.nodes],
        [id_ for id_ in wanted.relationships if id_ not in kept],
    )


def _differs(now: Node | None, wanted: Node) -> bool:
    return now is not None and not (now.labels == wanted.labels and same(now.properties, wanted.properties))


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the database: 1, 1.0 and true are three, NaN is itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (one != one and other != other))  # the latter is NaN


def _mend(tx: neo4j.Transaction, change: Difference, wanted: Contents) -> None:
    """Bring the data back: first what is too much, since it may stand in the way of a constraint."""
    if change.added_relationships:
        tx.run(DELETE_RELATIONSHIPS, ids=change.added_relationships).consume()
    if change.added_nodes:
        tx.run(DELETE_NODES, ids=change.added_nodes).consume()
    if change.changed_nodes:
        rows = [_setting(id_, now, wanted.nodes[id_]) for id_, now in change.changed_nodes.items()]
        tx.run(SET_NODES, rows=rows).consume()
    if change.changed_relationships:
        rows = [[id_, wanted.relationships[id_].properties] for id_ in change.changed_relationships]
        tx.run(SET_RELATIONSHIPS, rows=rows).consume()
    renamed = _create_nodes(tx, change.gone_nodes, wanted)
    _create_relationships(tx, change.gone_relationships, wanted, renamed)


def _setting(id_: str, now: Node, wanted: Node) -> list[Any]:
    return [id_, list(now.labels - wanted.labels), list(wanted.labels - now.labels), wanted.properties]


def _create_nodes(tx: neo4j.Transaction, gone: list[str], wanted: Contents) -> dict[str, str]:
    """Make nodes again; gives the new element id of each."""
    if not gone:
        return {}
    nodes = {id_: wanted.nodes.pop(id_) for id_ in gone}
    rows = [[id_, list(labels), properties] for id_, (labels, properties) in nodes.items()]
    renamed: dict[str, str] = dict(tx.run(CREATE_NODES, rows=rows).values())
    wanted.nodes.update((new, nodes[old]) for old, new in renamed.items())
    return renamed


def _create_relationships(
    tx: neo4j.Transaction, gone: list[str], wanted: Contents, renamed: dict[str, str]
) -> None:
    if not gone:
        return
    made: dict[str, Relationship] = {}
    for id_ in gone:
        type_, start, end, properties = wanted.relationships.pop(id_)
        made[id_] = Relationship(type_, renamed.get(start, start), renamed.get(end, end), properties)
    rows = [[id_, *each] for id_, each in made.items()]
    for old, new in tx.run(CREATE_RELATIONSHIPS, rows=rows):
        wanted.relationships[new] = made[old]
