"""A test database is back in its state after whatever a test did to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import neo4j
import pytest

from graphmigrate.errors import ProjectError
from graphmigrate.testing.database import MARKER, NotOurs, State, TestDatabase, bookmark, claimed
from tests.projects import Project, count, dump, rows, write_migrations

MIGRATIONS = {
    "V1__people": "CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;\n"
    "CREATE INDEX person_name FOR (p:Person) ON (p.name);",
    "V2__countries": "CREATE (:Country {id: 'NL', at: datetime(), spot: point({x: 1, y: 2}), parts: [1, 2], size: 1})"
    "-[:BORDERS {since: date()}]->(:Country:Old {id: 'BE', size: 2});",
    "V3__cities": "MATCH (c:Country {id: 'NL'}) CREATE (c)<-[:IN]-(:City {id: 'AMS'});\n"
    "CREATE CONSTRAINT country_id FOR (c:Country) REQUIRE c.id IS UNIQUE;",
}
DISTURBANCES: dict[str, list[str]] = {
    "adds": ["UNWIND range(1, 5) AS i CREATE (:Person {id: i})-[:KNOWS]->(:Person {id: 100 + i})"],
    "adds a lot": ["UNWIND range(1, 15000) AS i CREATE (:Person {id: i})"],
    "adds to what is there": [
        "MATCH (a:Country {id: 'NL'}), (b:City) CREATE (a)-[:BORDERS]->(b), (:Person {id: 1})-[:IN]->(a)"
    ],
    "changes properties": ["MATCH (c:Country) SET c.size = toFloat(c.size), c.more = true REMOVE c.at"],
    "changes labels": ["MATCH (c:Country:Old) REMOVE c:Old SET c:`New one`"],
    "changes a relationship": ["MATCH ()-[r:BORDERS]->() SET r.since = null, r.weight = 1"],
    "deletes data of a migration": ["MATCH (c:City) DETACH DELETE c"],
    "turns a relationship": ["MATCH (a)-[r:BORDERS]->(b) DELETE r CREATE (b)-[:BORDERS]->(a)"],
    "deletes everything": ["MATCH (n) DETACH DELETE n"],
    "replaces a unique value": [
        "MATCH (c:Country {id: 'NL'}) SET c.id = 'XX'",
        "CREATE (:Country {id: 'NL'})",
    ],
    "swaps unique values": [
        "MATCH (c:Country {id: 'NL'}) SET c.id = 'XX'",
        "MATCH (c:Country {id: 'BE'}) SET c.id = 'NL'",
        "MATCH (c:Country {id: 'XX'}) SET c.id = 'BE'",
    ],
    "adds schema": ["CREATE INDEX extra FOR (p:Person) ON (p.age)", "CREATE (:Person {id: 1, age: 3})"],
    "drops schema": ["DROP CONSTRAINT country_id", "DROP INDEX person_name", "CREATE (:Country {id: 'NL'})"],
    "redefines an index": ["DROP INDEX person_name", "CREATE INDEX person_name FOR (c:City) ON (c.name)"],
    "drops every constraint and all data": [
        "DROP CONSTRAINT country_id",
        "DROP CONSTRAINT person_id",
        "MATCH (n) DETACH DELETE n",
    ],
}


@pytest.fixture(scope="module")
def migrations(tmp_path_factory: pytest.TempPathFactory, neo4j_target: object) -> Project:
    project = Project(neo4j_target, tmp_path_factory.mktemp("kept")).write(**MIGRATIONS)
    seeds = project.folder / "seeds"
    seeds.mkdir()
    (seeds / "people.cypher.j2").write_text("UNWIND range(1, {{ 3 }}) AS i MERGE (:Person {id: i})\n")
    (seeds / "towns.cypher.j2").write_text("MERGE (:City {id: 'LEI'})\n")
    return project


@pytest.fixture(scope="module")
def database(session_driver: neo4j.Driver, migrations: Project) -> Iterator[TestDatabase]:
    with migrations.migrator() as migrator:
        database = TestDatabase(session_driver, migrator.settings)
    database.empty()
    yield database
    database.empty()


@pytest.fixture
def unmade(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make every rebuilding fail from the call of this on, to prove that the state was put back in place."""

    def refuse(_state: State) -> None:
        raise AssertionError("the database was made anew")

    return lambda: monkeypatch.setattr(database, "_make", refuse)


