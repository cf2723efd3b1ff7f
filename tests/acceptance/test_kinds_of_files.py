"""Every kind of file through the command: plan, plan --execute, migrate, status, run."""

from __future__ import annotations

import json
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import count, write_migrations


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    return Folder(tmp_path, neo4j_target.env)


def test_every_kind_of_file(project: Folder, driver: neo4j.Driver) -> None:
    write_migrations(
        project.path,
        **{
            "V1__people": "UNWIND range(1, 1200) AS i CREATE (:Person {id: i});\nMATCH (p:Person) SET p.a = 1, p.b = 2;",
            "deep/V2__code.py": "def upgrade(tx):\n    print('printed')\n    tx.run('CREATE (:Code)')\n",
            "R__views": "MERGE (:View {id: 1});",
            "afterMigrate__counts": "MERGE (c:Counts) SET c.people = COUNT { (:Person) };",
        },
    )
    planned = project.run("plan", "--execute")
    assert planned.returncode == 0, planned.stderr
    assert "V1 statement 2: 2,400 properties" in planned.stdout
    assert "V2 statement 1: not run: code may do more than its transaction" in planned.stdout
    assert "code, not checked" in planned.stdout
    assert "afterMigrate__counts.cypher runs around the migrations" in planned.stdout
    assert "everything was rolled back" in planned.stderr
    assert count(driver, "Person") == count(driver, "__GraphMigrate") == 0
    executed = json.loads(project.run("plan", "--execute", "--output", "json").stdout)["executed"]
    assert [each["changes"] for each in executed][1] == {"properties_set": 2400}
    migrated = project.run("migrate", "--output", "json")
    assert migrated.returncode == 0, migrated.stderr
    assert [each["version"] for each in json.loads(migrated.stdout)["applied"]] == ["1", "2", "R__views"]
    assert "printed" in migrated.stderr
    assert "applied R__views (" in migrated.stderr
    status = project.run("status")
    assert "R__views" in status.stdout
    (project.path / "fix.cypher").write_text("MATCH (c:Counts) SET c.fixed = true;")
    ran = project.run("run", "fix.cypher")
    assert ran.returncode == 0
    assert "Ran 1 statement of fix.cypher in" in ran.stderr
    assert project.run("run", "gone.cypher").returncode == 2
