"""Without NEO4J_URI: the project's own local server is used, with its own password, and named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.commands import Folder, offline_environment


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    folder = Folder(Path(tmp_path_factory.mktemp("local")), offline_environment())
    assert folder.run("init").returncode == 0
    started = folder.run("server", "start", "--ephemeral", "--port", "0")
    if started.returncode == 2:
        pytest.skip(f"no local server here: {started.stderr}")
    assert started.returncode == 0, started.stderr
    yield folder
    assert folder.run("server", "stop").returncode == 0


@pytest.mark.slow
def test_commands_find_it_and_say_so(project: Folder) -> None:
    uri = project.run("server", "url").stdout.strip()
    for command in ("migrate", "seed", "status --exit-code"):
        process = project.run(*command.split(), NEO4J_USERNAME="other", NEO4J_PASSWORD="another-servers")
        assert process.returncode == 0, process.stderr
        assert (
            f"Using the project's local Neo4j at {uri} (no NEO4J_URI is set)." in process.stderr.splitlines()
        )
    assert "Using" not in project.run("status", "--quiet").stderr


@pytest.mark.slow
def test_the_summary_says_where_to_look(project: Folder) -> None:
    for command in ("migrate", "seed"):
        assert project.run(command).returncode == 0
    where = json.loads(project.run("summary", "--output", "json").stdout)["where"]
    assert where["bolt"] == project.run("server", "url").stdout.strip()
    assert where["browser"].startswith(f"{where['http']}/browser/?connectURL=bolt")
    assert "MATCH" in where["browser"]
    text = project.run("summary").stdout
    assert where["browser"] in text
    assert "graphmigrate server stop" in text


@pytest.mark.slow
def test_a_flag_still_wins(project: Folder) -> None:
    assert project.run("status", "--username", "stranger").returncode == 3
    assert project.run("status", "--uri", "bolt://127.0.0.1:1").returncode == 3
