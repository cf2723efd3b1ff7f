"""Clauses and patterns of a statement."""

import doctest

import pytest

from graphmigrate.cypher import reader
from graphmigrate.cypher.reader import read_clauses, significant, split_at


def names(text: str) -> list[str]:
    return [clause.name for clause in read_clauses(significant(text))]


def test_the_example_of_the_module_holds():
    assert doctest.testmod(reader).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MATCH (n:A) SET n.x = 1", ["MATCH", "SET"]),
        ("optional match (n) /* WHERE */ where n.x // SET\n return n", ["OPTIONAL MATCH", "WHERE", "RETURN"]),
        (
            "MERGE (n:A {k: 1}) ON CREATE SET n.a = 1 ON MATCH SET n.b = 2",
            ["MERGE", "ON CREATE SET", "ON MATCH SET"],
        ),
        ("LOAD CSV WITH HEADERS FROM 'x' AS row CREATE (:A)", ["LOAD CSV WITH HEADERS FROM", "CREATE"]),
        ("LOAD CSV FROM 'x' AS row WITH row RETURN 1", ["LOAD CSV FROM", "WITH", "RETURN"]),
        ("MATCH (n:A) WHERE n.x STARTS WITH 'MATCH' RETURN n.match AS set", ["MATCH", "WHERE", "RETURN"]),
        ("CALL { MATCH (n) RETURN n } IN TRANSACTIONS RETURN 1", ["CALL", "RETURN"]),
        ("MATCH (n) DETACH DELETE n", ["MATCH", "DETACH DELETE"]),
        ("WHEN true THEN RETURN 1", ["", "RETURN"]),
        ("MATCH (n:`MATCH`) RETURN {match: 1}", ["MATCH", "RETURN"]),
    ],
)
def test_clauses(text, expected):
    assert names(text) == expected


def test_each_clause_tells_where_it_begins():
    text = "MATCH (n:A)\nSET n.x = '}' REMOVE n.y"
    found = read_clauses(significant(text))
    assert [text[clause.start :].split()[0] for clause in found] == ["MATCH", "SET", "REMOVE"]


def test_split_at():
    parts = split_at(significant("a.x = {b: 1, c: 2}, b.y = [1, 2]"), ",")
    assert ["".join(token.text for token in part) for part in parts] == ["a.x={b:1,c:2}", "b.y=[1,2]"]
