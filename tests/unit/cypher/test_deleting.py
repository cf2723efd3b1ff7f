"""Statements that commit by themselves and delete the history are refused before anything runs."""

from __future__ import annotations

import pytest

from graphmigrate.database.version import Version
from graphmigrate.errors import Severity
from graphmigrate.migrations.checks import check_statements
from graphmigrate.migrations.model import MigrationFile, checksum
from graphmigrate.migrations.plan import Task
from graphmigrate.migrations.reader import read
from graphmigrate.migrations.segments import segments_of
from graphmigrate.results import Target

INNER = "CALL (n) { DETACH DELETE n } IN TRANSACTIONS"


def judged(text: str) -> Severity | None:
    content = f"{text};".encode()
    file = MigrationFile(Version.parse("1"), "x", "V1__x.cypher", "V1__x.cypher", checksum(content), content)
    migration, problems = read(file)
    assert problems == ()
    task = Task(migration, segments_of(migration), "key")
    found = check_statements([task], Target("bolt://localhost", "neo4j", "community", "5.26.25"))
    assert "GM221" in [each.code for each in found]
    return next((each.severity for each in found if each.code == "GM520"), None)


@pytest.mark.parametrize(
    "text",
    [
        f"MATCH (n) {INNER}",
        f"match ( n ) {INNER}",
        f"MATCH (n) {INNER}".replace("DELETE", "\\u0044ELETE"),
        f"MATCH (`n`) {INNER}",
        f"MATCH /* all */ (n) // of them\n{INNER}",
        f"MATCH (n {{}}) {INNER}",
        f"MATCH (n:%) {INNER}",
        f"MATCH (n IS %) {INNER}",
        f"MATCH (n:!Person) {INNER}",
        f"MATCH p = (n) {INNER}",
        "MATCH p = (n) CALL (p) { DETACH DELETE p } IN TRANSACTIONS",
        f"MATCH (:A), (n) {INNER}",
        f"MATCH ((n)) {INNER}",
        f"MATCH ANY (n) {INNER}",
        f"MATCH (n) WITH n LIMIT 10 {INNER}",
        "MATCH (n) OPTIONAL MATCH (n)-[r]-() CALL (n, r) { DELETE r, n } IN TRANSACTIONS",
        "MATCH (n) WITH n AS m CALL (m) { DETACH DELETE m } IN TRANSACTIONS",
        "MATCH (n) CALL apoc.nodes.delete(n, 10) YIELD value RETURN value",
        "MATCH (n) WITH collect(n) AS ns CALL `apoc`.nodes.`delete`(ns, 10) YIELD value RETURN value",
        "CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'DETACH DELETE n', {})",
        "CALL apoc.periodic.iterate('MATCH (n) RETURN n AS x', \"DETACH DELETE x\", {batchSize: 1})",
        "CALL apoc.periodic.commit('MATCH (n) WITH n LIMIT 5 DETACH DELETE n RETURN count(*)')",
        f"MATCH (n) /* not __GraphMigrateRun */ {INNER}",
    ],
)
def test_what_deletes_everything_is_refused(text: str) -> None:
    assert judged(text) is Severity.ERROR


