"""Repeatable migrations: after all versions, by name, and again whenever their text changed."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import HistoryMismatch, MigrationFailed
from graphmigrate.results import State
from tests.projects import Project, rows


def applied(project: Project) -> list[str]:
    return [each.version for each in project.migrate().applied]


def run(number: int) -> str:
    return f"MERGE (v:View {{name: 'a'}}) SET v.text = {number}, v.runs = coalesce(v.runs, 0) + 1;"


def keys(driver: neo4j.Driver) -> list[str]:
    found = rows(driver, "MATCH (m:__GraphMigrateMigration) RETURN m.key, m.type ORDER BY m.rank")
    return [f"{key.removeprefix('default/migration/')} {kind}" for key, kind in found]


def test_they_run_after_all_versions_and_again_when_changed(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        R__views=run(1), R__b_last="CREATE (:Last);", V2__two="CREATE (:Two);", R1__one="CREATE (:One);"
    )
    assert applied(project) == ["1", "2", "R__b_last", "R__views"]
    assert applied(project) == []
    project.write(R__views=run(2), R1__one="CREATE (:One {again: true});", V3__three="CREATE (:Three);")
    states = {row.version: row.state for row in project.call("status").rows}
    assert states == {
        "1": State.PENDING, "2": State.APPLIED, "3": State.PENDING,
        "R__b_last": State.APPLIED, "R__views": State.PENDING,
    }  # fmt: skip
    assert [each.version for each in project.call("plan").migrations] == ["1", "3", "R__views"]
    assert applied(project) == ["1", "3", "R__views"]
    assert rows(driver, "MATCH (v:View) RETURN v.text, v.runs") == [[2, 2]]
    assert keys(driver) == [
        "1@1 repeatable", "2@1 cypher", "R__b_last@1 repeatable", "R__views@1 repeatable",
        "1@2 repeatable", "3@1 cypher", "R__views@2 repeatable",
    ]  # fmt: skip
    assert project.call("validate") == ()
    assert project.call("status").clean
    assert project.migrate().version == "3"  # the highest version; a name is none


def test_an_interrupted_one_goes_on_where_it_stopped(project: Project, driver: neo4j.Driver) -> None:
    project.write(R__views=run(1))
    project.migrate()
    index = "CREATE INDEX view_name IF NOT EXISTS FOR (v:View) ON (v.name);"
    project.write(R__views=f"{run(2)}\n{index}\nUNWIND [0] AS i CREATE (:A {{x: 1 / i}});")
    with pytest.raises(MigrationFailed):
        project.migrate()
    assert rows(driver, "MATCH (v:View) RETURN v.text, v.runs") == [[2, 2]]
    (row,) = project.call("status").rows
    assert (row.state, row.version) == (State.FAILED, "R__views")
    project.write(R__views=f"{run(2)}\n{index}\nCREATE (:A);")
    assert applied(project) == ["R__views"]
    assert rows(driver, "MATCH (v:View) RETURN v.text, v.runs") == [[2, 2]]
    assert keys(driver) == ["R__views@1 repeatable", "R__views@2 repeatable"]


def test_what_repair_says_of_them(project: Project, driver: neo4j.Driver) -> None:
    project.write(R__views=run(1), V1__one="CREATE (:One);")
    project.migrate()
    project.write(R__views=run(2))
    project.migrate()
    project.write(R__views=run(3))
    project.call("repair", accept=["R__views"])
    assert applied(project) == []
    assert rows(driver, "MATCH (v:View) RETURN v.text, v.runs") == [[2, 2]]
    (project.folder / "migrations" / "R__views.cypher").unlink()
    with pytest.raises(HistoryMismatch) as caught:
        project.migrate()
    assert caught.value.error_code == "GM603"
    assert "repair --forget R__views" in (caught.value.hint or "")
    project.call("repair", forget=["R__views"])
    assert keys(driver) == ["1@1 cypher"]
    project.write(R__views=run(4))
    assert applied(project) == ["R__views"]
    assert keys(driver)[1] == "R__views@3 repeatable"


def test_a_version_comes_late_whatever_repeatables_are_applied(project: Project) -> None:
    project.write(R__views=run(1))
    project.migrate()
    project.write(V1__one="CREATE (:One);")
    assert applied(project) == ["1"]
    assert project.call("baseline", "1").marked == ()
    assert project.call("plan", target="1").migrations == ()
