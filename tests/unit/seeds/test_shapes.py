"""Only the two plain shapes are plain loads; whatever else a statement says keeps its rows in order."""

from __future__ import annotations

import pytest

from graphmigrate.cypher.reader import significant
from graphmigrate.seeds.shapes import Lookup, PlainLoad, is_countable, plain_load, row_uses


def read(body: str) -> PlainLoad | None:
    return plain_load(significant(body), "row")


@pytest.mark.parametrize(
    ("body", "verb"),
    [
        ("CREATE (:P {id: row.id, at: datetime(row.at), n: $p1})", "CREATE"),
        ("CREATE (p:P) SET p = row", "CREATE"),
        ("CREATE (p:P) SET p += row", "CREATE"),
        ("create (p:P {id: toInteger(row.id)}) set p.x = row.x", "CREATE"),
        ("MERGE (n:L {id: row.id})", "MERGE"),
        ("MERGE (n:L {id: row.id}) SET n.set = row.set, n.on = row.on", "MERGE"),
        ("merge (n:L {id: row.id}) on create set n.x = row.x, n.y = 1 on match set n.x = row.z", "MERGE"),
        ("MERGE (n:L {id: row.id}) SET n += row", "MERGE"),
        ("MERGE (n:L:M {id: row.id, of: $p1}) SET n += {x: row.x, y: [t IN row.t WHERE t > 1 | t]}", "MERGE"),
        ("MERGE (n:L {`a b`: row.`id`}) SET n.x = CASE WHEN row.x STARTS WITH 'a' THEN 1 END", "MERGE"),
        ("MERGE (n:L /* ) */ {id: row.id}) SET n.x = date.truncate('day', row.at) // SET n.id = 1", "MERGE"),
    ],
)
def test_nodes(body: str, verb: str) -> None:
    plain = read(body)
    assert plain is not None
    assert (plain.verb, plain.relationship) == (verb, "")
    assert [each.column for each in plain.lookups] == (["id"] if verb == "MERGE" else [])


def test_what_a_node_is_looked_up_by() -> None:
    assert read("MERGE (n:L:M {id: row.id, of: $p1, x: row})") == PlainLoad(
        "MERGE", (Lookup(frozenset({"L", "M"}), {"id": "id", "of": None, "x": ""}),)
    )


@pytest.mark.parametrize(
    "body",
    [
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) CREATE (a)-[:T]->(b)",
        "MATCH (a:A {id: row.a}), (b:B {id: row.b}) MERGE (a)-[r:T]->(b) SET r.w = toFloat(row.w)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (b)<-[r:T {w: row.w}]-(a) SET r += row",
    ],
)
def test_relationships(body: str) -> None:
    plain = read(body)
    assert plain is not None
    assert plain.relationship == "T"
    assert [(each.labels, each.column) for each in plain.lookups] == [({"A"}, "a"), ({"B"}, "b")]