@pytest.mark.depends_on_version
@pytest.mark.parametrize("statements", DISTURBANCES.values(), ids=DISTURBANCES)
def test_it_is_as_before(
    database: TestDatabase, session_driver: neo4j.Driver, statements: list[str], unmade: Callable[[], None]
) -> None:
    database.prepare(State())
    before = dump(session_driver, volatile=True)
    for statement in statements:
        session_driver.execute_query(statement)
    assert dump(session_driver, volatile=True) != before
    if statements is not DISTURBANCES["swaps unique values"]:  # no order of single steps can undo it
        unmade()
    database.restore()
    volatile = statements is not DISTURBANCES["swaps unique values"]
    if volatile:
        assert dump(session_driver, volatile=True) == before
    assert rows(session_driver, "MATCH (c:Country) RETURN c.id, c.size ORDER BY c.size") == [
        ["NL", 1],
        ["BE", 2],
    ]


def test_a_test_that_only_reads_costs_one_question(
    database: TestDatabase, session_driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.prepare(State())
    session_driver.execute_query("CREATE (:Person {id: 1})")
    database.restore()
    monkeypatch.setattr(database, "_put_back", lambda state: pytest.fail("the contents were read"))
    session_driver.execute_query("MATCH (n) RETURN n")
    database.restore()


def test_states_are_made_once_and_kept_apart(
    database: TestDatabase, session_driver: neo4j.Driver, unmade: Callable[[], None]
) -> None:
    states = [
        State(),
        State(until="1"),
        State(until="V2", seeds=("people",)),
        State(seeds=("people",)),
        State(seeds=()),
    ]
    expected = [[0, 1], [0, 0], [3, 0], [3, 1], [3, 2]]
    found = []
    for state in states:
        database.prepare(state)
        found.append([count(session_driver, "Person"), count(session_driver, "City")])
    assert found == expected
    unmade()
    for state, numbers in zip(states, expected, strict=True):
        database.prepare(state)
        session_driver.execute_query("MATCH (n:Person) DETACH DELETE n")
        database.restore()
        assert [count(session_driver, "Person"), count(session_driver, "City")] == numbers


def test_a_migration_can_be_tested_on_the_data_it_moves(
    database: TestDatabase, session_driver: neo4j.Driver
) -> None:
    database.prepare(State(until="V2"))
    with database.migrator() as migrator:
        assert [each.version for each in migrator.migrate().applied] == ["3"]
    assert count(session_driver, "City") == 1
    database.restore()
    assert count(session_driver, "City") == 0
    names = {name for (name,) in rows(session_driver, "SHOW CONSTRAINTS YIELD name")}
    assert "country_id" not in names
    assert "person_id" in names


@pytest.mark.depends_on_version
def test_a_session_left_open_is_ended(database: TestDatabase, session_driver: neo4j.Driver) -> None:
    database.prepare(State())
    session_driver.execute_query("CREATE INDEX extra FOR (p:Person) ON (p.age)")
    with session_driver.session() as session:
        session.begin_transaction().run("CREATE (:Person {id: 1, age: 3})").consume()
        database.restore()
    assert not rows(session_driver, "SHOW INDEXES YIELD name WHERE name = 'extra' RETURN name")


@pytest.mark.parametrize("changed", [False, True])
def test_a_transaction_left_open_holds_no_lock(
    database: TestDatabase,
    session_driver: neo4j.Driver,
    monkeypatch: pytest.MonkeyPatch,
    unmade: Callable[[], None],
    changed: bool,
) -> None:
    database.prepare(State())
    unmade()
    if changed:
        session_driver.execute_query("CREATE (:Person {id: 2})")
    else:  # nothing was committed, so nothing is read
        monkeypatch.setattr(database, "_put_back", lambda wanted: pytest.fail("the contents were read"))
    create = neo4j.Query("CREATE (:Person {id: 1})", timeout=10)
    with session_driver.session() as left_open, session_driver.session() as session:
        left_open.begin_transaction().run("CREATE (:Person {id: 1})").consume()
        database.restore()
        session.run(create).consume()
        monkeypatch.undo()
    database.restore()
    assert count(session_driver, "Person") == 0


def test_a_transaction_without_locks_goes_on(database: TestDatabase, session_driver: neo4j.Driver) -> None:
    database.prepare(State())
    with session_driver.session() as session, session.begin_transaction() as other:
        other.run("RETURN 1").consume()
        database.restore()
        other.commit()


def test_projects_take_turns(database: TestDatabase, session_driver: neo4j.Driver, tmp_path: Path) -> None:
    first = database.settings
    second = replace(first, migrations=write_migrations(tmp_path, V1__rivers="CREATE (:River);"))
    database.prepare(State())
    database.settings = second
    try:
        database.prepare(State())
        assert [count(session_driver, "River"), count(session_driver, "Country")] == [1, 0]
        for settings, numbers in ((first, [0, 2]), (second, [1, 0]), (first, [0, 2])):
            database.settings = settings
            database.prepare(State())
            session_driver.execute_query("CREATE (:River), (:Country)")
            database.restore()
            assert [count(session_driver, "River"), count(session_driver, "Country")] == numbers
    finally:
        database.settings = first


def test_what_was_there_before_the_first_state_is_gone(
    database: TestDatabase, session_driver: neo4j.Driver, migrations: Project
) -> None:
    database.empty()
    empty = bookmark(session_driver)
    session_driver.execute_query("CREATE (:Stray)")
    TestDatabase(session_driver, database.settings, empty).prepare(State())
    assert [count(session_driver, "Stray"), count(session_driver, "Country")] == [0, 2]
    database.empty()


def test_seeds_that_all_name_a_profile_are_loaded_for_it_alone(
    database: TestDatabase, session_driver: neo4j.Driver, tmp_path: Path
) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "people.cypher.j2").write_text("---\nprofiles: [demo]\n---\nMERGE (:Person {id: 1});\n")
    whole, database.settings = database.settings, replace(database.settings, seeds=seeds)
    try:
        database.prepare(State(seeds=()))
        assert count(session_driver, "Person") == 0
        database.prepare(State(seeds=(), profile="demo"))
        assert count(session_driver, "Person") == 1
    finally:
        database.settings = whole


