"""The contents of a test database as a value, and the way from what it holds now back to such a value.

Everything is read into memory, so the cost grows with what migrations and seeds make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import neo4j

from graphmigrate.cypher.lexer import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """What has to be done so that the database holds the wanted contents again; ids, but for statements and nodes."""

    drops: list[str]
    creations: list[str]
    added_nodes: list[str]
    added_relationships: list[str]
    changed_nodes: dict[str, Node]
    changed_relationships: list[str]
    gone_nodes: list[str]
    gone_relationships: list[str]

    @property
    def only_added(self) -> bool:
        """Whether deleting what was added is enough, so that there is nothing to verify."""
        differs = (
            self.changed_nodes or self.changed_relationships or self.gone_nodes or self.gone_relationships
        )
        return not (self.drops or self.creations or differs)

    @property
    def nothing(self) -> bool:
        """Whether the contents are the same."""
        return self.only_added and not (self.added_nodes or self.added_relationships)


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
_TRANSACTIONS: Final = "SHOW TRANSACTIONS YIELD transactionId AS id, database, activeLockCount AS locks"
_CHUNK: Final = 10_000
_PATIENCE: Final = 10.0  # seconds; a lock that is held for longer belongs to a session that a test left open


def read(driver: neo4j.Driver) -> Contents:
    """Return everything that the home database holds."""
    with driver.session() as session, session.begin_transaction(timeout=_PATIENCE) as tx:
        return _read(tx)


def restore(driver: neo4j.Driver, wanted: Contents) -> frozenset[str]:
    """Make the database hold ``wanted`` again; returns the bookmark of the transaction that did.

    Entities that had to be made again have new element ids, which are written into ``wanted``. Raises NotRestored where
    it cannot be done in place, and the driver's errors.
    """
    with driver.session() as session:
        if not _data_restored(session, wanted):
            _restore_schema(session, wanted)
            if not _data_restored(session, wanted):
                raise NotRestored
        return session.last_bookmarks().raw_values


def end_other_transactions(session: neo4j.Session, *, locks: int = 0) -> None:
    """End the transactions that tests left open in other sessions: dropping an index would wait for them for ever.

    ``locks``: only transactions that hold so many, which spares this one, and a second query where there are none.
    """
    shown = session.run(_TRANSACTIONS)
    found = shown.values()
    home = shown.consume().database
    ids = [id_ for id_, database, held in found if database == home and held >= locks]
    if ids:
        session.run("TERMINATE TRANSACTIONS $ids", ids=ids).consume()


def _data_restored(session: neo4j.Session, wanted: Contents) -> bool:
    """Put the data back in one transaction; returns False where the schema differs or there is too much for one.

    After more than a deletion everything is read again, and committed only if it is what is wanted.
    """
    with session.begin_transaction(timeout=_PATIENCE) as tx:
        now = _read(tx)
        change = difference(now, wanted)
        if change.drops or change.creations or len(change.added_nodes) > _CHUNK:
            return False
        _apply(tx, change, wanted)
        if not change.only_added:
            again = Contents(*_graph(tx), now.constraints, now.indexes)
            if not difference(again, wanted).nothing:
                raise NotRestored
        tx.commit()
    return True


def _restore_schema(session: neo4j.Session, wanted: Contents) -> None:
    """Put constraints and indexes back, and the data between dropping and creating them."""
    with session.begin_transaction(timeout=_PATIENCE) as tx:
        change = difference(_read(tx), wanted)
    end_other_transactions(session)
    _run_each(session, change.drops)
    for start in range(0, len(change.added_nodes), _CHUNK):
        session.run(DELETE_NODES, ids=change.added_nodes[start : start + _CHUNK]).consume()
    change.added_nodes = []
    with session.begin_transaction(timeout=_PATIENCE) as tx:
        _apply(tx, change, wanted)
        tx.commit()
    _run_each(session, [*change.creations, AWAIT_INDEXES])


def _run_each(session: neo4j.Session, statements: Iterable[str]) -> None:
    for statement in statements:
        session.run(neo4j.Query(statement, timeout=_PATIENCE * 6)).consume()


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
    """Return what differs between two contents; an entity whose id was given to another one counts as gone."""
    change = Difference([], [], [], [], {}, [], [], [])
    for kind, present, expected in (
        ("CONSTRAINT", now.constraints, wanted.constraints),
        ("INDEX", now.indexes, wanted.indexes),
    ):
        unwanted = (name for name, statement in present.items() if expected.get(name) != statement)
        change.drops += [f"DROP {kind} {quote(name)}" for name in unwanted]
        change.creations += [made for name, made in expected.items() if present.get(name) != made]
    _compare_nodes(now.nodes, wanted.nodes, change)
    _compare_relationships(now.relationships, wanted.relationships, change)
    return change


def _compare_nodes(now: dict[str, Node], wanted: dict[str, Node], change: Difference) -> None:
    change.added_nodes = [id_ for id_ in now if id_ not in wanted]
    change.gone_nodes = [id_ for id_ in wanted if id_ not in now]
    for id_, node in now.items():
        before = wanted.get(id_)
        if before and not (node.labels == before.labels and same(node.properties, before.properties)):
            change.changed_nodes[id_] = node


def _compare_relationships(
    now: dict[str, Relationship], wanted: dict[str, Relationship], change: Difference
) -> None:
    added = set(change.added_nodes)
    for id_, each in now.items():
        before = wanted.get(id_)
        if before is None or each[:3] != before[:3]:
            if each.start not in added and each.end not in added:  # else it goes with its node
                change.added_relationships.append(id_)
        elif not same(each.properties, before.properties):
            change.changed_relationships.append(id_)
    change.gone_relationships = [
        id_ for id_, each in wanted.items() if id_ not in now or now[id_][:3] != each[:3]
    ]


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same to the database: 1, 1.0 and true differ, NaN is equal to itself.

    >>> same([1, 2], [1, 2.0]), same(float("nan"), float("nan"))
    (False, True)
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (one != one and other != other))  # the latter is NaN


def _apply(tx: neo4j.Transaction, change: Difference, wanted: Contents) -> None:
    """Put the data back: first what is too much is deleted, since it may violate a constraint."""
    nodes = [
        [id_, list(now.labels - old.labels), list(old.labels - now.labels), old.properties]
        for id_, now in change.changed_nodes.items()
        if (old := wanted.nodes[id_])
    ]
    relationships = [[id_, wanted.relationships[id_].properties] for id_ in change.changed_relationships]
    for query, name, values in (
        (DELETE_RELATIONSHIPS, "ids", change.added_relationships),
        (DELETE_NODES, "ids", change.added_nodes),
        (SET_NODES, "rows", nodes),
        (SET_RELATIONSHIPS, "rows", relationships),
    ):
        if values:
            tx.run(query, {name: values}).consume()
    renamed = _create_nodes(tx, change.gone_nodes, wanted)
    _create_relationships(tx, change.gone_relationships, wanted, renamed)


def _create_nodes(tx: neo4j.Transaction, gone: list[str], wanted: Contents) -> dict[str, str]:
    """Make nodes again; returns the new element id of each."""
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