@pytest.mark.parametrize(
    "body",
    [
        "MATCH (a:A {id: row.parent}) CREATE (:A {id: row.id})-[:OF]->(a)",  # a row made earlier
        "OPTIONAL MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) CREATE (a)-[:T]->(b)",
        "MERGE (a:P {id: row.a}) MERGE (b:P {id: row.b}) MERGE (a)-[:KNOWS]->(b)",
        "MERGE (a:A {id: row.a}) MERGE (b:B {id: row.b})",
        "MERGE (n:L {id: toInteger(row.id)})",  # '1' and '01' are one key
        "MERGE (n:L {id: $p1}) SET n.x = row.x",
        "MERGE (n {id: row.id})",
        "MERGE (:L {id: other.id})",
        "MERGE (n:L {id: row.id}) SET n.id = row.other",
        "MERGE (n:L {id: row.id}) SET n += {id: row.other}",
        "MERGE (n:L {code: row.id}) SET n += row",
        "MERGE (n:L {id: row.code, code: row.id}) SET n += row",
        "MERGE (n:L {id: row.id}) SET n = row",
        "MERGE (n:L {id: row.id}) SET n:M",
        "MERGE (n:L {id: row.id}) SET n.times = coalesce(n.times, 0) + 1",
        "MERGE (n:L {id: row.id}) SET n.x = row.x RETURN n",
        "MERGE (n:L {id: row.id}) SET n.x = row.x WITH n MATCH (m:M) SET m.x = 1",
        "MERGE (n:L {id: row.id}) SET n.x = 1 REMOVE n.y",
        "MERGE (n:L {id: row.id})-[:T]->(:M {id: row.m})",
        "MERGE (n:L|M {id: row.id})",
        "MERGE (n:$(row.label) {id: row.id})",
        "CREATE (n {id: row.id})",
        "CREATE (:A {x: row.x})-[:T]->(:B {y: row.y})",
        "CREATE (:A {x: row.x}), (:B)",
        "CREATE (a:A {x: COUNT { (:A) }})",
        "CREATE (a:A {x: size([(:A)-[:T]->(x) | x])})",
        "CREATE (a:A {x: apoc.cypher.runFirstColumnSingle('MATCH (n) RETURN count(n)', {})})",
        "CREATE (:P $map)",
        "MATCH (a:A {id: row.a}) SET a.x = row.x",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) CREATE (a)-[:T]->(b) SET a.x = row.x",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) CREATE (a)-[:T {w: a.w}]->(b)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: a.b}) CREATE (a)-[:T]->(b)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (a)-[:T]-(b)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (a)-[:T|U]->(b)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (a)-[:T]->(b) MERGE (b)-[:T]->(a)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) WHERE a.x = 1 MERGE (a)-[:T]->(b)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (a)-[:T*2]->(b)",
        "MATCH (a:A {id: row.a})-[:T]->(b:B {id: row.b}) CREATE (a)-[:U]->(b)",
        "MATCH (a:A {id: row.a}) MERGE (a)-[:T]->(:B {id: row.b})",
        "MATCH (a:A {id: row.a}) MATCH (b:B) CREATE (a)-[:T]->(b)",
        "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b})",
        "UNWIND row.tags AS tag MERGE (:Tag {name: tag})",
        "FOREACH (x IN row.list | CREATE (:P {x: x}))",
        "MERGE (n:L {id: row.id}) SET",
        "MERGE (n:L {id: row.id}",
        "MERGE",
        "RETURN 1",
    ],
)
def test_anything_else_is_not_plain(body: str) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("MATCH (a:A {id: row.a}) CREATE (a)-[:T]->(:B)", True),
        ("MATCH (a:A {id: row.a}) MERGE (a)-[:T]->(:B) SET a.x = row.x ENDS WITH 'x'", True),
        ("MERGE (a:A {id: row.a}) SET a.x = row.x", False),
        ("CREATE (a:A {id: row.a})", False),
        ("MATCH (a:A {id: row.a}) DETACH DELETE a", True),
        ("CREATE (a:A) WITH a, row SET a.x = row.x", False),
        ("CREATE (a:A) RETURN a", False),
        ("MERGE (a:A {id: row.a}) WITH * MATCH (b:B) CREATE (a)-[:T]->(b)", False),
        ("MATCH (a:A {id: row.a})", False),
        ("", False),
    ],
)
def test_rows_are_counted_where_they_stay_in_sight(body: str, wanted: bool) -> None:
    assert is_countable(significant(body)) is wanted


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        ("CREATE (:P {a: row.b, b: row.`a b`, c: x.row.c, d: row.b})", ("b", "a b")),
        ("CREATE (p:P) SET p = row, p.x = row.x", None),
        ("CREATE (:P {a: row.text.join('x')})", None),
        ("WITH [1] AS row UNWIND row AS i CREATE (:P {a: row.b})", None),
        ("CREATE (:P {a: [row IN row.list | row.x]})", None),
        ("CREATE (:P)", None),
    ],
)
def test_rows_are_sent_as_the_columns_that_are_used(body: str, columns: tuple[str, ...] | None) -> None:
    assert row_uses(significant(body), "row").columns == columns
