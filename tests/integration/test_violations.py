"""A constraint that the data do not allow: the values in its way, when it fails and before anything runs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import neo4j
import pytest

from graphmigrate.database.connection import Database, open_database
from graphmigrate.database.violations import violation
from graphmigrate.errors import MigrationFailed, Place, PreflightError, Severity, UsageError
from graphmigrate.migrator import Migrator
from graphmigrate.schema.model import SchemaObject
from graphmigrate.schema.reader import read_ddl
from tests.chaos.proxy import Harm, proxy
from tests.projects import Project, count, dump, rows, settings_for

pytestmark = pytest.mark.depends_on_version

DUPLICATES = "UNWIND ['a', 'a', 'a', 'b', 'b', 'c'] AS email CREATE (:Person {email: email});"
FIX = "MATCH (p:Person) WITH p.email AS e, collect(p) AS all FOREACH (p IN all[1..] | DELETE p);"
CONSTRAINT = "CREATE CONSTRAINT person_email FOR (p:Person) REQUIRE p.email IS UNIQUE;"


def test_nothing_runs_where_the_data_do_not_allow_a_planned_constraint(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query(DUPLICATES.rstrip(";"))
    project.write(V1__first="CREATE (:First);", V2__email=CONSTRAINT)
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    error = caught.value
    assert (error.error_code, error.exit_code) == ("GM508", 2)
    assert "2 values of 5 nodes occur more than once: 'a' (3 nodes: " in error.message
    assert "'b' (2 nodes: " in error.message
    ids = re.findall(r"4:[\w-]+:\d+", error.message)
    assert rows(driver, "MATCH (p:Person) WHERE elementId(p) IN $ids RETURN p.email ORDER BY p.email", ids=ids) == [
        ["a"], ["a"], ["b"], ["b"]
    ]  # fmt: skip
    assert error.place
    assert error.place.file.endswith("V2__email.cypher")
    query = (error.hint or "").split("All of them: ")[1]
    assert sorted(row[0] for row in rows(driver, query)) == [["a"], ["b"]]
    assert count(driver, "First") == 0
    assert [each.state for each in project.call("status").rows] == ["pending", "pending"]
    assert count(driver, "__GraphMigrateRun") == 0


def test_the_data_can_be_fixed_above_the_statement_or_before_the_migration(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query(DUPLICATES.rstrip(";"))
    project.write(V2__email=CONSTRAINT)
    with pytest.raises(PreflightError):
        project.migrate()
    project.write(V2__email=f"{FIX}\n{CONSTRAINT}")
    assert not [each for each in project.call("plan").problems if each.severity is Severity.ERROR]
    [left_out] = project.call("plan").problems
    assert (left_out.code, left_out.severity) == ("GM214", Severity.WARNING)
    assert "a statement that runs before it may change them, " in left_out.message
    assert "V2__email.cypher:1:1" in left_out.message
    project.write(V1__fix=FIX, V2__email=CONSTRAINT)
    assert len(project.migrate().applied) == 2


def test_never_and_always(project: Project, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.execute_query(DUPLICATES.rstrip(";"))
    project.write(V1__email=CONSTRAINT, V2__name="CREATE INDEX person_name FOR (p:Person) ON (p.name);")
    before = dump(driver, volatile=True)
    [found] = project.call("plan").problems
    assert (found.code, found.severity) == ("GM508", Severity.ERROR)
    assert not project.call("plan", check_data="never").problems
    monkeypatch.setattr("graphmigrate.database.violations.MOST_ENTITIES", 5)
    [found] = project.call("plan").problems
    assert (found.code, found.severity) == ("GM214", Severity.WARNING)
    assert "there are 6 nodes to read." in found.message
    [found] = project.call("plan", check_data="always").problems
    assert found.code == "GM508"
    monkeypatch.setattr("graphmigrate.database.violations.MOST_ENTITIES", 6)
    monkeypatch.setattr("graphmigrate.database.violations.MOST_SECONDS", 0.0)
    [found] = project.call("plan").problems
    assert "it takes more than 0 seconds." in found.message
    assert dump(driver, volatile=True) == before
    with pytest.raises(UsageError, match="auto, always or never"):
        project.call("plan", check_data="yes")
    with pytest.raises(MigrationFailed) as caught:
        project.migrate(check_data="never")
    assert caught.value.error_code == "GM508"


def test_all_constraints_of_a_label_are_searched_in_one_transaction(
    project: Project, driver: neo4j.Driver, caplog: pytest.LogCaptureFixture
) -> None:
    driver.execute_query("CREATE (:Pet {id: 1, name: 'x'}), (:Pet {id: 1, name: 'x'})")
    project.write(
        V1__keys="CREATE CONSTRAINT i FOR (p:Pet) REQUIRE p.id IS UNIQUE;"
        "CREATE CONSTRAINT n FOR (p:Pet) REQUIRE p.name IS UNIQUE;"
        "CREATE CONSTRAINT o FOR (p:Nobody) REQUIRE p.name IS UNIQUE;"
    )
    with caplog.at_level(logging.DEBUG, "neo4j"):
        problems = project.call("plan").problems
    assert [each.code for each in problems] == ["GM508", "GM508"]
    sent = [each.getMessage() for each in caplog.records]
    assert sum("C: RUN" in each and "MATCH (n:Pet)" in each for each in sent) == 4
    assert sum("C: BEGIN" in each for each in sent) == 1
    assert not any("C: RUN" in each and "MATCH (n:Nobody)" in each for each in sent)


def test_a_migration_that_a_query_may_skip_is_warned_of(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(DUPLICATES.rstrip(";"))
    project.write(V1__email=f"// assume q' RETURN false\n{CONSTRAINT}")
    [found] = project.call("plan").problems
    assert (found.code, found.severity) == ("GM508", Severity.WARNING)
    assert len(project.migrate().skipped) == 1


def test_fixed_data_let_the_next_run_continue_and_forget_the_failure(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__people=DUPLICATES, V2__email=CONSTRAINT)
    with pytest.raises(MigrationFailed) as caught:  # the statement before it made them
        project.migrate()
    assert caught.value.error_code == "GM508"
    assert "2 values of 5 nodes occur more than once" in caught.value.message
    [first, second] = project.call("status").rows
    assert (first.state, second.state) == ("applied", "pending")
    assert "last attempt failed" in (second.detail or "")
    driver.execute_query(FIX.rstrip(";"))
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert rows(driver, "MATCH (a:__GraphMigrateAttempt) RETURN count(a)") == [[0]]


def test_a_plan_says_what_it_could_not_look_at(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE (:Person {email: 'a'})")
    project.write(V1__email=CONSTRAINT)
    uri = project.target.uri

    def problems_by_way_of(where: str) -> list[tuple[str, Severity, str]]:
        with Migrator(replace(settings_for(project.target, project.folder), uri=where)) as migrator:
            found = migrator.plan().problems
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


SAME = [
    ("1", "1.0"), ("0.0 / 0", "0.0 / 0"), ("[0.0 / 0]", "[0.0 / 0]"), ("[1]", "[1.0]"), ("true", "true"),
    ("-0.0", "-0.0"), ("0", "0.0"), ("point({x: 1, y: 1})", "point({x: 1.0, y: 1.0})"), ("1.0 / 0.0", "1.0 / 0.0"),
    ("[]", "[]"),
]  # fmt: skip
OTHER = [
    ("0.0", "-0.0"), ("[0.0]", "[-0.0]"), ("9007199254740993", "9007199254740992.0"), ("'a'", "'A'"), ("true", "1"),
    ("'1'", "1"), ("datetime('2020-01-01T00:00Z')", "datetime('2020-01-01T01:00+01:00')"), ("null", "null"),
    ("duration('P1D')", "duration('PT24H')"), ("date('2020-01-01')", "localdatetime('2020-01-01T00:00')"),
    ("['a']", "'a'"), ("'e\\u0301'", "'\\u00e9'"), ("[0.0 / 0, 1]", "[0.0 / 0, 2]"),
]  # fmt: skip
UNIQUE = {
    "CREATE CONSTRAINT u FOR (n:Eq) REQUIRE n.v IS UNIQUE": "(:Eq {{v: {}}})",
    "CREATE CONSTRAINT u FOR (n:Eq) REQUIRE (n.w, n.v) IS UNIQUE": "(:Eq {{w: 1, v: {}}})",
    "CREATE CONSTRAINT u FOR ()-[n:EQ]-() REQUIRE n.v IS UNIQUE": "(:X)-[:EQ {{v: {}}}]->(:Y)",
}


@pytest.mark.depends_on_version
@pytest.mark.parametrize("ddl", UNIQUE)
def test_values_are_the_same_as_the_index_has_them(project: Project, driver: neo4j.Driver, ddl: str) -> None:
    """The check finds exactly what the server then refuses."""
    with opened(project) as database:
        for pair in SAME + OTHER:
            driver.execute_query("MATCH (n) DETACH DELETE n")
            driver.execute_query(f"CREATE {', '.join(UNIQUE[ddl].format(value) for value in pair)}")
            found = violation(database, target_of(ddl), Place("V1__x.cypher", 1))
            refused = False
            try:
                driver.execute_query(ddl)
                driver.execute_query("DROP CONSTRAINT u")
            except neo4j.exceptions.DatabaseError:
                refused = True
            assert (found is not None, refused) == (pair in SAME, pair in SAME), pair


@contextmanager
def opened(project: Project) -> Iterator[Database]:
    database = open_database(settings_for(project.target, project.folder), None, run="t", host="h", user="me")
    try:
        yield database
    finally:
        database.close()


def target_of(ddl: str) -> SchemaObject:
    action = read_ddl(ddl)
    assert action
    assert action.target
    return action.target


FAULTS = {
    "CREATE CONSTRAINT k FOR (p:Pet) REQUIRE (p.name, p.age) IS NODE KEY": "1 node has no value of name or age: 4:",
    "CREATE CONSTRAINT e FOR (p:Pet) REQUIRE p.age IS NOT NULL": "1 node has no value of age: 4:",
    "CREATE CONSTRAINT t FOR (p:Pet) REQUIRE p.name IS :: INTEGER": (
        "1 value of 2 nodes is not of type INTEGER: 'x' (2 nodes: 4:"
    ),
    "CREATE CONSTRAINT u FOR ()-[r:`LI``KES`]-() REQUIRE r.at IS UNIQUE": (
        "1 value of 2 relationships occurs more than once: 1 (2 relationships: 5:"
    ),
    "CREATE CONSTRAINT c FOR (p:Pet) REQUIRE (p.name, p.kind) IS UNIQUE": (
        "1 value of 2 nodes occurs more than once: ('x', 'cat') (2 nodes: 4:"
    ),
}


@pytest.mark.parametrize(("ddl", "fault"), FAULTS.items())
def test_every_kind_of_constraint(project: Project, driver: neo4j.Driver, ddl: str, fault: str) -> None:
    driver.execute_query(
        "CREATE (a:Pet {name: 'x', kind: 'cat', age: 1}), (b:Pet {name: 'x', kind: 'cat'}), "
        "(a)-[:`LI``KES` {at: 1}]->(b), (b)-[:`LI``KES` {at: 1}]->(a)"
    )
    with opened(project) as database:
        found = violation(database, target_of(ddl), Place("V1__x.cypher", 1))
    assert found
    assert fault in found.message
    assert rows(driver, (found.hint or "").split("All of them: ")[1])


def test_batches_tell_their_changes(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("UNWIND range(1, 25) AS i CREATE (:Person {id: i})")
    project.write(
        V1__batches="// graphmigrate: batch 10\nMATCH (p:Person) WHERE p.seen IS NULL WITH p LIMIT $batch SET p.seen = true;"
    )
    project.migrate()
    told = [event.changes for event in project.events if type(event).__name__ == "BatchDone"]
    assert told == [10, 10, 5]
