"""``adopt``, as a person types it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    (tmp_path / "migrations").mkdir()
    return Folder(tmp_path, neo4j_target.env)


def test_a_history_is_shown_and_taken_over(project: Folder, driver: neo4j.Driver) -> None:
    driver.execute_query(
        "CREATE (:SchemaMigration {version: 2, dirty: false, ts: datetime('2026-01-02T03:04:05Z')})"
    )
    project.write(V1__first="CREATE (:A);", V2__second="CREATE (:B);", V3__third="CREATE (:C);")
    shown = project.run("adopt", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines() == [
        "V1  first   2026-01-02 03:04  V1__first.cypher   not compared",
        "V2  second  2026-01-02 03:04  V2__second.cypher  not compared",
    ]
    assert "Would adopt 2 versions of golang-migrate" in shown.stderr
    adopted = project.run("adopt", "--output", "json")
    assert [each["version"] for each in json.loads(adopted.stdout)["adopted"]] == ["1", "2"]
    assert "Nothing to do" in project.run("adopt").stderr
    assert "applied V3 third" in project.run("migrate").stderr


def test_where_there_is_nothing_to_adopt_the_hint_says_so(project: Folder) -> None:
    refused = project.run("adopt")
    assert refused.returncode == 2
    assert "nodestream, runic, Liquibase and morpheus are not read" in refused.stderr


def test_a_folder_of_scripts_gets_names_that_are_read(project: Folder) -> None:
    folder = project.path / "migrations"
    for name in (
        "001_users.cypher",
        "002-add-index.up.cql",
        "002-add-index.down.cql",
        "v10.orders.cypher",
        "README.md",
    ):
        (folder / name).write_text("RETURN 1;\n")
    before = sorted(each.name for each in folder.iterdir())
    asked = project.run("adopt", "--rename", "migrations")
    assert asked.returncode == 2
    assert "git mv migrations/001_users.cypher migrations/V001__users.cypher" in asked.stderr
    assert "--yes" in asked.stderr
    assert sorted(each.name for each in folder.iterdir()) == before
    done = project.run("adopt", "--rename", "migrations", "--yes")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    assert sorted(each.name for each in folder.iterdir()) == [
        "README.md",
        "U002__add-index.cypher",
        "V001__users.cypher",
        "V002__add-index.cypher",
        "V10__orders.cypher",
    ]
    assert "Nothing was renamed" in project.run("adopt", "--rename", "migrations", "--yes").stderr


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (("1_a.cypher", "01_b.cypher"), "GM112", "would both be V1"),
        (("1_a.cypher", "b.cypher"), "GM113", "b.cypher has no version"),
        (("notes.txt",), "GM110", "holds no script"),
    ],
)
def test_names_that_do_not_say_an_order_change_nothing(
    project: Folder, names: tuple[str, ...], code: str, said: str
) -> None:
    for name in names:
        (project.path / "migrations" / name).write_text("RETURN 1;\n")
    refused = project.run("adopt", "--rename", "migrations", "--yes")
    assert refused.returncode == 2
    assert f"error[{code}]" in refused.stderr
    assert said in refused.stderr
    assert {each.name for each in (project.path / "migrations").iterdir()} == set(names)


def test_every_name_that_says_no_order_is_told_at_once_and_the_hints_lead_on(project: Folder) -> None:
    folder = project.path / "migrations"
    for name in ("4_a.cypher", "4_b.cypher", "05_a.cypher", "5_b.cypher", "6_c.cypher"):
        (folder / name).write_text("RETURN 1;\n")
    refused = project.run("adopt", "--rename", "migrations", "--yes")
    assert refused.stderr.count("error[GM112]") == 2
    for old, new in re.findall(r"Rename (\S+), to (\S+) for example", refused.stderr):
        (folder / old).rename(folder / new)
    assert project.run("adopt", "--rename", "migrations", "--yes").returncode == 0
    assert sorted(each.name for each in folder.iterdir()) == [
        "V05__a.cypher",
        "V4.1__b.cypher",
        "V4__a.cypher",
        "V5.1__b.cypher",
        "V6__c.cypher",
    ]
    assert project.run("validate", "--offline").returncode == 0


def test_names_without_numbers_are_numbered_in_their_order(project: Folder) -> None:
    for name in ("users.cypher", "add orders.cypher"):
        (project.path / "migrations" / name).write_text("RETURN 1;\n")
    shown = project.run("adopt", "--rename", "migrations", "--dry-run")
    assert shown.stdout.splitlines() == [
        "git mv 'migrations/add orders.cypher' migrations/V1__add_orders.cypher",
        "git mv migrations/users.cypher migrations/V2__users.cypher",
    ]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (3, "Marked 3 versions as already there: V1, V2, V3."),
        (30, "Marked 30 versions as already there: V1 to V30."),
    ],
)
def test_a_baseline_names_a_few_versions_and_of_many_the_ends(
    project: Folder, driver: neo4j.Driver, files: int, told: str
) -> None:
    project.write(**{f"V{number}__a": "CREATE (:A);" for number in range(1, files + 1)})
    said = project.run("baseline", str(files)).stderr
    assert told in said
    assert f"repair --forget V1..V{files}" in said


def test_the_present_schema_becomes_the_first_migration(project: Folder, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE INDEX found FOR (n:A) ON (n.x)")
    done = project.run("baseline", "--from-database", "--as", "V41")
    assert (done.returncode, done.stdout) == (0, "migrations/V41__as_found.cypher\n"), done.stderr
    assert "Marked 1 version as already there: V41." in done.stderr
    assert "Nothing to do: the schema is at version 41" in project.run("migrate").stderr
    for wrong in (["baseline", "V1", "--from-database"], ["baseline", "V1", "--as", "V2"], ["baseline"]):
        assert project.run(*wrong).returncode == 2
