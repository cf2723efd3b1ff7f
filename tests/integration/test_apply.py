"""migrate, against a real server."""

from __future__ import annotations

import threading
from pathlib import Path

import neo4j
import pytest

from graphmigrate.errors import (
    ConnectionFailed,
    GraphMigrateError,
    HistoryMismatch,
    MigrationFailed,
    PreflightError,
    ProjectError,
    UsageError,
)
from graphmigrate.events import MigrationApplied
from graphmigrate.migrator import Migrator
from graphmigrate.results import State
from tests.projects import Project, count, dump, rows

CONSTRAINT = "CREATE CONSTRAINT person_id IF NOT EXISTS FOR (p:Person) REQUIRE p.id IS UNIQUE;"
INDEX = "CREATE INDEX person_name IF NOT EXISTS FOR (p:Person) ON (p.name);"
DATA = "UNWIND range(1, 10) AS id CREATE (:Person {id: id, name: 'p' + id});"


def names(driver: neo4j.Driver) -> set[str]:
    found = rows(driver, "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name")
    return {name for (name,) in found if not name.startswith("__graphmigrate")}


@pytest.mark.depends_on_version
def test_applies_in_order_of_version_then_finds_nothing_to_do(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__constraint=CONSTRAINT, V10__more="CREATE (:Last {n: 10});", V2__data=DATA)
    result = project.migrate()
    assert [each.version for each in result.applied] == ["1", "2", "10"]
    assert result.version == "10"
    assert count(driver, "Person") == 10
    assert names(driver) == {"person_id"}
    before = dump(driver, volatile=True)
    assert project.migrate().applied == ()
    assert dump(driver, volatile=True) == before


@pytest.mark.depends_on_version
def test_mixed_file_of_ddl_and_data_in_any_order(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__mixed="\n".join(
            [DATA, CONSTRAINT, INDEX, "MATCH (p:Person) SET p.seen = true;", "DROP INDEX person_name;"]
        )
    )
    project.migrate()
    assert rows(driver, "MATCH (p:Person) WHERE p.seen RETURN count(p)") == [[10]]
    assert names(driver) == {"person_id"}
    assert rows(driver, "MATCH (m:__GraphMigrateMigration) RETURN m.key, m.step, m.steps, m.state") == [
        ["default/migration/1@1", 4, 4, "applied"]
    ]


@pytest.mark.depends_on_version
def test_labels_that_an_expression_gives_are_no_parameters(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__nodes="CREATE (:A), (:B), (:A:C);",
        V2__some="MATCH (n:$any(['A', 'B'])) SET n.some = true;\nMATCH (n:$all(['A', 'C'])) SET n.each = true;",
    )
    project.migrate()
    assert rows(driver, "MATCH (n) WHERE n.some RETURN count(n)") == [[3]]
    assert rows(driver, "MATCH (n) WHERE n.each RETURN labels(n)") == [[["A", "C"]]]


@pytest.mark.depends_on_version
def test_a_procedure_about_the_server_stands_among_data(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__a="CALL dbms.components();\nCALL dbms.components() YIELD name CREATE (:Server {name: name});"
    )
    project.migrate()
    components, _, _ = driver.execute_query("CALL dbms.components()")
    assert count(driver, "Server") == len(components) > 0


@pytest.mark.depends_on_version
def test_drop_and_recreate_under_one_name(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__make=CONSTRAINT,
        V2__again="DROP CONSTRAINT person_id;\nCREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.ssn IS UNIQUE;",
    )
    project.migrate()
    found = rows(driver, "SHOW CONSTRAINTS YIELD name, properties WHERE name = 'person_id' RETURN properties")
    assert found == [[["ssn"]]]


def test_every_stored_node_of_ours_has_the_common_label_and_no_relationship(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a=CONSTRAINT, V2__b=DATA)
    project.migrate()
    project.write(V3__c=INDEX)
    project.migrate()
    kinds = "MATCH (n:__GraphMigrate) WHERE NOT (n)--() UNWIND labels(n) AS label RETURN label, count(*) ORDER BY label"
    assert rows(driver, kinds) == [
        ["__GraphMigrate", 6],
        ["__GraphMigrateLedger", 1],
        ["__GraphMigrateMigration", 3],
        ["__GraphMigrateRun", 2],
    ]
    assert rows(
        driver, "SHOW CONSTRAINTS YIELD labelsOrTypes WHERE labelsOrTypes[0] STARTS WITH '__' RETURN count(*)"
    ) == [[2]]
    timed = "MATCH (m:__GraphMigrateMigration) WHERE m.execution_time IS NOT NULL RETURN count(m)"
    assert rows(driver, timed) == [[3]]


