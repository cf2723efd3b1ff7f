"""Clauses and patterns of a statement."""

import doctest

import pytest

from graphmigrate.cypher import reader
from graphmigrate.cypher.reader import (
    Cursor,
    Group,
    Node,
    NotUnderstood,
    Relationship,
    labels_of_condition,
    read_clauses,
    read_labels,
    read_path,
    read_patterns,
    significant,
    split_at,
)


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


def path(text: str) -> reader.Path:
    return read_patterns(significant(text))[0]


@pytest.mark.parametrize(
    ("text", "direction", "hops"),
    [
        ("(a)-->(b)", ">", (1, 1)),
        ("(a)<--(b)", "<", (1, 1)),
        ("(a)--(b)", "", (1, 1)),
        ("(a)<-[r]->(b)", "", (1, 1)),
        ("(a)-[*]->(b)", ">", (1, None)),
        ("(a)-[r:T*2]-(b)", "", (2, 2)),
        ("(a)-[:T|:U*..3 {x: 1}]-(b)", "", (1, 3)),
        ("(a)-[*0..]-(b)", "", (0, None)),
        ("(a)-[*1..3]-(b)", "", (1, 3)),
        ("(a)-[:T]->+(b)", ">", (1, None)),
        ("(a)-[:T]->*(b)", ">", (0, None)),
        ("(a)-->{,3}(b)", ">", (0, 3)),
        ("(a)-->{2}(b)", ">", (2, 2)),
        ("(a)-->{1,}(b)", ">", (1, None)),
        ("(a)\u2013[r]\u2192(b)".replace("\u2192", "\u2013\uff1e"), ">", (1, 1)),
    ],
)
def test_relationships(text, direction, hops):
    found = path(text)
    (relationship,) = found.relationships
    assert (relationship.direction, relationship.hops) == (direction, hops)
    assert [node.variable for node in found.nodes] == ["a", "b"]


def test_nodes():
    text = "(n), ( ), (n:A {k: row.k, l: [1, 2]} WHERE n.x = 1), (`a b`:`C``D` $props), (IS A)"
    found = [each.nodes[0] for each in read_patterns(significant(text))]
    assert [node.variable for node in found] == ["n", "", "n", "a b", ""]
    assert [sorted(node.labels.required) for node in found] == [[], [], ["A"], ["C`D"], ["A"]]
    assert [token.text for token in found[2].where] == ["n", ".", "x", "=", "1"]
    assert found[2].properties is not None
    assert list(found[2].properties) == ["k", "l"]
    assert found[3].properties is None
    assert [text[node.start : node.end] for node in found[:2]] == ["(n)", "( )"]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("p = shortestPath((a)-[*]-(b))", [Group]),
        ("SHORTEST 2 PATHS (a)-->+(b)", [Node, Relationship, Node]),
        ("ALL SHORTEST (a)-->+(b)", [Node, Relationship, Node]),
        ("ANY (a)-->+(b)", [Node, Relationship, Node]),
        ("(x:A) ((a)-[:R]->(b) WHERE a.x < b.x){1,3} (y)", [Node, Group, Node]),
        ("((a)-->(b))+", [Group]),
        ("(p = (a)-->(b))", [Group]),
        ("((n))", [Group]),
    ],
)
def test_paths(text, kinds):
    assert [type(part) for part in path(text).parts] == kinds


@pytest.mark.parametrize(
    "text",
    [
        "(a",
        "(a)(b)",
        "(a)-(b)",
        "(a)-[r->(b)",
        "(a))",
        "(a) x",
        "",
        "(a {x})",
        "(a:)",
        "(a)-[*x]-(b)",
        "(a:A|)",
        "a",
    ],
)
def test_what_it_does_not_know_is_never_guessed(text):
    with pytest.raises(NotUnderstood):
        read_patterns(significant(text))


@pytest.mark.parametrize(
    ("text", "required", "positive", "plain"),
    [
        (":A", "A", True, True),
        (":A:B", "AB", True, True),
        (":A&B", "AB", True, True),
        ("IS A&B", "AB", True, True),
        (":A|B", "", True, False),
        (":A|(A&B)", "A", True, False),
        (":A&!B", "A", True, False),
        (":!B", "", False, False),
        (":!!B", "", False, False),
        (":%", "", False, False),
        (":A|%", "", False, False),
        (":A|!B&C", "", True, False),
        (":A|!B", "", False, False),
        (":$(x)", "", False, False),
        (":$any(['A', 'B'])", "", False, False),
        (":A&$all(x)", "A", True, False),
    ],
)
def test_labels(text, required, positive, plain):
    cursor = Cursor(significant(text))
    found = read_labels(cursor)
    assert cursor.ended
    assert (found.required, found.positive, found.plain) == (frozenset(required), positive, plain)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n:A AND n.x = 1", {"n": True}),
        ("(n:A) AND m IS B", {"n": True, "m": True}),
        ("n.x AND (m.y = 1 AND n:A)", {"n": True}),
        ("NOT n:A", {}),
        ("n:A OR n.x = 1", {}),
        ("n:A XOR m:B", {}),
        ("n IS NULL AND m IS NOT LABELED", {}),
        ("CASE WHEN true AND n:A AND true THEN true ELSE true END", {}),
        ("n:A = false", {}),
        ("n:!A", {"n": False}),
    ],
)
def test_labels_that_a_condition_demands(text, expected):
    found = {name: labels.positive for name, labels in labels_of_condition(significant(text))}
    assert found == expected


def test_a_cursor_stops_where_a_pattern_ends():
    cursor = Cursor(significant("(a)-->(b) | b.x"))
    assert len(read_path(cursor).nodes) == 2
    assert cursor.sees("|")


def test_split_at():
    parts = split_at(significant("a.x = {b: 1, c: 2}, b.y = [1, 2]"), ",")
    assert ["".join(token.text for token in part) for part in parts] == ["a.x={b:1,c:2}", "b.y=[1,2]"]
