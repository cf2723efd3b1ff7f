"""What runs without a row: callbacks around a run, and `run FILE`."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, MigrationFailed, PreflightError, ProjectError, UsageError
from tests.projects import Project, count, rows

FIRST = (
    "CREATE INDEX called_at IF NOT EXISTS FOR (c:Called) ON (c.at);\n"
    "MERGE (c:Called {at: 'first'}) SET c.times = coalesce(c.times, 0) + 1;"
)


def called(at: str) -> str:
    return f"MERGE (c:Called {{at: '{at}'}}) SET c.times = coalesce(c.times, 0) + 1, c.seen = COUNT {{ (:Person) }};"


@pytest.fixture
def around(project: Project) -> Project:
    return project.write(
        V1__one="CREATE (:Person);",
        beforeFirstUse=FIRST,
        beforeMigrate=called("before"),
        afterMigrate__b=called("after b"),
        afterMigrate__a=called("after a"),
    )


def calls(driver: neo4j.Driver) -> dict[str, tuple[int, int]]:
    return {
        at: (times, seen) for at, times, seen in rows(driver, "MATCH (c:Called) RETURN c.at, c.times, c.seen")
    }


def test_they_run_around_what_is_pending_and_leave_no_row(around: Project, driver: neo4j.Driver) -> None:
    names = (
        "beforeFirstUse.cypher",
        "beforeMigrate.cypher",
        "afterMigrate__a.cypher",
        "afterMigrate__b.cypher",
    )
    assert around.call("plan").callbacks == names
    assert around.call("validate") == ()
    assert [each.version for each in around.migrate().applied] == ["1"]
    once = {"first": (1, None), "before": (1, 0), "after a": (1, 1), "after b": (1, 1)}
    assert calls(driver) == once
    assert around.migrate().applied == ()
    assert calls(driver) == once  # only when something is pending
    assert around.call("plan").callbacks == ()
    around.write(V2__two="CREATE (:Person);").migrate()
    assert calls(driver) == {"first": (1, None), "before": (2, 1), "after a": (2, 2), "after b": (2, 2)}
    assert count(driver, "__GraphMigrateMigration") == 2
    assert around.call("status").clean


def test_one_that_failed_is_started_again_though_nothing_is_pending(
    around: Project, driver: neo4j.Driver
) -> None:
    around.write(
        afterMigrate__c="MATCH (p:Person) SET p.x = 1 / p.zero;\nUNWIND [0] AS i CREATE (:A {x: 1 / i});"
    )
    with pytest.raises(MigrationFailed) as caught:
        around.migrate()
    assert caught.value.place
    assert caught.value.place.file.endswith("afterMigrate__c.cypher")
    assert "Nothing of this file is recorded" in (caught.value.hint or "")
    assert [row.state for row in around.call("status").rows] == ["applied"]
    around.write(afterMigrate__c="CREATE (:A);")
    assert around.call("plan").callbacks[0] == "afterMigrate__a.cypher"
    assert around.migrate().applied == ()
    assert calls(driver)["after a"] == (2, 1)
    assert calls(driver)["before"] == (1, 0)
    assert count(driver, "A") == 1
    around.migrate()
    assert count(driver, "A") == 1


def test_they_are_checked_before_anything_runs(around: Project, driver: neo4j.Driver) -> None:
    around.write(afterMigrate__c="MATCH (n) RETURN nothing;")
    with pytest.raises(PreflightError) as caught:
        around.migrate()
    assert caught.value.place
    assert caught.value.place.file.endswith("afterMigrate__c.cypher")
    around.write(afterMigrate__c="")
    with pytest.raises(ProjectError):
        around.migrate()
    assert [each.code for each in around.call("validate", offline=True)] == ["GM121"]
    assert count(driver, "Called") == 0


def test_a_whole_graph_statement_in_one_leaves_the_history(around: Project, driver: neo4j.Driver) -> None:
    around.write(afterMigrate__c="MATCH (n) DETACH DELETE n;").migrate()
    assert count(driver, "Person") == 0
    assert around.migrate().applied == ()
    assert around.call("status").clean


def test_one_file_runs_under_the_lock_and_leaves_no_row(project: Project, driver: neo4j.Driver) -> None:
    path = project.folder / "fix.cypher"
    path.write_text(
        "CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;\nCREATE (:Person {id: 1});\n"
        "MATCH (p:Person) CALL (p) { SET p.auto = true } IN TRANSACTIONS OF 1 ROW;"
    )
    result = project.call("run", path)
    assert (result.statements, result.skipped) == (3, None)
    assert rows(driver, "MATCH (p:Person) RETURN p.id, p.auto") == [[1, True]]
    assert count(driver, "__GraphMigrateMigration") == count(driver, "__GraphMigrateRun") == 0
    with pytest.raises(PreflightError) as caught:  # the constraint is there now
        project.call("run", path)
    assert caught.value.error_code == "GM206"
    path.write_text("// assume that edition is enterprise\nCREATE (:Person {id: 2});")
    skipped = project.call("run", path)
    assert skipped.statements == 0
    assert "assumes that edition is enterprise" in (skipped.skipped or "")
    path.write_text(
        "// graphmigrate: batch 3\nMATCH (p:Person) WHERE p.b IS NULL WITH p LIMIT $batch SET p.b = 1;"
    )
    assert project.call("run", path).statements == 1


@pytest.mark.parametrize(
    ("name", "text", "error", "code"),
    [
        ("gone.cypher", None, ProjectError, "GM118"),
        ("empty.cypher", "", ProjectError, "GM121"),
        ("half.cypher", "CREATE (:Person", PreflightError, "GM201"),
        ("ours.cypher", "DROP CONSTRAINT __graphmigrate_key;", PreflightError, "GM520"),
        ("code.py", "def upgrade(tx):\n    pass\n", UsageError, "GM150"),
    ],
)
def test_what_run_refuses(
    project: Project,
    driver: neo4j.Driver,
    name: str,
    text: str | None,
    error: type[GraphMigrateError],
    code: str,
) -> None:
    path = project.folder / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(error) as caught:
        project.call("run", path)
    assert caught.value.error_code == code
    assert count(driver, "Person") == 0
