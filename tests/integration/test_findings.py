"""Conditions that are queries: asked once, just before their migration, whatever became of the run that asked."""

from __future__ import annotations

import time

import neo4j
import pytest

from graphmigrate.errors import MigrationFailed, PreflightError, UsageError
from graphmigrate.events import Warned
from graphmigrate.results import State
from tests.chaos.network import killed_at
from tests.chaos.proxy import proxy
from tests.chaos.runners import runners, until
from tests.conftest import wipe
from tests.projects import Project, count, dump, rows, write_migrations

UNMET = "// assert q' MATCH (p:Person) WHERE p.id IS NULL RETURN count(p) = 0"
CHANGES_NOTHING = "DROP INDEX nowhere IF EXISTS;"


def states(project: Project) -> dict[str, State]:
    return {row.version: row.state for row in project.call("status").rows}


@pytest.mark.parametrize("body", [CHANGES_NOTHING, f"{CHANGES_NOTHING}\nMATCH (p:Person) SET p.done = true;"])
def test_an_assert_is_asked_again_until_it_holds(project: Project, driver: neo4j.Driver, body: str) -> None:
    driver.execute_query("CREATE (:Person)")
    project.write(V1__a=f"{UNMET}\n{body}", V2__b="CREATE (:After);")
    for _ in range(2):
        with pytest.raises(MigrationFailed) as caught:
            project.migrate()
        assert caught.value.error_code == "GM503"
        assert states(project) == {"1": State.PENDING, "2": State.PENDING}
    driver.execute_query("MATCH (p:Person) SET p.id = 1")
    assert [each.version for each in project.migrate().applied] == ["1", "2"]


def test_what_was_skipped_is_pending_once_a_run_would_apply_it(
    project: Project, driver: neo4j.Driver
) -> None:
    body = "CREATE (:B);"
    project.write(
        V1__a="CREATE (:A);",
        V2__b=f"// assume that edition is enterprise\n{body}",
        V3__c="// assume q' RETURN false\nCREATE (:C);",
    )
    (project.folder / "seeds").mkdir()
    (project.folder / "seeds" / "x.cypher.j2").write_text("MERGE (:Thing {id: 1});\n")
    assert [each.version for each in project.migrate().skipped] == ["2", "3"]
    status = project.call("status")
    assert status.clean
    assert [row.state for row in status.rows] == [State.APPLIED, State.SKIPPED, State.SKIPPED]
    assert status.rows[2].detail.endswith("(looked at again by the next run)")
    project.call("seed")
    for text in (body, f"// assume that edition is community\n{body}"):
        project.write(V2__b=text)
        assert states(project)["2"] is State.PENDING
        assert not project.call("status").clean
        with pytest.raises(UsageError, match=r"Migrations are pending \(V2\)"):
            project.call("seed")
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert project.call("status").clean
    project.call("seed")


def test_a_query_may_say_that_it_asks_the_target(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a="// assume in target q'RETURN false\nCREATE (:Never);")
    assert [each.version for each in project.migrate().skipped] == ["1"]
    assert count(driver, "Never") == 0


def test_a_run_that_died_skipped_what_it_skipped(project: Project, driver: neo4j.Driver) -> None:
    """Wherever it dies, the next run ends as one that nobody disturbed."""
    write_migrations(
        project.folder,
        V1__a="CREATE (:A);",
        V2__skipped=f"// assume q' RETURN false\n{CHANGES_NOTHING}\nCREATE INDEX never FOR (n:Never) ON (n.a);",
        V3__asked=f"// assume q' MATCH (a:A) RETURN count(a) = 1\n{CHANGES_NOTHING}",
        V4__constraint="CREATE CONSTRAINT c FOR (n:C) REQUIRE n.id IS UNIQUE;",
        V5__index="CREATE INDEX i FOR (n:C) ON (n.a);",
        V6__end="MATCH (a:A) SET a.times = coalesce(a.times, 0) + 1;",
    )
    with runners(project.target.env) as warm:
        with proxy(project.target.uri) as counting:
            code, output = warm.finish(project.folder, counting.uri)
            assert code == 0, output
            messages = counting.log
        wanted = dump(driver)
        assert rows(driver, "MATCH (a:A) RETURN a.times") == [[1]]
        assert states(project)["2"] is State.SKIPPED
        begins = [k for k, name in enumerate(messages, 1) if name in {"> BEGIN", "> COMMIT"}]
        for k in begins[-26::3]:
            wipe(driver)
            killed_at(k, warm, project.folder, project.target.uri)
            time.sleep(0.05)
            code, output = warm.finish(project.folder, project.target.uri)
            assert code == 0, f"killed at {k} of {len(messages)}: {output}"
            assert dump(driver) == wanted, f"killed at {k} of {len(messages)}"


