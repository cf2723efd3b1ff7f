"""The commands ``undo`` and ``clean``, as people and containers call them."""

from __future__ import annotations

from pathlib import Path

import neo4j

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget


def test_undo_clean_and_the_entrypoint(
    tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver
) -> None:
    del driver  # an empty database
    folder = Folder(tmp_path, neo4j_target.env)
    for command in (("init",), ("migrate",)):
        assert folder.run(*command).returncode == 0
    planned = folder.run("plan", "--undo", "--steps", "2")
    assert "DROP INDEX" in planned.stdout
    assert "2 migrations to undo" in planned.stderr
    undone = folder.run("undo")
    assert (undone.returncode, undone.stdout) == (0, "")
    assert "undone V2" in undone.stderr
    assert folder.run("status").stdout.count("undone") >= 1
    refused = folder.run("entrypoint")
    assert refused.returncode == 6
    assert "--reapply" in refused.stderr
    assert folder.run("entrypoint", "--reapply").returncode == 0
    assert folder.run("clean").returncode == 2  # there is no terminal to ask on
    cleaned = folder.run("clean", "--yes")
    assert cleaned.returncode == 0, cleaned.stderr
    assert "the history" in cleaned.stderr
    assert folder.run("plan").stderr.count("2 migrations to apply") == 1
