"""The container for other people's tests."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from graphmigrate.errors import MigrationFailed
from tests.containers import NEO4J, ROOT, require_images, run


@pytest.mark.docker
@pytest.mark.timeout(600)
def test_a_container_is_migrated_seeded_and_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_images(NEO4J)
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")  # its reaper is one more image to pull
    monkeypatch.delenv("NEO4J_PASSWORD", raising=False)
    from graphmigrate.testing.container import IMAGE, GraphMigrateNeo4jContainer

    assert IMAGE == NEO4J
    made = (
        GraphMigrateNeo4jContainer()
        .with_migrations(ROOT / "migrations")
        .with_seeds(ROOT / "seeds", profile="ci")
    )
    with made as neo4j, neo4j.get_driver() as driver:
        name = neo4j.get_wrapped_container().name
        assert neo4j.migrated
        assert [each.version for each in neo4j.migrated.applied] == ["1", "2", "3"]
        query = "MATCH (p:Project)-[:HAS]->(d:Dataset) RETURN p.name, d.name"
        assert [tuple(each) for each in driver.execute_query(query).records] == [
            ("Minimal Project", "Minimal Dataset")
        ]
        assert neo4j.password not in {"", "password"}
    assert run("inspect", name, check=False).returncode != 0


@pytest.mark.docker
@pytest.mark.timeout(600)
def test_what_fails_leaves_no_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_images(NEO4J)
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
    from graphmigrate.testing.container import GraphMigrateNeo4jContainer

    (tmp_path / "V1__wrong.cypher").write_text("UNWIND [0] AS zero CREATE (:Fine {x: 1 / zero});")
    name = f"graphmigrate-test-{uuid.uuid4().hex[:12]}"
    with pytest.raises(MigrationFailed, match="by zero"):
        GraphMigrateNeo4jContainer().with_name(name).with_migrations(tmp_path).start()
    assert run("inspect", name, check=False).returncode != 0


def test_without_testcontainers_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['testcontainers'] = None; import graphmigrate.testing.container"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'graphmigrate[testcontainers]'" in done.stderr.splitlines()[-1]