@pytest.mark.depends_on_version
def test_a_syntax_error_in_the_last_file_stops_before_the_first_statement(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a=CONSTRAINT, V2__b=DATA, V3__c="// c\nMATCH (n) RETRUN n;\n\nCREATE (:A) BAD;")
    before = dump(driver, volatile=True)
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    assert [(each.place.line, each.place.column) for each in caught.value.problems if each.place] == [
        (2, 11),
        (4, 13),
    ]
    assert dump(driver, volatile=True) == before


@pytest.mark.depends_on_version
def test_a_failing_statement_rolls_its_segment_back_and_keeps_the_rest(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a=CONSTRAINT, V2__b=DATA, V3__c="CREATE (:Other);\nCREATE (:Person {id: 1});")
    with pytest.raises(MigrationFailed) as caught:
        project.migrate()
    assert caught.value.place
    assert caught.value.place.line == 2
    assert count(driver, "Other") == 0
    assert count(driver, "Person") == 10
    (project.folder / "migrations/V3__c.cypher").write_text("CREATE (:Other);")
    assert [each.version for each in project.migrate().applied] == ["3"]


def test_a_mended_file_continues_after_its_committed_segments(project: Project, driver: neo4j.Driver) -> None:
    path = project.folder / "migrations/V1__a.cypher"
    path.write_text("CREATE (:Once);\n" + CONSTRAINT + "\nCREATE (:Person {id: 1}), (:Person {id: 1});")
    with pytest.raises(MigrationFailed):
        project.migrate()
    (row,) = project.call("status").rows
    assert row.state is State.FAILED
    path.write_text("CREATE (:Twice);\n" + CONSTRAINT + "\nCREATE (:Person {id: 1});")
    with pytest.raises(HistoryMismatch, match="statement 1 is committed, and is another one now"):
        project.migrate()
    path.write_text("CREATE (:Once);\n" + CONSTRAINT + "\nCREATE (:Person {id: 1});")
    project.migrate()
    assert (count(driver, "Once"), count(driver, "Twice"), count(driver, "Person")) == (1, 0, 1)


def test_a_ledger_whose_name_begins_like_another_has_a_history_of_its_own(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a="CREATE (:A);")
    for ledger in ("team", "team2", "tea"):
        with Migrator(driver=driver, migrations=project.folder / "migrations", ledger=ledger) as migrator:
            assert [each.state for each in migrator.status().rows] == [State.PENDING]
            if ledger != "tea":
                assert len(migrator.migrate().applied) == 1
            assert len(migrator.status().rows) == 1
    assert count(driver, "A") == 2


def test_of_wrong_files_and_no_server_the_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for method in ("migrate", "plan", "status"):
        with Migrator(uri="bolt://127.0.0.1:1", migrations=tmp_path / "file") as migrator:
            with pytest.raises(ProjectError) as raised:
                getattr(migrator, method)()
            assert raised.value.error_code == "GM110"
        with (
            Migrator(uri="bolt://127.0.0.1:1", migrations=tmp_path, allow_empty=True) as migrator,
            pytest.raises(ConnectionFailed),
        ):
            getattr(migrator, method)()


@pytest.mark.depends_on_version
def test_two_runners_at_once_apply_everything_once(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a=CONSTRAINT, V2__b="UNWIND range(1, 20000) AS i CREATE (:Row {i: i});", V3__c=INDEX)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            project.migrate()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(driver, "Row") == 20_000
    assert sum(isinstance(event, MigrationApplied) for event in project.events) == 3


@pytest.mark.depends_on_version
def test_deleting_everything_leaves_the_history(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a=DATA, V2__b="MATCH (n) DETACH DELETE n;")
    project.migrate()
    assert count(driver, "Person") == 0
    assert count(driver, "__GraphMigrateMigration") == 2
    assert project.call("status").clean