@pytest.mark.depends_on_version
def test_an_index_that_failed_before_does_not_count_as_made(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(
        "UNWIND range(1, 3) AS i CREATE (:Doc {body: reduce(s = '', x IN range(1, 9000) | s + toString(x * 7919))})"
    )
    driver.execute_query("CREATE INDEX doc_body FOR (d:Doc) ON (d.body)")
    state = "SHOW INDEXES YIELD name, state WHERE name = 'doc_body' RETURN state"
    until(lambda: rows(driver, state) == [["FAILED"]], 30)
    project.write(V1__index="CREATE INDEX doc_body IF NOT EXISTS FOR (d:Doc) ON (d.body);")
    for _ in range(2):
        with pytest.raises(MigrationFailed) as caught:
            project.migrate()
        assert caught.value.error_code == "GM506"
        assert states(project) == {"1": State.PENDING}
    driver.execute_query("DROP INDEX doc_body")
    driver.execute_query("MATCH (d:Doc) SET d.body = 'short'")
    assert len(project.migrate().applied) == 1
    assert rows(driver, state) == [["ONLINE"]]


def test_what_an_assume_leaves_out_need_not_fit_this_database(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE CONSTRAINT c FOR (n:Other) REQUIRE n.id IS UNIQUE")
    driver.execute_query("CREATE (:Flag)")
    asks = "// assume q' MATCH (f:Flag) RETURN count(f) = 0"
    project.write(
        V1__name=f"{asks}\nCREATE CONSTRAINT c FOR (n:C) REQUIRE n.id IS UNIQUE;",
        V2__edition=f"{asks}\nCREATE CONSTRAINT k FOR (n:K) REQUIRE n.a IS NOT NULL;",
        V3__procedure=f"{asks}\nCALL apoc.nothing.of.the.kind();",
        V4__function=f"{asks}\nCREATE (:X {{id: apoc.nothing.of.the.kind()}});",
        V5__after="CREATE (:After);",
    )
    result = project.migrate()
    assert [each.version for each in result.skipped] == ["1", "2", "3", "4"]
    assert [each.version for each in result.applied] == ["5"]
    warned = {each.problem.code for each in project.events if isinstance(each, Warned)}
    assert warned == {"GM201", "GM205", "GM206"}
    project.write(V6__typo=f"{asks}\nCREAT (:X);")
    with pytest.raises(PreflightError, match="CREAT"):
        project.migrate()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("MERGE (f:Flag) RETURN false", "more than read"),
        ("MATCH (p:Person RETURN true", "would fail"),
    ],
)
def test_a_condition_is_looked_at_before_anything_runs(
    project: Project, driver: neo4j.Driver, query: str, said: str
) -> None:
    project.write(V1__a="CREATE (:A);", V2__b=f"// assert q' {query}\nCREATE (:B);")
    with pytest.raises(PreflightError, match=said) as caught:
        project.migrate()
    assert caught.value.error_code == "GM504"
    assert caught.value.place
    assert (caught.value.place.line, caught.value.place.column) == (1, 14)
    assert count(driver, "A") == count(driver, "Flag") == 0


@pytest.mark.depends_on_version
@pytest.mark.parametrize(
    "query",
    [
        "SHOW CONSTRAINTS YIELD name WHERE name = 'c' RETURN count(*) = 0",
        "SHOW PROCEDURES YIELD name WHERE name STARTS WITH 'apoc' RETURN count(*) = 0",
        "CALL db.labels() YIELD label RETURN count(label) >= 0",
        "CALL dbms.components() YIELD edition RETURN count(edition) > 0",
    ],
)
def test_queries_that_merely_look_are_welcome(project: Project, driver: neo4j.Driver, query: str) -> None:
    project.write(V1__a=f"// assert q' {query}\nCREATE (:A);")
    assert len(project.migrate().applied) == 1
    assert count(driver, "A") == 1
