"""What is known of a statement: whether rows that a MATCH stops can be counted, and how it uses its row."""

from __future__ import annotations

import pytest

from graphmigrate.cypher.reader import significant
from graphmigrate.seeds.statements import is_countable, row_uses


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
