"""repair, against a real server: runs that died, and words that do not fit."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, HistoryMismatch, MigrationFailed, UsageError
from tests.projects import Project, count, dump

FAILS = "UNWIND [0] AS i CREATE (:A {x: 1 / i});"
COPY = "UNWIND range(1, 3) AS i CALL (i) { CREATE (:Copy {x: 6 / (3 - i)}) } IN TRANSACTIONS OF 1 ROW;"
INDEX = "CREATE INDEX one FOR (n:One) ON (n.a);"
EVERY_NODE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS"


@pytest.fixture
def died(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A run that meant to apply V1 to V3 and died in V1; its record is open."""
    project.write(V1__a=FAILS, V2__b="CREATE (:B);", V3__c="CREATE (:C);")
    with monkeypatch.context() as patched:
        patched.setattr("graphmigrate.migrations.apply._end_unfinished", lambda *_: None)
        with pytest.raises(MigrationFailed):
            project.migrate()
    return project


def refused(project: Project, **words: list[str]) -> GraphMigrateError:
    with pytest.raises(UsageError) as caught:
        project.call("repair", **words)
    assert caught.value.error_code == "GM610"
    assert "Nothing was changed." in caught.value.message
    return caught.value


def test_what_a_dead_run_did_not_come_to_does_not_count_as_done(died: Project, driver: neo4j.Driver) -> None:
    (shown,) = died.call("repair").actions
    assert (shown.version, shown.done) == ("1", False)
    assert "died" in shown.finding
    assert "came to it" in refused(died, done=["V3"]).message
    assert "came to it" in refused(died, rerun=["V1"], done=["V3"]).message
    assert [each.version for each in died.call("repair").actions] == ["1"]
    told = died.call("repair", done=["V1", "V2"]).actions
    assert [(each.version, each.done) for each in told] == [("1", True), ("2", True)]
    assert [each.version for each in died.migrate().applied] == ["3"]
    assert (count(driver, "B"), count(driver, "C")) == (0, 1)


def test_while_a_run_has_not_ended_what_needs_no_database_is_checked(died: Project) -> None:
    died.write(V4__key="CREATE CONSTRAINT k FOR (n:K) REQUIRE n.a IS NOT NULL;", V5__all=f"{EVERY_NODE};")
    wanted = {"GM211", "GM205", "GM520", "GM221"}
    assert {each.code for each in died.call("plan").problems} >= wanted
    told = [each.code for each in died.call("validate")]
    assert set(told) >= wanted
    assert told.count("GM211") == 1


def test_nothing_is_committed_where_one_word_does_not_fit(died: Project, driver: neo4j.Driver) -> None:
    for word in ("done", "rerun"):
        refused(died, **{word: ["V1"]}, accept=["V9"])
        assert [each.version for each in died.call("repair").actions] == ["1"]
    assert count(driver, "__GraphMigrateMigration") == 0
    died.write(V1__a="CREATE (:A);")
    assert [each.version for each in died.migrate().applied] == ["1", "2", "3"]


def test_done_is_said_of_the_announced_statement_only(project: Project, driver: neo4j.Driver) -> None:
    text = f"CREATE (:A);\n{COPY}\nCREATE (:B);"
    project.write(V7__a=text)
    with pytest.raises(MigrationFailed):
        project.migrate()
    project.write(V7__a=f"CREATE (:A);\n{INDEX}\n{COPY}\nCREATE (:B);")
    before = dump(driver)
    with pytest.raises(HistoryMismatch) as caught:
        project.call("repair", done=["V7"])
    assert caught.value.error_code == "GM605"
    assert dump(driver) == before
    project.write(V7__a=f"CREATE (:A);\n{COPY}\n{INDEX}\nCREATE (:B);")
    project.call("repair", done=["V7"])
    project.migrate()
    assert (count(driver, "A"), count(driver, "Copy"), count(driver, "B")) == (1, 2, 1)
    assert project.call("status").clean
    assert project.call("repair").actions == ()


def test_an_edit_that_only_leaves_our_nodes_out_is_accepted(project: Project, driver: neo4j.Driver) -> None:
    """Of an applied migration, and of one that is applied in part; any other edit of what is committed is refused."""
    text = (
        "// graphmigrate: transaction statement\n{}\nCREATE (:A);\nUNWIND [{}] AS i CREATE (:B {{x: 1 / i}});"
    )
    project.write(
        V1__a="MATCH (n) SET n.seen = 1;",
        V2__b=text.format("MATCH (n) WHERE n.x = 1 OR n.y = 1 SET n.z = 1;", 0),
    )
    with pytest.raises(MigrationFailed):
        project.migrate()
    left_out = "MATCH (n) WHERE NOT n:__GraphMigrate AND (n.x = 1 OR n.y = 1) SET n.z = 1;"
    project.write(
        V2__b=text.format("MATCH (n) WHERE NOT n:__GraphMigrate AND (n.x = 1 OR n.y = 2) SET n.z = 1;", 1)
    )
    assert "half-applied one to which only" in refused(project, accept=["V2"]).message
    project.write(
        V1__a="MATCH (n) WHERE NOT n:__GraphMigrate SET n.seen = 1;", V2__b=text.format(left_out, 1)
    )
    assert [each.resolution for each in project.call("repair").actions] == [
        "graphmigrate repair --accept V1",
        "Only what leaves graphmigrate's own nodes out was added: graphmigrate repair --accept V2",
    ]
    project.call("repair", accept=["V1", "V2"])
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert (count(driver, "A"), count(driver, "B")) == (1, 1)
    assert project.call("status").clean
    assert project.call("repair").actions == ()
