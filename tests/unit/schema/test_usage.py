from __future__ import annotations

import pytest

from graphmigrate.schema.reader import may_use, mentioned, read_ddl

INDEXES = [
    "CREATE INDEX by_name FOR (p:Person) ON (p.name)",
    "CREATE FULLTEXT INDEX words FOR (n:`Blog Post`|Note) ON EACH [n.text]",
]


def uses(text: str) -> bool:
    targets = [action.target for each in INDEXES if (action := read_ddl(each)) and action.target]
    assert len(targets) == len(INDEXES)
    return may_use(text, targets)


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (p:Person {name: 'x'}) SET p.seen = true",
        "merge (p:Person {name: 'x'})",
        "MATCH (n:`Blog Post`) SET n.seen = true",
        "MATCH (n:`Blog\\u0020Post`) SET n.seen = true",
        "MATCH (n) WHERE n:Note SET n.seen = true",
        "CREATE (x:X {n: COUNT { (:Person {name: 'a'}) }})",
        "CREATE (x:X {n: [(p:Person {name: 'a'})-->(b) | b.x]})",
        "CALL db.index.fulltext.queryNodes('words', 'x') YIELD node SET node.seen = true",
        "MATCH (n:$('Per' + 'son')) SET n.seen = true",
        "MATCH (n:$any(['Person'])) SET n.seen = true",
        "MATCH (n) USING INDEX by_name SET n.x = 1",
    ],
)
def test_what_reads_by_an_index_waits_for_it(text: str) -> None:
    assert uses(text)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE (:Person {name: 'MATCH (:Person)'})",
        "UNWIND range(1, 3) AS i CREATE (:Person {id: i})",
        "MATCH (n:Other) SET n.name = 'Person' // Person",
        "MATCH (n:Other) WITH n LIMIT $batch SET n.x = 1",
    ],
)
def test_what_does_not_read_by_it_goes_on(text: str) -> None:
    assert not uses(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("CREATE (:Doc {n: 1})", {"Doc"}),
        ("MATCH (a) SET a:`Blog Post`", {"Blog Post"}),
        ("MATCH (a)-[:KNOWS]->(b) CREATE (b)-[:`K K`]->(a)", {"KNOWS", "K K"}),
        ("CREATE (:Doc {text: ':Other'})", {"Doc"}),
    ],
)
def test_names_that_a_statement_may_write_under(text: str, names: set[str]) -> None:
    found = mentioned(text)
    assert found is not None
    assert names <= found
    assert "Other" not in found


@pytest.mark.parametrize(
    "text",
    [
        "CALL apoc.create.node(['Doc'], {})",
        "CREATE (:$('Doc'))",
        "CREATE (:$all(['Doc']))",
        "MATCH (n) SET n:$(n.label)",
        "CREATE (:\\u0044oc)",
    ],
)
def test_names_that_cannot_be_told(text: str) -> None:
    assert mentioned(text) is None