@pytest.mark.parametrize(
    "text",
    [
        f"MATCH (n) WHERE NOT n:Keep {INNER}",
        f"MATCH (n) WHERE n.tenant IS NULL {INNER}",
        f"MATCH (n) WHERE n:Old OR n.x IS NULL {INNER}",
        f"MATCH (n) WHERE n.id IS NOT NULL {INNER}",
        f"MATCH (n) WITH n WHERE n:!Keep {INNER}",
        f"MATCH (n WHERE true) {INNER}",
        f"MATCH (n:Old|!Keep) {INNER}",
        f"MATCH (n:%&!Keep) {INNER}",
        f"MATCH (n) MATCH (n)-[:OF]->(:Old) {INNER}",
        "MATCH (n) WITH collect(n) AS ns UNWIND ns AS x CALL (x) { DELETE x } IN TRANSACTIONS",
        f"MATCH (n:Audit) WITH count(n) AS c MATCH (n) {INNER}",
        f"MATCH (n) WHERE n:Audit WITH count(n) AS c MATCH (n) {INNER}",
        "MATCH (n:Audit) WITH count(n) AS c MATCH (n) CALL (n) { MATCH (n) DETACH DELETE n } IN TRANSACTIONS",
        f"CALL {{ MATCH (n:Old) RETURN count(n) AS c }} MATCH (n) {INNER}",
        "MATCH (n:A) CALL { MATCH (n) DETACH DELETE n } IN TRANSACTIONS",
        "MATCH (n:A) CALL () { MATCH (n) DETACH DELETE n } IN TRANSACTIONS",
        "MATCH (n:A) WITH count(n) AS c CALL (*) { MATCH (n) DETACH DELETE n } IN TRANSACTIONS",
        "MATCH (n:A), (m:B) CALL (m) { MATCH (n) DETACH DELETE n } IN TRANSACTIONS",
        "MATCH (all) WITH count(all) AS total MATCH (n:Old) WITH n AS victim, total "
        "CALL (victim) { DETACH DELETE victim } IN TRANSACTIONS",
        "CALL apoc.periodic.iterate('MATCH (n) RETURN id(n) AS id', 'MATCH (n) WHERE id(n) = id DELETE n', {})",
    ],
)
def test_what_may_delete_the_history_is_warned_of(text: str) -> None:
    assert judged(text) is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        f"MATCH (n:Temporary) {INNER}",
        f"MATCH (n:Temporary&!Keep) {INNER}",
        f"MATCH (n:$any(['Temporary'])) {INNER}",
        f"MATCH (n {{old: true}}) {INNER}",
        f"MATCH (n WHERE n.old) {INNER}",
        f"MATCH (n) WHERE n.old {INNER}",
        f"MATCH (n) WHERE NOT n:Keep AND n.old = true {INNER}",
        f"MATCH (n)-[:OF]->(:Old) {INNER}",
        f"MATCH (n) WITH n WHERE n:Temporary {INNER}",
        f"CALL {{ MATCH (n) RETURN n }} WITH n WHERE n:Temporary {INNER}",
        f"MATCH (n) WITH n WHERE NOT n:__GraphMigrateRun {INNER}",
        "MATCH (p:Person) CALL (p) { MATCH (p) WITH p LIMIT 1 DETACH DELETE p } IN TRANSACTIONS",
        "MATCH (p:Person), (q:Pet) CALL (q, `p`) { MATCH (p) DETACH DELETE p } IN TRANSACTIONS",
        "MATCH (n:Old) WITH n AS victim CALL (victim) { DETACH DELETE victim } IN TRANSACTIONS",
        f"MATCH (n:Audit) WITH count(n) AS c MATCH (n) WHERE n:Old {INNER}",
        f"MATCH (n:Old)-[:OF]->(:A), (n) {INNER}",
        "MATCH (n) CALL (n) { MATCH (n)-[r:OLD]->() DELETE r } IN TRANSACTIONS",
        "MATCH (a:A) /* MATCH (n) */ CALL (a) { DETACH DELETE a } IN TRANSACTIONS",
        "MATCH (n) CALL (n) { SET n.delete = n.x } IN TRANSACTIONS",
        "MATCH (n) CALL (n) { MERGE (d:Delete {x: 1}) } IN TRANSACTIONS",
        "MATCH (n) CALL (n) { SET n.text = 'DELETE n' } IN TRANSACTIONS",
        "MATCH (a:A) CALL (a) { MERGE (n:N) ON MATCH SET n.x = 1 DELETE a } IN TRANSACTIONS",
        "CALL apoc.periodic.iterate('MATCH (n:Old) RETURN n', 'DETACH DELETE n', {})",
    ],
)
def test_what_says_which_nodes_it_deletes_is_taken(text: str) -> None:
    assert judged(text) is None


@pytest.mark.parametrize(
    "text", ["MATCH (n DELETE n", "MATCH", "DELETE", "MATCH ( DELETE", "MATCH (n)) WHERE"]
)
def test_what_no_server_would_parse_is_left_to_the_server(text: str) -> None:
    assert judged(f"CALL apoc.periodic.commit('{text}')") is None
