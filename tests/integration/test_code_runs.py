"""Migrations in Python against a real server: one transaction with the row, batches, and what users get wrong."""

from __future__ import annotations

import sys

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, HistoryMismatch, MigrationFailed, ProjectError
from graphmigrate.events import BatchDone, Warned
from graphmigrate.results import State
from tests.projects import Project, count, rows

BATCHES = """
from graphmigrate import batches

@batches(rows=400)
def upgrade(tx):
    return tx.run("MATCH (p:Person) WHERE p.seen IS NULL LIMIT $rows SET p.seen = $value RETURN count(p)", value=1).value()
"""


def write(project: Project, **files: str) -> Project:
    for name, text in files.items():
        path = project.folder / "migrations" / f"{name.replace('___', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return project


def refused(project: Project, kind: type[GraphMigrateError]) -> GraphMigrateError:
    with pytest.raises(kind) as caught:
        project.migrate()
    return caught.value


def test_it_commits_with_its_row_and_is_never_imported_by_plan(
    project: Project, driver: neo4j.Driver
) -> None:
    write(
        project,
        V1__names="""
import sys
sys.graphmigrate_was_here = getattr(sys, "graphmigrate_was_here", 0) + 1
print("printed")
def upgrade(tx):
    created = tx.run("CREATE (p:Person {name: $name}) RETURN p.name AS name, 1 AS one", {"name": "Ada"})
    assert created.single()["name"] == created.value() == "Ada" and created.value("one") == 1
    assert created.data() == [{"name": "Ada", "one": 1}] and created.summary.counters.nodes_created == 1
    assert tx.run("MATCH (n:Nobody) RETURN n").single() is None
""",
    )
    project.write(V2__after="MATCH (p:Person) SET p.after = true;")
    planned = project.call("plan")
    assert [(each.kind, each.text) for each in planned.migrations[0].statements] == [
        ("code", "def upgrade(tx): code, not checked")
    ]
    assert project.call("validate") == planned.problems == ()
    assert project.call("status").rows[0].state is State.PENDING
    assert not hasattr(sys, "graphmigrate_was_here")
    assert [each.version for each in project.migrate().applied] == ["1", "2"]
    assert project.migrate().applied == ()
    assert sys.__dict__.pop("graphmigrate_was_here") == 1
    assert rows(driver, "MATCH (p:Person) RETURN p.name, p.after") == [["Ada", True]]
    assert project.call("status").rows[0].type == "python"


def test_batches_commit_one_by_one_until_it_returns_0(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("UNWIND range(1, 1000) AS i CREATE (:Person {id: i})")
    write(project, V1__seen=BATCHES).migrate()
    assert rows(driver, "MATCH (p:Person) RETURN DISTINCT p.seen") == [[1]]
    assert [each.changes for each in project.events if isinstance(each, BatchDone)] == [400, 400, 200]
    assert rows(driver, "MATCH (m:__GraphMigrateMigration) RETURN m.state, m.batches, m.commits") == [
        ["applied", 0, 4]
    ]


def test_batches_that_claim_work_and_change_nothing_end(project: Project) -> None:
    write(project, V1__seen=BATCHES.replace("return tx", "tx").replace(".value()", "") + "    return 5\n")
    error = refused(project, MigrationFailed)
    assert error.error_code == "GM505"
    assert "upgrade of V1 returned 5, but the last 3 batches changed nothing" in error.message
    write(project, V1__seen=BATCHES.replace("return tx", "tx"))
    error = refused(project, HistoryMismatch)  # what begun is another text now
    assert error.error_code == "GM605"
    project.call("repair", rerun=["V1"])
    error = refused(project, MigrationFailed)
    assert "returns how many rows it changed, not None" in error.message


def test_an_error_shows_the_users_own_frames(project: Project, driver: neo4j.Driver) -> None:
    text = 'DEPENDS = ["helpers/names.py"]\nfrom helpers.names import clean\n\ndef upgrade(tx):\n    tx.run("CREATE (:Person)")\n'
    write(
        project,
        V1__names=text + "    clean(tx, {})\n",
        helpers___names='def clean(tx, row):\n    return row["name"]\n',
    )
    error = refused(project, MigrationFailed)
    assert error.message == "V1__names.py raised KeyError: 'name'"
    assert error.place
    assert (error.place.file.rpartition("/")[2], error.place.line) == ("names.py", 2)
    called = [line for line in (error.hint or "").splitlines() if line.startswith("Called from")]
    assert len(called) == 1
    assert called[0].endswith("migrations/V1__names.py:6")
    assert count(driver, "Person") == 0
    write(project, helpers___names='def clean(tx, row):\n    return tx.run("MATCH (n) RETURN nothing")\n')
    error = refused(project, MigrationFailed)
    assert "Neo.ClientError.Statement.SyntaxError" in error.message
    assert error.place
    assert error.place.file.endswith("names.py")
    write(project, helpers___names="def clean(tx, row):\n    pass\n")
    project.migrate()
    write(project, helpers___names="def clean(tx, row):\n    return 1\n")
    assert project.call("status").rows[0].state is State.CHANGED  # its helper counts


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("tx._CodeTransaction__transaction.commit()", "ended its transaction itself"),
        ("tx._CodeTransaction__transaction.rollback()", "ended its transaction itself"),
        ("tx.run('MATCH (n:__GraphMigrate) DETACH DELETE n')", None),
        ("raise SystemExit(3)", "raised SystemExit: 3"),
        ("upgrade(tx)", "raised RecursionError"),
        ("tx.commit()", "has no attribute 'commit'"),
        ("import other_helper", "which DEPENDS does not name"),
        ("import nothing_like_it", "raised ModuleNotFoundError"),
        ("tx.run('CREATE INDEX an_index FOR (p:Person) ON (p.name)')", "Neo.ClientError"),
    ],
)
def test_what_code_must_not_do(
    project: Project, driver: neo4j.Driver, body: str, message: str | None
) -> None:
    write(project, other_helper="")
    first = body if body.startswith("import") else ""
    write(project, V1__bad=f"{first}\ndef upgrade(tx):\n    tx.run('CREATE (:Person)')\n    {body}\n")
    if message is None:  # the bookkeeping nodes are put back
        assert len(project.migrate().applied) == 1
        assert any(isinstance(each, Warned) for each in project.events)
        assert project.migrate().applied == ()
        return
    error = refused(project, MigrationFailed)
    assert message in error.message
    if ".commit()" not in body or body == "tx.commit()":
        assert count(driver, "Person") == 0
        assert count(driver, "__GraphMigrateMigration") == 0
        return
    error = refused(project, HistoryMismatch)  # what it committed itself is not taken for a whole migration
    assert error.error_code == "GM606"
    project.call("repair", done=["V1"])
    assert project.migrate().applied == ()


def test_nothing_runs_where_a_file_is_wrong(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__first="CREATE (:Person);")
    write(project, V2__bad="def upgrade(tx)\n    pass\n")
    error = refused(project, ProjectError)
    assert "does not compile" in error.message
    assert error.place
    assert error.place.line == 1
    assert count(driver, "Person") == 0
