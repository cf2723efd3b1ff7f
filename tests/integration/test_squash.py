"""Squash: a new database runs the new file, one that began with the old files goes on with these, and both end alike."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path

import neo4j
import pytest

from graphmigrate import Migrator
from graphmigrate.errors import GraphMigrateError, HistoryMismatch, ProjectError, UsageError
from graphmigrate.results import SquashResult
from tests.conftest import wipe
from tests.projects import Project, count, rows

FILES = {
    "V1__people": "CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;",
    "V2__ann": "CREATE (:Person {id: 1, name: 'Ann; // not a comment'});",
    "V3__name": "CREATE INDEX person_name FOR (p:Person) ON (p.name);",
    "V4__bob": "MERGE (p:Person {id: 2}) SET p.name = 'Bob';\nMATCH (a {id: 1}), (b {id: 2}) MERGE (a)-[:KNOWS]->(b);",
}
LATER = {"V5__more": "CREATE (:Person {id: 3});"}


@pytest.fixture
def project(project: Project) -> Project:
    return project.write(**FILES, **LATER)


def squashed(project: Project, to: str = "4", driver: neo4j.Driver | None = None) -> SquashResult:
    """Squash on an empty database, which is empty again afterwards."""
    if driver:
        wipe(driver)
    with Migrator(driver=driver) if driver else nullcontext() as scratch:
        result: SquashResult = project.call("squash", to, scratch=scratch)
    if driver:
        wipe(driver)
    return result


def state(driver: neo4j.Driver) -> list[object]:
    return [
        rows(
            driver,
            "MATCH (p:Person) OPTIONAL MATCH (p)-[:KNOWS]->(q) RETURN p.id, p.name, q.id ORDER BY p.id",
        ),
        sorted(
            rows(driver, "SHOW INDEXES YIELD name, type, properties WHERE NOT name STARTS WITH '__'"), key=str
        ),
    ]


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_file())


def test_a_new_database_runs_the_squash_with_the_schema_first(project: Project, driver: neo4j.Driver) -> None:
    project.migrate()
    wanted = state(driver)
    result = squashed(project, driver=driver)
    assert (result.reordered, result.unstable) == (True, ())
    folder = project.folder / "migrations"
    assert names(folder) == ["V4__squashed.cypher", "V5__more.cypher"]
    assert names(folder / "squashed") == [f"{name}.cypher" for name in FILES]
    text = Path(result.path).read_text()
    assert text.index("CREATE INDEX") < text.index("CREATE (:Person")
    assert [each.version for each in project.migrate().applied] == ["4", "5"]
    assert state(driver) == wanted
    assert project.migrate().applied == ()
    assert [(row.version, row.state) for row in project.call("status").rows] == [
        ("4", "applied"),
        ("5", "applied"),
    ]


@pytest.mark.parametrize("moved", range(len(FILES) + 1))
def test_a_squash_that_was_killed_stops_every_command_and_goes_on(project: Project, moved: int) -> None:
    whole = squashed(project)
    folder, path = project.folder / "migrations", Path(whole.path)
    text = path.read_text()
    path.rename(path.with_suffix(".cypher.part"))
    for name in list(FILES)[moved:]:
        (folder / "squashed" / f"{name}.cypher").rename(folder / f"{name}.cypher")
    with pytest.raises(ProjectError, match="ended while it moved files") as raised:
        project.migrate()
    assert "graphmigrate squash --to V4 --keep-order" in (raised.value.hint or "")
    again = squashed(project)
    assert (again.path, again.replaced) == (whole.path, whole.replaced)
    assert path.read_text() == text
    assert names(folder) == ["V4__squashed.cypher", "V5__more.cypher"]
    assert names(folder / "squashed") == [f"{name}.cypher" for name in FILES]


@pytest.mark.parametrize("begun", ["2", "4", None])
def test_a_database_that_began_with_the_old_files_goes_on_with_them(
    project: Project, driver: neo4j.Driver, begun: str | None
) -> None:
    project.migrate(target=begun)
    squashed(project)
    done = int(begun or 5)
    assert [each.version for each in project.call("plan").migrations] == [
        str(number) for number in range(done + 1, 6)
    ]
    assert [each.version for each in project.migrate().applied] == [
        str(number) for number in range(done + 1, 6)
    ]
    assert count(driver, "Person") == 3
    assert project.call("status").clean
    assert not [each for each in project.call("validate") if each.severity == "error"]
    assert project.migrate().applied == ()


def test_a_migration_that_failed_half_way_is_completed_from_what_was_squashed(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V3__name="CREATE INDEX person_name FOR (p:Person) ON (p.name);\nCREATE (:Person {id: 1});")
    with pytest.raises(GraphMigrateError):
        project.migrate()
    project.write(V3__name="CREATE INDEX person_name FOR (p:Person) ON (p.name);\nCREATE (:Person {id: 9});")
    squashed(project)
    assert [each.version for each in project.migrate().applied] == ["3", "4", "5"]
    assert rows(driver, "MATCH (p:Person) RETURN p.id ORDER BY p.id") == [[1], [2], [3], [9]]


def test_a_database_with_another_checksum_is_refused_by_name(project: Project) -> None:
    project.migrate()
    project.write(V2__ann="CREATE (:Person {id: 7});")
    squashed(project)
    with pytest.raises(HistoryMismatch, match="V2") as caught:
        project.migrate()
    assert caught.value.exit_code == 6


def test_what_is_missing_of_the_old_files_is_named_where_it_is_needed(
    project: Project, driver: neo4j.Driver
) -> None:
    project.migrate(target="2")
    squashed(project)
    shutil.rmtree(project.folder / "migrations" / "squashed")
    with pytest.raises(ProjectError, match=r"V3__name\.cypher") as caught:
        project.migrate()
    assert "git log" in (caught.value.hint or "")
    wipe(driver)
    assert [each.version for each in project.migrate().applied] == ["4", "5"]
    project.call("squash", "5")
    assert project.migrate().applied == ()  # a squash of a squash


def test_the_order_stays_where_the_schema_cannot_stand_first(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V3__name="CREATE (:P {id: 1}), (:P {id: 1});\nMATCH (p:P) WITH collect(p) AS all FOREACH (p IN all[1..] | DELETE p);",
        V4__bob="CREATE CONSTRAINT p_id FOR (p:P) REQUIRE p.id IS UNIQUE;",
    )
    assert not squashed(project, driver=driver).reordered
    assert [each.version for each in project.migrate().applied] == ["4", "5"]
    assert count(driver, "P") == 1


@pytest.mark.parametrize(
    ("changing", "reordered"),
    [
        ("CREATE (:T {at: randomUUID(), made: datetime()})-[:OF {at: rand()}]->(:T {id: 1});", True),
        ("UNWIND range(1, toInteger(rand() * 1000000) % 1000 + 1) AS i CREATE (:T);", False),  # other numbers
    ],
)
def test_statements_that_make_something_else_each_time_are_named(
    project: Project, driver: neo4j.Driver, changing: str, reordered: bool
) -> None:
    project.write(V2__ann=f"CREATE (:Person {{id: 1}});\n{changing}")
    result = squashed(project, driver=driver)
    assert result.reordered is reordered
    assert [place.partition("migrations/")[2] for place in result.unstable] == ["V2__ann.cypher:2:1"]
    assert [each.version for each in project.migrate().applied] == ["4", "5"]


def test_no_undo_goes_below_a_squash(project: Project, driver: neo4j.Driver) -> None:
    squashed(project)
    project.write(U5__more="MATCH (p:Person {id: 3}) DELETE p;").migrate()
    before = state(driver)
    with pytest.raises(GraphMigrateError) as caught:
        project.call("undo", to="0")
    told = " ".join([str(caught.value), *map(str, caught.value.problems)])
    assert "V4 was squashed: no undo goes below V4" in told, told
    assert state(driver) == before
    assert [each.version for each in project.call("undo").undone] == ["5"]


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("V3__name", "MATCH (p:Person) CALL (p) { SET p.a = 1 } IN TRANSACTIONS;", "commits by itself"),
        ("V3__name", "// assume that edition is community\nCREATE (:X);", "header"),
        ("V3__name", "MATCH (p:Person) SET p.a = $batch;", "batch"),
    ],
)
def test_what_cannot_be_squashed_is_named_and_nothing_is_changed(
    project: Project, file: str, text: str, reason: str
) -> None:
    project.write(**{file: text})
    before = names(project.folder / "migrations")
    with pytest.raises(GraphMigrateError, match=reason) as caught:
        project.call("squash", "4")
    if reason != "batch":
        assert "graphmigrate squash --to V2" in (caught.value.hint or "")
    assert names(project.folder / "migrations") == before


def test_a_scratch_database_that_holds_something_is_refused(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE (:Mine)")
    with Migrator(driver=driver) as scratch, pytest.raises(UsageError, match="not empty"):
        project.call("squash", "4", scratch=scratch)
    assert count(driver, "Mine") == 1
    assert len(names(project.folder / "migrations")) == 5