def test_a_failure_is_told_each_time_without_trying_again(
    database: TestDatabase, session_driver: neo4j.Driver
) -> None:
    for _ in range(2):
        with pytest.raises(ProjectError, match="one-hundred"):
            database.prepare(State(until="one-hundred"))
    database.prepare(State())
    assert count(session_driver, "Country") == 2


def test_only_an_empty_database_is_claimed_and_it_is_empty_again(driver: neo4j.Driver) -> None:
    with claimed(driver, "bolt://here"):
        driver.execute_query("CREATE (:Person {id: 1})")
        driver.execute_query("CREATE INDEX extra FOR (p:Person) ON (p.age)")
        with pytest.raises(NotOurs, match="use the database") as second, claimed(driver, "bolt://here"):
            pass
    assert second.value.error_code == "GM740"
    assert rows(driver, "MATCH (n) RETURN count(n)") == [[0]]
    assert not rows(driver, "SHOW INDEXES YIELD type WHERE type <> 'LOOKUP' RETURN type")


@pytest.mark.parametrize("foreign", ["CREATE (:Person {id: 1})", "CREATE INDEX x FOR (p:P) ON (p.age)"])
def test_what_is_not_ours_is_left_alone(driver: neo4j.Driver, foreign: str) -> None:
    driver.execute_query(foreign)
    driver.execute_query("CALL db.awaitIndexes(60)")
    before, mark = dump(driver, volatile=True), bookmark(driver)
    for wipe in (False, True):
        with pytest.raises(NotOurs, match="did not make") as refused, claimed(driver, "u", wipe_claimed=wipe):
            pass
        assert refused.value.error_code == "GM740"
    assert dump(driver, volatile=True) == before
    assert bookmark(driver) == mark


def test_a_claim_of_tests_that_were_killed_is_emptied_where_asked(driver: neo4j.Driver) -> None:
    driver.execute_query(f"CREATE (:{MARKER} {{session: 's', host: 'h', user: 'u'}}), (:Person)")
    with claimed(driver, "u", wipe_claimed=True):
        assert count(driver, "Person") == 0
    assert rows(driver, "MATCH (n) RETURN count(n)") == [[0]]
