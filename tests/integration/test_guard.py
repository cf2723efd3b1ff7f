"""Bookkeeping nodes after statements that reach every node, as a real Neo4j runs them."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.database.guard import put_back, read_ours

PROPERTIES = {
    "version": "1",
    "step": 1,
    "ratio": 1.0,
    "done": True,
    "names": ["a", "b"],
    "numbers": [1, 2, 3],
    "nothing": [],
    "bytes": b"\x00\x01",
}
SAME = """
MATCH (n:__GraphMigrateMigration)
RETURN n.key AS key, labels(n) AS labels,
       [name IN keys(n) | [name, valueType(n[name]), coalesce(toStringOrNull(n[name]), n[name])]] AS values,
       COUNT { (n)--() } AS degree
ORDER BY key
"""


@pytest.fixture(autouse=True)
def ledger(ledger_ready: neo4j.Driver) -> None:
    ledger_ready.execute_query(
        "CREATE (:P {id: 1})-[:R]->(:P {id: 2}) WITH 1 AS one UNWIND range(1, 3) AS i"
        " CREATE (n:__GraphMigrate:__GraphMigrateMigration $properties) SET n.key = 'graphmigrate/migration/' + i"
        " SET n.installed_on = datetime('2026-01-02T03:04:05.123456789[Europe/Berlin]'),"
        " n.offset = datetime('2026-01-02T03:04:05+05:30'), n.utc = datetime('2026-01-02T03:04:05Z'),"
        " n.zone = datetime('2026-01-02T03:04:05[UTC]'), n.local = localdatetime('2026-01-02T03:04:05'),"
        " n.day = date('2026-01-02'), n.took = duration('P1M2DT3.000000004S')",
        properties=PROPERTIES,
    )


def state(driver: neo4j.Driver) -> str:
    rows = [
        (r["key"], sorted(r["labels"]), sorted(map(repr, r["values"])), r["degree"])
        for r in driver.execute_query(SAME).records
    ]
    return repr(rows)


WHOLE_GRAPH = [
    "MATCH (n) WHERE n.key IS NOT NULL SET n.code = n.key REMOVE n.key",
    "MATCH (n) SET n = {}",
    "MATCH (n) REMOVE n:$(labels(n))",
    "MATCH (n) REMOVE n.version",
    "MATCH (n) SET n:Searchable",
    "MATCH (n) SET n:`odd \\\\ ``label``` ",
    "MATCH (n) SET n = {step: 1.0}",
    "MATCH (n) SET n.step = toFloat(n.step)",
    "MATCH (n) WHERE n.installed_on IS NOT NULL SET n.installed_on = datetime({datetime: n.installed_on, timezone: 'UTC'})",
    "MATCH (a), (b) WHERE a.version = b.version AND elementId(a) < elementId(b) MERGE (a)-[:SAME]->(b)",
    "MATCH (a), (b) CREATE (a)-[:SAME]->(b)",
    "MATCH (n) DETACH DELETE n",
    "MATCH (a:P), (b) WHERE b.key IS NOT NULL SET a:$(labels(b))",
    "MATCH (a), (b) WHERE a.key ENDS WITH '/1' AND b.key ENDS WITH '/2'"
    " SET a.key = 'x' SET b.key = 'graphmigrate/migration/1' SET a.key = 'graphmigrate/migration/2'",
    "MATCH (n) WHERE n.key ENDS WITH '/1' SET n = {} REMOVE n:$(labels(n)) SET n:Other CREATE (n)-[:R]->(:Q)",
]


@pytest.mark.parametrize("text", WHOLE_GRAPH)
def test_ours_are_as_before_with_the_type_of_every_value(driver, text):
    before = state(driver)
    with driver.session() as session, session.begin_transaction() as tx:
        ours = read_ours(tx, "graphmigrate")
        assert len(ours) == 3
        tx.run(text).consume()
        assert put_back(tx, ours, "graphmigrate") > 0
        assert put_back(tx, read_ours(tx, "graphmigrate"), "graphmigrate") == 0
        tx.commit()
    assert state(driver) == before
    imitations = driver.execute_query("MATCH (n:P:__GraphMigrateMigration) RETURN count(n) AS number").records
    assert imitations[0]["number"] == 0


def test_what_reaches_none_of_ours_changes_nothing(driver):
    with driver.session() as session, session.begin_transaction() as tx:
        ours = read_ours(tx, "graphmigrate")
        tx.run("MATCH (n:P) SET n.x = 1").consume()
        assert put_back(tx, ours, "graphmigrate") == 0


def test_nodes_of_another_ledger_are_put_back_too_and_kept_from_its_run_meanwhile(driver):
    driver.execute_query(
        "CREATE (:__GraphMigrate:__GraphMigrateMigration {key: 'other/migration/1', step: 1})"
    )
    with driver.session() as session, session.begin_transaction() as tx:
        ours = read_ours(tx, "graphmigrate")
        tx.run("MATCH (n) SET n.step = 7").consume()
        other = "MATCH (n:__GraphMigrate {key: 'other/migration/1'}) SET n.step = 2"
        with driver.session() as run, pytest.raises(neo4j.exceptions.Neo4jError):
            run.run(neo4j.Query(other, timeout=1)).consume()
        assert put_back(tx, ours, "graphmigrate") == 4
        tx.commit()
    found = driver.execute_query("MATCH (n {key: 'other/migration/1'}) RETURN properties(n) AS p").records
    assert found[0]["p"] == {"key": "other/migration/1", "step": 1}
