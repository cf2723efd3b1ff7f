"""The lock, looked at from both sides of a real server."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import neo4j
import pytest

from graphmigrate.database.connection import Database
from graphmigrate.database.failures import DriverFailure
from graphmigrate.database.first_use import prepare_ledger
from graphmigrate.errors import HistoryMismatch, LockLost, LockTimeout, MigrationFailed, PreflightError
from graphmigrate.migrations import checks
from tests.conftest import Neo4jTarget
from tests.locks import end_lock, held, run_on
from tests.projects import Project, count, rows, settings_for


@pytest.fixture
def database(driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path) -> Database:
    made = run_on(driver, settings_for(neo4j_target, tmp_path), uuid.uuid4().hex)
    prepare_ledger(made)
    return made


def test_a_transaction_begins_only_while_the_lock_is_held(database: Database, driver: neo4j.Driver) -> None:
    with held(database) as lock:
        lock.confirm()
        with database.transaction() as tx:
            tx.run("CREATE (:Mine)").consume()
        end_lock(driver)
        with pytest.raises(LockLost, match="ended on the server"), database.transaction() as tx:
            tx.run("CREATE (:Stale)").consume()
    assert (count(driver, "Mine"), count(driver, "Stale")) == (1, 0)


def test_schema_changes_do_not_disturb_the_question_whose_the_lock_is(
    database: Database, driver: neo4j.Driver
) -> None:
    with held(database) as lock:
        for number in range(3):
            driver.execute_query(f"CREATE INDEX made_{number} FOR (n:Made) ON (n.p{number})")
            lock.confirm()


def test_the_heart_beats_on_while_a_terminated_transaction_is_listed(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    """A run that was cut off stays listed as terminated until its client speaks; its successor must not mind."""
    settings = settings_for(neo4j_target, tmp_path, heartbeat=0.1)
    database = run_on(driver, settings, "mine")
    prepare_ledger(database)
    with suppress(neo4j.exceptions.Neo4jError), driver.session() as session:
        other = session.begin_transaction(metadata={"app": "somebody else"})
        other.run("RETURN 1").consume()
        mine = "SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.app = 'somebody else' RETURN transactionId"
        driver.execute_query(
            "TERMINATE TRANSACTIONS $id YIELD message RETURN message", id=rows(driver, mine)[0][0]
        )
        with held(database) as lock:
            lock.doing("V7 of 9")
            beats = (
                "SHOW TRANSACTIONS YIELD metaData, parameters AS p WHERE metaData.role = 'lock' "
                "RETURN p.doing = 'V7 of 9' AND p.beat > 3"
            )
            deadline = time.monotonic() + 30
            while rows(driver, beats) != [[True]]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            lock.confirm()


@pytest.mark.depends_on_version
def test_an_index_that_a_killed_server_left_in_the_place_of_the_ledgers_constraint_is_dropped(
    project: Project, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.execute_query("CREATE INDEX __graphmigrate_lock_key FOR (n:__GraphMigrateLock) ON (n.key)")
    monkeypatch.setattr("graphmigrate.database.first_use._SURELY_LEFT_BEHIND", 0.0)
    project.write(V1__a="CREATE (:A);")
    assert [each.version for each in project.migrate().applied] == ["1"]
    owned = rows(driver, "SHOW CONSTRAINTS YIELD name WHERE name = '__graphmigrate_lock_key' RETURN name")
    assert owned == [["__graphmigrate_lock_key"]]


def test_a_constraint_of_another_name_serves_the_ledger_as_well(
    project: Project, driver: neo4j.Driver
) -> None:
    """As after a restored dump that left names out."""
    driver.execute_query("CREATE CONSTRAINT restored FOR (n:__GraphMigrateLock) REQUIRE n.key IS UNIQUE")
    project.write(V1__a="CREATE (:A);")
    assert [each.version for each in project.migrate().applied] == ["1"]
    assert project.migrate().applied == ()


def test_a_constraint_that_has_the_name_of_the_ledgers_own_is_told(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query("CREATE CONSTRAINT __graphmigrate_lock_key FOR (n:Lock) REQUIRE n.key IS UNIQUE")
    project.write(V1__a="CREATE (:A);")
    with pytest.raises(HistoryMismatch, match=r"\(:Lock \{key\}\) has this name") as caught:
        project.migrate()
    assert caught.value.error_code == "GM611"
    assert count(driver, "A") == 0
    driver.execute_query("DROP CONSTRAINT __graphmigrate_lock_key")
    assert [each.version for each in project.migrate().applied] == ["1"]


@pytest.fixture
def impatient(neo4j_target: Neo4jTarget, tmp_path: Path) -> Project:
    return Project(neo4j_target, tmp_path, stale_after=1.0)


@pytest.fixture
def stopped_inside_create_constraint(
    database: Database, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> Iterator[neo4j.Transaction]:
    """A run that holds the lock and was stopped between CREATE CONSTRAINT and its commit; its heart does not beat."""
    driver.execute_query("CREATE (:Locked {id: 1})")
    settings = settings_for(neo4j_target, tmp_path, heartbeat=1000.0)
    frozen = run_on(driver, settings, "frozen")
    with (
        suppress(*DriverFailure),
        held(frozen),
        frozen.transaction() as tx,
    ):
        tx.run("CREATE CONSTRAINT locked FOR (n:Locked) REQUIRE n.id IS UNIQUE").consume()
        yield tx


def test_statements_are_still_checked_before_any_is_run(
    stopped_inside_create_constraint: neo4j.Transaction, impatient: Project, driver: neo4j.Driver
) -> None:
    impatient.write(V1__a="CREATE (:Before);", V2__b="MATCH (n:Locked {id: 1}) SET m.seen = true;")
    with pytest.raises(PreflightError, match="`m` not defined"):
        impatient.migrate()
    assert count(driver, "Before") == 0


def test_a_plan_says_what_could_not_be_checked_and_does_not_wait(
    stopped_inside_create_constraint: neo4j.Transaction, impatient: Project, neo4j_target: Neo4jTarget
) -> None:
    impatient.write(V1__a="MATCH (n:Locked {id: 1}) SET n.seen = true;")
    planned = impatient.call("plan")
    assert [each.version for each in planned.migrations] == ["1"]
    waits = neo4j_target.version.startswith("5.")  # 2026.05 plans without the schema's locks
    assert ("GM404" in [each.code for each in planned.problems]) == waits


def test_one_object_may_migrate_again(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);", V3__c="CREATE (:C) SET;")
    with project.migrator() as migrator:
        migrator.migrate(target="1")
        migrator.migrate(target="2")
        with pytest.raises(PreflightError):
            migrator.migrate()
        project.write(V3__c="CREATE (:C);")
        migrator.migrate()
    assert rows(driver, "MATCH (r:__GraphMigrateRun) RETURN count(DISTINCT r.id), count(r.ended)") == [[3, 3]]


def test_after_a_lock_that_was_not_obtained_the_same_object_still_takes_over(
    stopped_inside_create_constraint: neo4j.Transaction, impatient: Project
) -> None:
    impatient.write(V1__a="MATCH (n:Locked {id: 1}) SET n.seen = true;")
    impatient.more["stale_after"] = 2.0
    with impatient.migrator() as migrator:
        with pytest.raises(LockTimeout):
            migrator.migrate(lock_timeout=0.5)
        assert [each.version for each in migrator.migrate().applied] == ["1"]


@pytest.fixture
def lookup_indexes(driver: neo4j.Driver) -> Iterator[list[str]]:
    """The names of the two indexes that every new database has, which are there again afterwards."""
    yield [name for [name] in rows(driver, "SHOW INDEXES YIELD name, type WHERE type = 'LOOKUP' RETURN name")]
    driver.execute_query("CREATE LOOKUP INDEX node_labels IF NOT EXISTS FOR (n) ON EACH labels(n)")
    driver.execute_query("CREATE LOOKUP INDEX types IF NOT EXISTS FOR ()-[r]-() ON EACH type(r)")


@pytest.mark.depends_on_version
@pytest.mark.parametrize("name", ["__graphmigrate_lock_key", "`__graphmigrate\\u005flock_key`"])
def test_a_statement_that_waits_for_its_own_runs_lock_is_ended(
    driver: neo4j.Driver,
    neo4j_target: Neo4jTarget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """As a procedure would run it whose text nobody can read: the refusals before the run are taken away."""
    monkeypatch.setattr(checks, "about_ours", lambda *_: ())
    monkeypatch.setattr(checks, "LEDGER_LABELS", {})
    project = Project(neo4j_target, tmp_path, heartbeat=0.5)
    project.write(V1__a="CREATE (:A);", V2__b=f"DROP CONSTRAINT {name};")
    began = time.monotonic()
    with pytest.raises(MigrationFailed, match="waited for the lock that this run itself holds") as caught:
        project.migrate()
    assert time.monotonic() - began < 20
    assert caught.value.place
    assert caught.value.place.file.endswith("V2__b.cypher")
    assert (
        len(rows(driver, "SHOW CONSTRAINTS YIELD name WHERE name STARTS WITH '__graphmigrate' RETURN name"))
        == 2
    )
    project.write(V2__b="CREATE (:B);")  # what the hint says
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert (count(driver, "A"), count(driver, "B")) == (1, 1)


def test_so_is_one_that_drops_the_index_of_every_label(
    driver: neo4j.Driver, lookup_indexes: list[str], neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    project = Project(neo4j_target, tmp_path, heartbeat=0.5)
    project.write(**{f"V{at}__x": f"DROP INDEX `{name}`;" for at, name in enumerate(lookup_indexes, 1)})
    with pytest.raises(MigrationFailed, match="an index of every label"):
        project.migrate()
