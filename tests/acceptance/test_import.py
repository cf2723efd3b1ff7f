"""A person with a CSV file: import, migrate, seed, on a real Neo4j."""

from __future__ import annotations

import json
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import rows

PEOPLE = 'id;first name;born;zip\n1;Ann;2000-01-02;0123\n2;"Bob; the 2nd";;0456\n'


@pytest.fixture
def folder(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    (tmp_path / "people.csv").write_text(PEOPLE)
    return Folder(tmp_path, neo4j_target.env)


def test_a_csv_file_becomes_a_graph(folder: Folder, driver: neo4j.Driver) -> None:
    done = folder.run("import", "people.csv", "--label", "Person", "--key", "id", "--types")
    assert done.returncode == 0, done.stderr
    *files, last = done.stdout.splitlines()
    assert files == [
        "seeds/data/people.csv",
        "migrations/V1__person_id_unique.cypher",
        "seeds/people.cypher.j2",
    ]
    assert last == "Load it with: graphmigrate migrate && graphmigrate seed people"
    for command in (["migrate"], ["seed", "check", "--rows"], ["seed", "people"]):
        done = folder.run(*command)
        assert done.returncode == 0, done.stderr
        assert "without" not in done.stderr.lower()
    found = rows(
        driver, "MATCH (p:Person) RETURN p.id, p.`first name`, toString(p.born), p.zip ORDER BY p.id"
    )
    assert found == [[1, "Ann", "2000-01-02", "0123"], [2, "Bob; the 2nd", None, "0456"]]
    assert rows(
        driver, "SHOW CONSTRAINTS YIELD name, labelsOrTypes WHERE labelsOrTypes = ['Person'] RETURN name"
    ) == [["person_id_unique"]]


def test_a_second_import_of_the_same_file_changes_nothing(folder: Folder) -> None:
    arguments = ["import", "people.csv", "--label", "Person", "--key", "id"]
    done = folder.run(*arguments, "--output", "json")
    assert json.loads(done.stdout)["rows"] == 2
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    done = folder.run(*arguments)
    assert (done.returncode, "is there already" in done.stderr) == (2, True)
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before


def test_a_key_that_is_not_unique_is_told_with_its_line(folder: Folder) -> None:
    (folder.path / "people.csv").write_text(PEOPLE + "1;Cy;;\n")
    done = folder.run("import", "people.csv", "--label", "Person", "--key", "id")
    assert done.returncode == 2
    assert "people.csv:4:1" in done.stderr
    assert not (folder.path / "seeds").exists()
