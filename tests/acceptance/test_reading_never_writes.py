"""What only reads opens READ sessions, commits nothing and shows nothing that steers a terminal, whatever the database holds."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate.doctor import examine
from graphmigrate.migrator import Migrator
from tests.acceptance.commands import HELD, Folder, held_node, wait_until_held
from tests.conftest import Neo4jTarget, quoted
from tests.projects import Project, dump, rows, settings_for

READING = ("status", "plan", "validate", "doctor", "seed list", "summary")
CALLS: dict[str, Callable[[Migrator], Any]] = {
    "status": Migrator.status,
    "plan": Migrator.plan,
    "validate": Migrator.validate,
    "seeds": Migrator.seeds,
    "summary": Migrator.summary,
    "wait": Migrator.wait,
    "doctor": lambda migrator: examine(migrator.settings),
}
HOSTILE_NAMES = (
    "back`tick",
    "`); DROP CONSTRAINT x; //",
    "\\u0060 DETACH DELETE n //",
    "esc\x1b[31mape",
    "a\x1b]0;title\x07b",  # at either end of an index's name the server drops control characters
    "c1 \x9b31m",
    "line\nend\rx",
    "left\u202eright",
    "quote'\"",
)


@pytest.fixture
def folder(neo4j_target: Neo4jTarget, driver: neo4j.Driver, tmp_path: Path) -> Folder:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "x.cypher.j2").write_text("MERGE (:Thing {id: 1});\n")
    return Folder(tmp_path, neo4j_target.env).write(
        V1__x="CREATE CONSTRAINT thing FOR (t:Thing) REQUIRE t.id IS UNIQUE;",
        V2__y="CREATE INDEX thing_name FOR (t:Thing) ON (t.name); CREATE (:Thing {id: 0});",
    )


def last_transaction(driver: neo4j.Driver) -> int:
    query = "SHOW DATABASES YIELD home, lastCommittedTxn WHERE home RETURN lastCommittedTxn"
    return driver.execute_query(query, database_="system").records[0][0]


@pytest.fixture
def unchanged(driver: neo4j.Driver) -> Iterator[Callable[[], None]]:
    before: list[Any] = []

    def begin() -> None:
        before.extend([dump(driver, volatile=True), last_transaction(driver)])

    yield begin
    assert before == [dump(driver, volatile=True), last_transaction(driver)]


def assert_harmless(text: str) -> None:
    assert [line for line in text.split("\n") if not line.isprintable()] == []


def run_all(folder: Folder) -> None:
    for command in READING:
        process = folder.run(*command.split(), "--debug")
        assert process.returncode in {0, 1, 2, 6}, process.stderr
        assert "GM179" not in process.stderr
        assert_harmless(process.stdout + process.stderr)


def test_on_an_empty_database(folder: Folder, unchanged: Callable[[], None]) -> None:
    unchanged()
    run_all(folder)


def test_after_a_run_that_died(folder: Folder, driver: neo4j.Driver, unchanged: Callable[[], None]) -> None:
    folder.write(V3__held=HELD)
    with held_node(driver):
        process = folder.start("migrate")
        wait_until_held(driver, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    unchanged()
    run_all(folder)


def test_with_hostile_names_in_the_database(
    folder: Folder, driver: neo4j.Driver, unchanged: Callable[[], None]
) -> None:
    for number, name in enumerate(HOSTILE_NAMES):
        escaped = quoted(name)
        driver.execute_query(f"CREATE INDEX {escaped} FOR (n:{escaped}) ON (n.{escaped})")
        driver.execute_query(f"CREATE (:{escaped} {{{escaped}: $number}})-[:{escaped}]->()", number=number)
    names = {row[0] for row in rows(driver, "SHOW INDEXES YIELD name")}
    assert names >= set(HOSTILE_NAMES)
    unchanged()
    run_all(folder)
    process = folder.run("summary", "--output", "json")
    assert_harmless(process.stdout)


def test_a_run_beside_hostile_names(folder: Folder, driver: neo4j.Driver) -> None:
    """The catalogue before the run is written down, and nothing in it becomes Cypher."""
    for name in HOSTILE_NAMES:
        driver.execute_query(f"CREATE INDEX {quoted(name)} FOR (n:Other) ON (n.{quoted(name)})")
    before = {row[0] for row in rows(driver, "SHOW INDEXES YIELD name")}
    process = folder.run("migrate", LOGNAME="\x1b[31m'}) DETACH DELETE n //", USER="x")
    assert process.returncode == 0, process.stderr
    assert_harmless(process.stdout + process.stderr)
    assert {row[0] for row in rows(driver, "SHOW INDEXES YIELD name")} >= before
    by = rows(driver, "MATCH (m:__GraphMigrateMigration) RETURN DISTINCT m.installed_by")
    assert by == [["\x1b[31m'}) DETACH DELETE n //"]]
    assert_harmless(folder.run("status").stdout)


def test_hostile_file_names_are_data(folder: Folder, driver: neo4j.Driver) -> None:
    hostile = ["a`b", "\\u0060) DETACH DELETE n", "'}) SET n.x = 1", "\x1b[31m", "\u202e"]
    for number, name in enumerate(hostile, 3):
        (folder.path / "migrations" / f"V{number}__{name}.cypher").write_text(
            "CREATE (:Thing {id: -1 - $n});".replace("$n", str(number))
        )
    refused = folder.run("validate", "--offline")
    assert_harmless(refused.stdout + refused.stderr)
    process = folder.run("migrate")
    assert process.returncode in {0, 2}, process.stderr
    assert_harmless(process.stdout + process.stderr)
    status = folder.run("status")
    assert_harmless(status.stdout + status.stderr)
    assert rows(driver, "MATCH (n) WHERE n.x = 1 RETURN count(n)") == [[0]]


@pytest.mark.parametrize("call", CALLS)
def test_only_read_sessions_are_opened(
    call: str, project: Project, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(V1__x="CREATE INDEX thing FOR (t:Thing) ON (t.id);", V2__y="CREATE (:Thing {id: 0});")
    (project.folder / "seeds").mkdir()
    modes = []
    opened = neo4j.Driver.session

    def watched(self: neo4j.Driver, **config: Any) -> neo4j.Session:
        modes.append(config.get("default_access_mode"))
        return opened(self, **config)

    monkeypatch.setattr(neo4j.Driver, "session", watched)
    with Migrator(settings_for(project.target, project.folder)) as migrator:
        CALLS[call](migrator)
    assert set(modes) == {neo4j.READ_ACCESS}
