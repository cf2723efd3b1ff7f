"""`plan --execute`: the data statements run, are counted, and leave nothing behind."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import Severity, UsageError
from tests.projects import Project, dump, rows


def executed(project: Project) -> list[tuple[str, int, dict[str, int] | None, str | None]]:
    result = project.call("plan", execute=True)
    assert not any(each.severity is Severity.ERROR for each in result.problems)
    return [
        (each.version, each.number, each.changes, each.note and each.note.partition(":")[0])
        for each in result.executed
    ]


def test_it_counts_what_each_statement_would_change_and_leaves_nothing(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query("UNWIND range(1, 25) AS i CREATE (:Person {id: i})")
    project.write(
        V1__data="CREATE INDEX p FOR (p:Person) ON (p.id);\nMATCH (p:Person) SET p.a = 1, p.b = 2;\n"
        "MATCH (p:Nobody) SET p.a = 1;",
        V2__batches="// graphmigrate: batch 10\nMATCH (p:Person) WHERE p.c IS NULL WITH p LIMIT $batch SET p.c = p.a;",
        V3__auto="// graphmigrate: repeatable\nMATCH (p:Person) CALL (p) { SET p.d = 1 } IN TRANSACTIONS OF 10 ROWS;",
        V4__condition="// assume q' RETURN COUNT { (:Nobody) } > 0\nCREATE (:Nobody);",
        V5__all="MATCH (n) DETACH DELETE n;",
        R__last="CREATE (:Last);",
        beforeMigrate="CREATE (:Before);",
    )
    (project.folder / "migrations" / "V6__code.py").write_text(
        "def upgrade(tx):\n    tx.run('CREATE (:Code)')\n"
    )
    before = dump(driver, volatile=True)
    found = executed(project)
    assert found == [
        ("beforeMigrate.cypher", 1, {"nodes_created": 1, "labels_added": 1}, None),
        ("1", 1, None, "not made; what follows ran without it"),
        ("1", 2, {"properties_set": 50}, None),
        ("1", 3, {}, None),
        ("2", 1, {"properties_set": 25}, None),
        ("3", 1, None, "not run"),
        ("4", 1, None, "not run"),
        ("5", 1, {"nodes_deleted": 26}, None),
        ("6", 1, None, "not run"),
        ("R__last", 1, {"nodes_created": 1, "labels_added": 1}, None),
    ]
    assert dump(driver, volatile=True) == before
    project.migrate()
    project.write(V7__all="MATCH (n) SET n.x = 1;")
    before = dump(driver, volatile=True)
    assert executed(project)[-1] == (
        "7",
        1,
        {"properties_set": 3},
        None,
    )  # the bookkeeping nodes are not counted
    assert dump(driver, volatile=True) == before


def test_what_fails_is_a_finding(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE (:Person {id: 1, zero: 0})")
    project.write(V1__bad="MATCH (p:Person) SET p.x = 1 / p.zero;\nCREATE (:After);")
    result = project.call("plan", execute=True)
    assert [(each.code, each.severity, each.place.line) for each in result.problems if each.place] == [
        ("GM501", Severity.ERROR, 1)
    ]
    assert result.executed == ()
    driver.execute_query("CREATE (:__GraphMigrate:__GraphMigrateX)")
    assert rows(driver, "MATCH (p:Person) RETURN p.x") == [[None]]


def test_beside_a_run_at_work_nothing_is_tried(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__one="CREATE (:Person);").migrate()
    project.write(V2__two="CREATE (:Person);")
    driver.execute_query(
        "MATCH (l:__GraphMigrateLedger), (r:__GraphMigrateRun) SET l.record = r.key REMOVE r.ended, r.outcome, r.rows"
    )
    with pytest.raises(UsageError) as caught:
        project.call("plan", execute=True)
    assert caught.value.error_code == "GM211"
