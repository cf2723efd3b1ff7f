"""A constraint that the data do not allow: the values in its way, when it fails and before anything runs."""

from __future__ import annotations

import logging
from dataclasses import replace

import neo4j
import pytest

from graphmigrate.database.connection import open_database
from graphmigrate.database.violations import violation
from graphmigrate.errors import MigrationFailed, Place, Severity
from graphmigrate.migrator import Migrator
from graphmigrate.schema.reader import read_ddl
from tests.chaos.proxy import Harm, proxy
from tests.projects import Project, dump, rows, settings_for

pytestmark = pytest.mark.depends_on_version

DUPLICATES = "UNWIND ['a', 'a', 'a', 'b', 'b', 'c'] AS email CREATE (:Person {email: email});"
CONSTRAINT = "CREATE CONSTRAINT person_email FOR (p:Person) REQUIRE p.email IS UNIQUE;"


def test_a_failed_constraint_shows_its_violations(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__people=DUPLICATES, V2__email=CONSTRAINT)
    with pytest.raises(MigrationFailed) as caught:
        project.migrate()
    error = caught.value
    assert error.error_code == "GM508"
    assert "2 value(s) in 5 nodes" in error.message
    assert "'a' (3 nodes), 'b' (2 nodes)" in error.message
    assert error.place
    assert error.place.file.endswith("V2__email.cypher")
    query = (error.hint or "").split("All of them: ")[1]
    assert sorted(row[0] for row in rows(driver, query)) == ["a", "b"]
    [first, second] = project.call("status").rows
    assert (first.state, second.state) == ("applied", "pending")
    assert "last attempt failed" in (second.detail or "")


def test_mended_data_let_the_next_run_continue_and_forget_the_failure(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__people=DUPLICATES, V2__email=CONSTRAINT)
    with pytest.raises(MigrationFailed):
        project.migrate()
    driver.execute_query(
        "MATCH (p:Person) WITH p.email AS e, collect(p) AS all FOREACH (p IN all[1..] | DELETE p)"
    )
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert rows(driver, "MATCH (a:__GraphMigrateAttempt) RETURN count(a)") == [[0]]


def test_a_plan_that_checks_the_data(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(DUPLICATES.rstrip(";"))
    project.write(V1__email=CONSTRAINT, V2__name="CREATE INDEX person_name FOR (p:Person) ON (p.name);")
    before = dump(driver, volatile=True)
    assert not project.call("plan").problems
    [found] = project.call("plan", check_data=True).problems
    assert (found.code, found.severity) == ("GM508", Severity.ERROR)
    assert dump(driver, volatile=True) == before


def test_what_an_earlier_statement_may_mend_is_a_warning(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(DUPLICATES.rstrip(";"))
    project.write(
        V1__mend="MATCH (p:Person) WITH p.email AS e, collect(p) AS all FOREACH (p IN all[1..] | DELETE p);",
        V2__email=CONSTRAINT,
    )
    [found] = project.call("plan", check_data=True).problems
    assert (found.code, found.severity) == ("GM508", Severity.WARNING)
    assert len(project.migrate().applied) == 2


def test_every_fault_of_a_key_is_told_and_no_time_limit_ends_the_search(
    project: Project, driver: neo4j.Driver, caplog: pytest.LogCaptureFixture
) -> None:
    driver.execute_query("UNWIND [1, 1, null] AS id CREATE (:Pet {id: id})")
    project.write(V1__key="CREATE CONSTRAINT k FOR (p:Pet) REQUIRE p.id IS NODE KEY;")
    with caplog.at_level(logging.DEBUG, "neo4j"):
        problems = project.call("plan", check_data=True).problems
    missing, twice = (each.message for each in problems if each.code == "GM508")
    assert "have no value" in missing
    assert "occur more than once" in twice
    sent = [each.getMessage() for each in caplog.records]
    searches = [each for each in sent if "RUN 'MATCH (n:Pet)" in each]
    assert len(searches) == 4
    assert all("'tx_timeout': 0" in each for each in searches)


def test_a_plan_says_what_it_could_not_look_at(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__email=CONSTRAINT)
    uri = project.target.uri

    def problems_by_way_of(where: str) -> list[tuple[str, Severity, str]]:
        with Migrator(replace(settings_for(project.target, project.folder), uri=where)) as migrator:
            found = migrator.plan(check_data=True).problems
        return [(each.code, each.severity, each.message) for each in found]

    with proxy(uri) as counting:
        assert problems_by_way_of(counting.uri) == []
    last = max(k for k, name in enumerate(counting.log, 1) if name == "> RUN")
    with proxy(uri, last, Harm.CUT_BEFORE) as cutting:
        [(code, severity, message)] = problems_by_way_of(cutting.uri)
    assert (code, severity) == ("GM214", Severity.WARNING)
    assert message.startswith(
        "Not checked whether the data allow a uniqueness constraint on (:Person {email}): "
    )


@pytest.mark.parametrize(
    ("ddl", "fault"),
    [
        (
            "CREATE CONSTRAINT k FOR (p:Pet) REQUIRE (p.name, p.age) IS NODE KEY",
            "1 value(s) in 1 nodes have no value",
        ),
        ("CREATE CONSTRAINT e FOR (p:Pet) REQUIRE p.age IS NOT NULL", "['Pet'] (1 nodes)"),
        (
            "CREATE CONSTRAINT t FOR (p:Pet) REQUIRE p.name IS :: INTEGER",
            "are not of type INTEGER: 'x' (2 nodes)",
        ),
        ("CREATE CONSTRAINT u FOR ()-[r:`LI``KES`]-() REQUIRE r.at IS UNIQUE", "1 (2 relationships)"),
    ],
)
def test_every_kind_of_constraint(project: Project, driver: neo4j.Driver, ddl: str, fault: str) -> None:
    driver.execute_query(
        "CREATE (a:Pet {name: 'x', age: 1}), (b:Pet {name: 'x'}), (a)-[:`LI``KES` {at: 1}]->(b), (b)-[:`LI``KES` {at: 1}]->(a)"
    )
    action = read_ddl(ddl)
    assert action
    assert action.target
    settings = settings_for(project.target, project.folder)
    database = open_database(settings, None, run="test", host="here", user="me")
    try:
        found = violation(database, action.target, Place("V1__x.cypher", 1))
    finally:
        database.close()
    assert found
    assert fault in found.message


def test_batches_tell_their_changes(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("UNWIND range(1, 25) AS i CREATE (:Person {id: i})")
    project.write(
        V1__batches="// graphmigrate: batch 10\nMATCH (p:Person) WHERE p.seen IS NULL WITH p LIMIT $batch SET p.seen = true;"
    )
    project.migrate()
    told = [event.changes for event in project.events if type(event).__name__ == "BatchDone"]
    assert told == [10, 10, 5]
