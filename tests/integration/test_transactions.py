"""What runs have open on the server, and how the next one ends it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate.database.connection import PREPARE, Database
from graphmigrate.database.failures import DriverFailure
from graphmigrate.database.first_use import prepare_ledger
from graphmigrate.database.queries import LEDGER_CONSTRAINTS
from graphmigrate.database.transactions import await_no_work
from graphmigrate.errors import LockLost, MigrationFailed
from graphmigrate.events import LockAwaited
from graphmigrate.migrations.workspace import Workspace
from tests.conftest import Neo4jTarget
from tests.locks import end_lock, held, run_on
from tests.projects import Project, count, rows, settings_for


@pytest.fixture
def database(driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path) -> Database:
    made = run_on(driver, settings_for(neo4j_target, tmp_path), uuid.uuid4().hex)
    prepare_ledger(made)
    return made


@pytest.mark.depends_on_version
def test_an_open_transaction_cannot_commit_once_another_run_took_over(
    database: Database, driver: neo4j.Driver
) -> None:
    other = run_on(driver, database.settings, "other")

    def stale() -> None:
        with database.transaction() as tx:
            tx.run("CREATE (:Stale)").consume()
            end_lock(driver)
            with held(other):
                pass

    with held(database), suppress(*DriverFailure):  # a closed connection may answer SUCCESS all the same
        stale()
    assert count(driver, "Stale") == 0


@pytest.mark.depends_on_version
def test_the_inner_transactions_of_a_dead_run_are_waited_for(
    database: Database, driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    """`CALL {…} IN TRANSACTIONS` goes on inside the server when its client dies: none of it may land later."""
    many = "UNWIND range(1, 2000000) AS i CALL (i) { CREATE (:Late {i: i}) } IN TRANSACTIONS OF 20000 ROWS"
    query = neo4j.Query(many, metadata=database.metadata("work") | {"run": "dead"})

    def work() -> None:
        with (
            suppress(neo4j.exceptions.Neo4jError),
            neo4j_target.driver() as dying,
            dying.session() as session,
        ):
            session.run(query).consume()

    thread = threading.Thread(target=work)
    thread.start()
    while count(driver, "Late") == 0:
        time.sleep(0.01)
    await_no_work(database, lambda metadata: metadata.get("run") == "dead")
    landed = count(driver, "Late")
    assert 0 < landed < 2000000
    inner = (
        "SHOW TRANSACTIONS YIELD outerTransactionId WHERE outerTransactionId <> '' RETURN outerTransactionId"
    )
    assert rows(driver, inner) == []
    thread.join()
    assert count(driver, "Late") == landed


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


@pytest.mark.depends_on_version
def test_a_run_takes_over_from_one_that_keeps_the_schema_locked(
    stopped_inside_create_constraint: neo4j.Transaction, impatient: Project, driver: neo4j.Driver
) -> None:
    impatient.write(
        V1__a="MATCH (n:Locked {id: 1}) SET n.seen = true;", V2__b="CREATE INDEX FOR (n:Locked) ON (n.seen);"
    )
    done = impatient.migrate()
    assert [each.version for each in done.applied] == ["1", "2"]
    assert any(isinstance(each, LockAwaited) for each in impatient.events)
    with suppress(*DriverFailure):
        stopped_inside_create_constraint.commit()
    assert rows(driver, "MATCH (n:Locked) RETURN n.seen") == [[True]]
    assert rows(driver, "SHOW CONSTRAINTS YIELD name WHERE name = 'locked' RETURN name") == []


def test_what_a_stopped_holder_was_reading_keeps_nobody_from_changing_the_schema(
    database: Database, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path, impatient: Project
) -> None:
    driver.execute_query("UNWIND range(1, 10000) AS i CREATE (:Locked {id: i})")
    frozen = run_on(driver, settings_for(neo4j_target, tmp_path, heartbeat=1000.0), "frozen")
    impatient.write(V1__a="CREATE INDEX locked FOR (n:Locked) ON (n.id);")
    with (
        suppress(neo4j.exceptions.Neo4jError),
        held(frozen),
        frozen.asking("MATCH (n:Locked) RETURN n.id") as result,
    ):
        next(result)
        assert [each.version for each in impatient.migrate().applied] == ["1"]


@pytest.mark.depends_on_version
def test_a_run_takes_over_from_one_that_was_writing_the_ledger(
    database: Database, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path, impatient: Project
) -> None:
    frozen = run_on(driver, settings_for(neo4j_target, tmp_path, heartbeat=1000.0), "frozen")
    impatient.write(V1__a="CREATE (:A);")
    with suppress(*DriverFailure), held(frozen), frozen.transaction() as tx:
        tx.run("MATCH (l:__GraphMigrateLedger) SET l.head = 'mine'").consume()
        assert [each.version for each in impatient.migrate().applied] == ["1"]
        tx.commit()
    assert rows(driver, "MATCH (l:__GraphMigrateLedger) RETURN l.head") == [[None]]


def test_a_holder_whose_reading_was_ended_says_that_it_lost_the_lock(
    database: Database, driver: neo4j.Driver, impatient: Project
) -> None:
    """What the server tells a terminated reader is no matter of the connection."""
    look = "SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.role = 'look' RETURN transactionId"

    def lose_it_while_reading(workspace: Workspace) -> None:
        with workspace.locked(None):
            end_lock(driver)
            with workspace.database.asking("UNWIND range(1, 5000) AS i RETURN i") as result:
                ids = [each for (each,) in rows(driver, look)]
                driver.execute_query("TERMINATE TRANSACTIONS $ids YIELD message RETURN message", ids=ids)
                list(result)

    with impatient.migrator() as migrator, pytest.raises(LockLost, match="ended on the server"):
        lose_it_while_reading(migrator._workspace)


def test_first_use_ends_a_runner_that_was_stopped_in_it(impatient: Project, driver: neo4j.Driver) -> None:
    """No lock tells of it yet, and no time limit ends what changes the schema."""
    mine = {"app": "graphmigrate", "ledger": "of-another-team", "run": "stopped", "role": PREPARE}
    impatient.write(V1__a="CREATE (:A);")
    with (
        suppress(*DriverFailure),
        driver.session() as session,
        session.begin_transaction(metadata=mine) as tx,
    ):
        for statement in LEDGER_CONSTRAINTS.values():
            tx.run(statement).consume()
        assert [each.version for each in impatient.migrate().applied] == ["1"]
        tx.commit()
    made = "SHOW {} YIELD name, {} AS other WHERE name STARTS WITH '__graphmigrate' AND name = other RETURN count(*)"
    for kind, column in (("CONSTRAINTS", "ownedIndex"), ("INDEXES", "owningConstraint")):
        assert rows(driver, made.format(kind, column)) == [[len(LEDGER_CONSTRAINTS)]]


@pytest.mark.depends_on_version
def test_an_index_that_a_terminated_transaction_may_still_drop_is_left(
    project: Project, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neo4j drops it by its number when that transaction is rolled back at last: by then it could be another's."""
    project.write(V1__a="CREATE CONSTRAINT one FOR (n:One) REQUIRE n.id IS UNIQUE;")

    def die(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr("graphmigrate.migrations.runner.Runner.run", die)
        dying.setattr("graphmigrate.migrations.apply._end_unfinished", lambda *_: None)
        with pytest.raises(RuntimeError):
            project.migrate()
    with driver.session() as session:
        tx = session.begin_transaction(metadata={"of": "a person"})
        tx.run("CREATE CONSTRAINT one FOR (n:One) REQUIRE n.id IS UNIQUE").consume()
        theirs = "SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.of IS NOT NULL RETURN transactionId"
        ids = [each for (each,) in rows(driver, theirs)]
        driver.execute_query("TERMINATE TRANSACTIONS $ids YIELD message RETURN message", ids=ids)
        with pytest.raises(MigrationFailed, match="already exists"):
            project.migrate()
        tx.rollback()
    assert [each.version for each in project.migrate().applied] == ["1"]
    assert rows(
        driver, "SHOW INDEXES YIELD name, owningConstraint WHERE name = 'one' RETURN owningConstraint"
    ) == [["one"]]
