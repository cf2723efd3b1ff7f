"""The client commands that a file may hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.cypher.client import Client
from graphmigrate.cypher.lexer import fingerprint
from graphmigrate.cypher.statements import scan


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (":param name => 'Ann;'", {"name": "Ann;"}),
        (":param  `a name`=>-1.5e3;", {"a name": -1500.0}),
        (":PARAM n => 0x1F", {"n": 31}),
        (":param n => -9223372036854775808", {"n": -(2**63)}),
        (":param n 1_000", {"n": 1000}),
        (":param n: TRUE // so", {"n": True}),
        (r""":param s => "it\'s\n\\u0041 \u0041" """, {"s": "it's\n\\u0041 A"}),
        (":param l => [1, [], {a: null}]", {"l": [1, [], {"a": None}]}),
        (":param {a: 1, `b c`: [true, 'x']}", {"a": 1, "b c": [True, "x"]}),
        (":params {a: 1}", {"a": 1}),
    ],
)
def test_literals(line: str, values: dict[str, Any]) -> None:
    client = Client()
    assert client.take(line, 0) is None
    assert client.values == values
    assert client.take(":param clear", 0) is None
    assert client.values == {}


@pytest.mark.parametrize(
    "line",
    [
        f":param x => {'[' * 5000}",
        *(":param", ":param x", ":param x =>", ":param x => 1 + 1", ":param x => date('2020-01-01')"),
        *(":param x => [1", ":param x => 'a", ":param x => 9223372036854775808", ":param x => 1e999"),
        *(
            ":param x => $y",
            ":param {a: 1} b",
            ":param x => name",
            ":param x => -'a'",
            ":use",
            ":use ;",
            ":begin",
        ),
    ],
)
def test_what_is_not_understood_changes_nothing(line: str) -> None:
    client = Client()
    refused = client.take(line, 0)
    assert refused is not None
    assert refused.hint
    assert (client.values, client.uses) == ({}, [])


@given(st.text(st.sampled_from(":paramuse =>{}[]'\"`;,-1.e_$\\u")))
def test_any_line_can_be_read(line: str) -> None:
    Client().take(":param" + line, 0)


def test_a_value_is_seen_by_the_statements_after_it_and_belongs_to_those_that_use_it() -> None:
    text = "RETURN $a;\n:param a => 1\nRETURN $a;\n:param b => 2\nRETURN 1;\n:param a => 3\nRETURN $a, $b;"
    statements, problems = scan(text, "f", Client())
    assert problems == ()
    assert [dict(each.parameters) for each in statements] == [{}, {"a": 1}, {}, {"a": 3, "b": 2}]
    assert statements[0].fingerprint == fingerprint("RETURN $a")
    assert statements[2].fingerprint == fingerprint("RETURN 1")
    assert statements[1].fingerprint not in {fingerprint("RETURN $a"), fingerprint("RETURN $a", {"a": 2})}


def test_a_database_is_named_as_cypher_shell_takes_it() -> None:
    client = Client()
    for line in (":use movies", ":use `my-db.eu`;", ":USE my-db.eu"):
        assert client.take(line, 7) is None
    assert client.uses == [("movies", 7), ("my-db.eu", 7), ("my-db.eu", 7)]
