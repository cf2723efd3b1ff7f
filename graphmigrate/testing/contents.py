"""What a database holds, as a value; and the shortest way from what it holds now back to such a value.

For test databases only: everything is read into memory, so the cost grows with what migrations and seeds make. A test
that wrote nothing costs none of this (see ``keeper``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import neo4j

from graphmigrate.cypher.identifiers import quote
from graphmigrate.testing.whole import end_other_transactions

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
    def harmless(self) -> bool:
        """Whether there is nothing to do but to delete what was added, so that there is nothing to verify."""
        changed = (
            self.changed_nodes or self.changed_relationships or self.gone_nodes or self.gone_relationships
        )
        return not (self.schema or changed)


class NotRestored(Exception):
    """The database could not be brought back in place; it has to be made anew."""


NODES: Final = "MATCH (n) RETURN elementId(n), labels(n), properties(n)"
RELATIONSHIPS: Final = (
    "MATCH (a)-[r]->(b) RETURN elementId(r), type(r), elementId(a), elementId(b), properties(r)"
)
CONSTRAINTS: Final = "SHOW CONSTRAINTS YIELD name, createStatement"
INDEXES: Final = (
    "SHOW INDEXES YIELD name, createStatement, owningConstraint WHERE owningConstraint IS NULL "
    "RETURN name, createStatement"
)
DELETE_NODES: Final = "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id DETACH DELETE n"
DELETE_RELATIONSHIPS: Final = "UNWIND $ids AS id MATCH ()-[r]->() WHERE elementId(r) = id DELETE r"
SET_NODE: Final = "MATCH (n) WHERE elementId(n) = $id SET n = $properties"
SET_RELATIONSHIP: Final = "MATCH ()-[r]->() WHERE elementId(r) = $id SET r = $properties"
CREATE_NODES: Final = "UNWIND $rows AS row CREATE (n{labels}) SET n = row[1] RETURN row[0], elementId(n)"
CREATE_RELATIONSHIPS: Final = (
    "UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row[1] MATCH (b) WHERE elementId(b) = row[2] "
    "CREATE (a)-[r:{type}]->(b) SET r = row[3] RETURN row[0], elementId(r)"
)
AWAIT_INDEXES: Final = "CALL db.awaitIndexes(60)"
_CHUNK: Final = 10_000
_PATIENCE: Final = 10.0  # seconds; who holds a lock for longer is a session that a test left open


def read(driver: neo4j.Driver) -> Contents:
    """Read everything the home database holds."""
    with driver.session() as session, session.begin_transaction(timeout=_PATIENCE) as tx:
        return _read(tx)


def restore(driver: neo4j.Driver, wanted: Contents) -> None:
    """Make the database hold ``wanted`` again.

    What had to be made again has new element ids, which are written into ``wanted``. Raises NotRestored where one attempt
    did not do it, and the driver's errors.
    """
    for _ in range(2):
        done = _attempt(driver, wanted)
        if done.harmless:
            return
    raise NotRestored


def _attempt(driver: neo4j.Driver, wanted: Contents) -> Difference:
    with driver.session() as session:
        with session.begin_transaction(timeout=_PATIENCE) as tx:
            change = difference(_read(tx), wanted)
            if not change.schema and len(change.added_nodes) <= _CHUNK:
                _mend(tx, change, wanted)
                tx.commit()
                return change
        end_other_transactions(driver)
        _each(session, change.drops)
        for ids in _chunks(change.added_nodes):
            session.run(DELETE_NODES, ids=ids).consume()
        change.added_nodes = []
        with session.begin_transaction(timeout=_PATIENCE) as tx:
            _mend(tx, change, wanted)
            tx.commit()
        _each(session, [*change.creations, AWAIT_INDEXES])
    return change


def _each(session: neo4j.Session, statements: Iterable[str]) -> None:
    for statement in statements:
        session.run(neo4j.Query(statement, timeout=_PATIENCE * 6)).consume()


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _read(tx: neo4j.Transaction) -> Contents:
    return Contents(
        {id_: Node(frozenset(labels), properties) for id_, labels, properties in tx.run(NODES)},
        {id_: Relationship(*parts) for id_, *parts in tx.run(RELATIONSHIPS)},
        dict(tx.run(CONSTRAINTS).values()),
        dict(tx.run(INDEXES).values()),
    )


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
    for id_, now in change.changed_nodes.items():
        _set_labels(tx, id_, now.labels, wanted.nodes[id_].labels)
        tx.run(SET_NODE, id=id_, properties=wanted.nodes[id_].properties).consume()
    for id_ in change.changed_relationships:
        tx.run(SET_RELATIONSHIP, id=id_, properties=wanted.relationships[id_].properties).consume()
    renamed = _create_nodes(tx, change.gone_nodes, wanted)
    _create_relationships(tx, change.gone_relationships, wanted, renamed)


def _set_labels(tx: neo4j.Transaction, id_: str, now: frozenset[str], wanted: frozenset[str]) -> None:
    clauses = [
        f"{word} n:{':'.join(map(quote, sorted(labels)))}"
        for word, labels in (("REMOVE", now - wanted), ("SET", wanted - now))
        if labels
    ]
    if clauses:
        tx.run(f"MATCH (n) WHERE elementId(n) = $id {' '.join(clauses)}", id=id_).consume()


def _create_nodes(tx: neo4j.Transaction, gone: list[str], wanted: Contents) -> dict[str, str]:
    """Make nodes again; gives the new element id of each."""
    by_labels: dict[frozenset[str], list[list[Any]]] = {}
    for id_ in gone:
        labels, properties = wanted.nodes.pop(id_)
        by_labels.setdefault(labels, []).append([id_, properties])
    renamed: dict[str, str] = {}
    for labels, rows in by_labels.items():
        query = CREATE_NODES.replace("{labels}", "".join(f":{quote(each)}" for each in sorted(labels)))
        by_id = dict(rows)
        for old, new in tx.run(query, rows=rows):
            renamed[old] = new
            wanted.nodes[new] = Node(labels, by_id[old])
    return renamed


def _create_relationships(
    tx: neo4j.Transaction, gone: list[str], wanted: Contents, renamed: dict[str, str]
) -> None:
    by_type: dict[str, dict[str, list[Any]]] = {}
    for id_ in gone:
        type_, start, end, properties = wanted.relationships.pop(id_)
        row = [id_, renamed.get(start, start), renamed.get(end, end), properties]
        by_type.setdefault(type_, {})[id_] = row
    for type_, rows in by_type.items():
        query = CREATE_RELATIONSHIPS.replace("{type}", quote(type_))
        for old, new in tx.run(query, rows=list(rows.values())):
            wanted.relationships[new] = Relationship(type_, *rows[old][1:])