@pytest.mark.depends_on_version
def test_a_guarded_create_that_would_be_a_silent_no_op_is_named(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query("CREATE INDEX person_name FOR (p:Person) ON (p.surname)")
    project.write(V1__a=INDEX)
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    assert "person_name" in str(caught.value)
    assert count(driver, "__GraphMigrateMigration") == 0


@pytest.mark.depends_on_version
def test_reading_commands_write_nothing(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a=CONSTRAINT)
    empty = dump(driver, volatile=True)
    for command in ("plan", "status", "validate"):
        project.call(command)
    assert dump(driver, volatile=True) == empty
    project.migrate()
    project.write(V2__b=DATA)
    before = dump(driver, volatile=True)
    for command in ("plan", "status", "validate"):
        project.call(command)
    assert dump(driver, volatile=True) == before


def test_edited_missing_and_late_files_are_each_refused_and_resolved(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);", V4__d="CREATE (:D);")
    project.migrate()
    folder = project.folder / "migrations"
    (folder / "V1__a.cypher").write_text("CREATE (:A2);")
    (folder / "V2__b.cypher").unlink()
    project.write(V3__c="CREATE (:C);")
    with pytest.raises(HistoryMismatch) as caught:
        project.migrate()
    assert [each.code for each in caught.value.problems] == ["GM602", "GM603", "GM604"]
    states = {row.version: row.state for row in project.call("status").rows}
    assert states == {"1": State.CHANGED, "2": State.MISSING, "3": State.OUT_OF_ORDER, "4": State.APPLIED}
    assert [(each.version, each.done) for each in project.call("repair").actions] == [
        ("1", False),
        ("2", False),
        ("3", False),
    ]
    project.call("repair", accept=["V1"], forget=["2"])
    assert [each.version for each in project.migrate(allow_out_of_order=True).applied] == ["3"]
    assert (count(driver, "A2"), count(driver, "C")) == (0, 1)
    assert project.call("status").clean


def test_baseline_marks_without_running(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);", V3__c="CREATE (:C);")
    assert project.call("baseline", "2").marked == ("1", "2")
    project.migrate()
    assert (count(driver, "A"), count(driver, "B"), count(driver, "C")) == (0, 0, 1)


def test_a_baseline_that_was_too_high_can_be_forgotten(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);")
    assert project.call("baseline", "1").marked == ("1",)
    with pytest.raises(UsageError, match=r"There is no migration V70 in .*; nothing was marked"):
        project.call("baseline", "70")
    assert project.call("baseline", "70", without_files=True).marked == ("2", "70")
    project.call("repair", forget=["2..70"])
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert (count(driver, "A"), count(driver, "B")) == (0, 1)


def test_a_baseline_hides_no_file_that_comes_later(project: Project, driver: neo4j.Driver) -> None:
    project.write(V41__a="CREATE (:A);")
    project.call("baseline", "41")
    project.write(V30__late="CREATE (:Late);")
    for command in ("status", "plan"):
        assert [each.code for each in project.call(command).problems] == ["GM604"]
    assert [each.code for each in project.call("validate")] == ["GM604"]
    with pytest.raises(HistoryMismatch, match=r"V30__late\.cypher is new"):
        project.migrate()
    assert [each.version for each in project.migrate(allow_out_of_order=True).applied] == ["30"]
    assert (count(driver, "A"), count(driver, "Late")) == (0, 1)


def test_a_target_may_be_a_number(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);", V10__c="CREATE (:C);")
    assert [each.version for each in project.migrate(target=2).applied] == ["1", "2"]
    assert count(driver, "C") == 0
    with pytest.raises(GraphMigrateError) as caught:
        project.migrate(target=3)
    assert caught.value.exit_code == 2
    assert "3" in caught.value.message
    assert caught.value.hint
    assert count(driver, "C") == 0


def test_target_version_is_inclusive(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);")
    assert [each.version for each in project.migrate(target="1").applied] == ["1"]
    assert [each.version for each in project.migrate().applied] == ["2"]


@pytest.mark.depends_on_version
def test_conditions(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__enterprise="// assume that edition is enterprise\nCREATE CONSTRAINT k FOR (n:K) REQUIRE n.a IS NOT NULL;",
        V2__data="CREATE (:A);",
        V3__query="// assume q' MATCH (a:Nothing) RETURN count(a) > 0\nCREATE (:B);",
        V4__assert="// assert q' MATCH (a:A) RETURN count(a) = 1\nCREATE (:C);",
    )
    result = project.migrate()
    assert [each.version for each in result.applied] == ["2", "4"]
    assert [each.version for each in result.skipped] == ["1", "3"]
    before = dump(driver, volatile=True)
    states = {row.version: row.state for row in project.call("status").rows}
    assert states["1"] is State.SKIPPED
    assert project.migrate().applied == ()
    assert dump(driver, volatile=True) == before
    project.write(V5__assert="// assert that edition is enterprise\nCREATE (:D);")
    with pytest.raises(MigrationFailed):
        project.migrate()
    assert count(driver, "D") == 0


@pytest.mark.depends_on_version
def test_enterprise_constraint_on_community_is_found_before_anything_runs(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE CONSTRAINT k FOR (n:K) REQUIRE n.a IS NOT NULL;")
    with pytest.raises(PreflightError, match="Community"):
        project.migrate()
    assert count(driver, "A") == 0
