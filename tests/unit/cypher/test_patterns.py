"""Patterns and label expressions."""

import doctest

import pytest

from graphmigrate.cypher import patterns
from graphmigrate.cypher.patterns import (
    Group,
    Node,
    Relationship,
    labels_of_condition,
    read_labels,
    read_path,
    read_patterns,
)
from graphmigrate.cypher.reader import Cursor, NotUnderstood, significant


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(patterns).failed == 0


def path(text: str) -> patterns.Path:
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
