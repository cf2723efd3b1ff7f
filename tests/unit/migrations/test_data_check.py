"""What a statement may change, read from its text: only where it cannot, the data are checked before it."""

from __future__ import annotations

import pytest

from graphmigrate.migrations.data_check import effect_of
from graphmigrate.schema.reader import read_ddl


def touches(text: str, ddl: str = "CREATE CONSTRAINT c FOR (n:Customer) REQUIRE n.email IS UNIQUE") -> bool:
    action = read_ddl(ddl)
    assert action
    assert action.target
    return effect_of(text).touches(action.target)


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (c:Customer) SET c.seen = 1",
        "MATCH (c:Customer) SET c.seen = c.email = 'x'",
        "MATCH (c:Customer) SET c.seen = CASE WHEN c.email = 'a' THEN 1 END, c.other = 2",
        "MATCH (c:Customer) WITH c.email AS set RETURN set",
        "MATCH (c:Customer) REMOVE c.seen",
        "CREATE (:Order {email: 'x'})",
        "MATCH (c:Customer) MERGE (o:Order {of: c.email}) ON CREATE SET o.at = 1",
        "MATCH (c:Customer) CALL (c) { SET c.seen = 1 } IN TRANSACTIONS",
        "MATCH (c:Customer) FOREACH (x IN [1] | SET c.seen = x)",
        "UNWIND [{delete: 1}] AS row MATCH (c:Customer {id: row.delete}) SET c.seen = row.set",
        "MATCH (c:Customer) RETURN c.email",
    ],
)
def test_a_statement_that_cannot_change_the_data(text: str) -> None:
    assert not touches(text)


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (c:Customer) SET c.email = toLower(c.email)",
        "MATCH (p:Person) SET p.email = 'x'",  # a node may have both labels
        "MATCH (p:Person) SET p:Customer",
        "MATCH (p:Person) REMOVE p:`Customer`",
        "MATCH (c) SET c = {}",
        "MATCH (c) SET c.seen = 1, c += {email: 'x'}",
        "MATCH (c) SET c[$key] = 1",
        "MATCH (c) SET c:$(c.kind)",
        "MATCH (c) REMOVE c:$(labels(c))",
        "MATCH (c:Other) DELETE c",
        "MATCH (c:Other) DETACH DELETE c",
        "MATCH (c) FOREACH (x IN [c] | DELETE x)",
        "CREATE (:Customer {id: 1})",
        "MERGE (c:Person:Customer {id: 1})",
        "CALL apoc.refactor.mergeNodes([])",
        "CALL { CALL db.create.setNodeVectorProperty() }",
        "MATCH (c) SET c.seen = COUNT { MATCH (d) WHERE d.x = 1 }, c = {}",
        "MATCH (c) SET c.em\\u0061il = 1",
        "CREATE (:Cus\\u0074omer)",
    ],
)
def test_a_statement_that_may_change_the_data(text: str) -> None:
    assert touches(text)


def test_relationships() -> None:
    ddl = "CREATE CONSTRAINT c FOR ()-[r:BOUGHT]-() REQUIRE r.at IS UNIQUE"
    assert touches("MATCH (a:A), (b:B) CREATE (a)-[:BOUGHT]->(b)", ddl)
    assert touches("MATCH ()-[r]->() SET r.at = 1", ddl)
    assert touches("MATCH (a:A) DETACH DELETE a", ddl)
    assert not touches("MATCH (a:A), (b:B) CREATE (a)-[:SOLD {at: 1}]->(b)", ddl)
