"""A folder without migrations: mounted wrongly, mistyped, or a project of seeds alone."""

from __future__ import annotations

import json
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import count

SEED = "MERGE (:Thing {id: 1});"


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    return Folder(tmp_path, neo4j_target.env)


def sow(project: Folder) -> None:
    (project.path / "seeds").mkdir()
    (project.path / "seeds" / "things.cypher.j2").write_text(SEED)


@pytest.mark.parametrize(
    "command", ["migrate", "plan", "validate", "validate --offline", "entrypoint -- true"]
)
def test_an_empty_folder_stops_and_the_hint_leads_out(project: Folder, command: str) -> None:
    first, *rest = command.split()
    refused = project.run(first, *rest)
    assert refused.returncode == 2
    said = refused.stdout + refused.stderr
    assert f"There is no migrations folder {project.path}/migrations." in said
    assert said.count("GM110") == 1
    assert "Is it mounted?" in said
    assert project.run(first, "--allow-empty", *rest).returncode == 0
    assert project.run(first, *rest, GRAPHMIGRATE_ALLOW_EMPTY="true").returncode == 0
    project.run("new", "first")  # the other way that the hint names
    (project.path / "migrations" / "V1__first.cypher").write_text("CREATE (:A);")
    assert project.run(first, *rest).returncode == 0


def test_a_named_folder_must_hold_migrations_whatever_seeds_there_are(project: Folder) -> None:
    sow(project)
    (project.path / "db").mkdir()
    process = project.run("migrate", "--migrations", "db")
    assert process.returncode == 2
    assert f"The folder {project.path}/db holds no migration file." in process.stderr


def test_seeds_alone_are_a_project(project: Folder, driver: neo4j.Driver) -> None:
    sow(project)
    process = project.run("entrypoint", "--seed", "--", "echo", "started")
    assert process.returncode == 0, process.stderr
    assert process.stdout == "started\n"
    assert f"There is no migrations folder {project.path}/migrations." in process.stderr
    assert "nothing to migrate, loaded 1 seed" in process.stderr
    assert project.run("seed").returncode == 0
    assert project.run("validate", "--offline").returncode == 0
    assert count(driver, "Thing") == 1


def test_a_history_without_any_file_is_one_finding_and_nothing_is_to_be_forgotten(project: Folder) -> None:
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);", V3__c="CREATE (:C);")
    assert project.run("migrate").returncode == 0
    for file in (project.path / "migrations").iterdir():
        file.unlink()
    for command in ("migrate", "validate", "plan --allow-empty", "repair", "status"):
        process = project.run(*command.split())
        said = process.stdout + process.stderr
        assert "--forget" not in said, command
        assert "mounted?" in said, command
        assert said.count("GM603") <= 1, command
    assert project.run("migrate", "--allow-empty").returncode == 6
    told = json.loads(project.run("status", "--output", "json").stdout)
    assert [each["state"] for each in told["rows"]] == ["missing"] * 3
    assert [each["message"] for each in told["problems"] if each["severity"] == "error"] == [
        "The history has V1 to V3, and there is no migration file at all."
    ]


def test_the_commands_that_never_mind(project: Folder) -> None:
    assert project.run("status").returncode == 0
    assert project.run("doctor").returncode == 0
    assert project.run("new", "first").returncode == 0
    assert (project.path / "migrations" / "V1__first.cypher").exists()
