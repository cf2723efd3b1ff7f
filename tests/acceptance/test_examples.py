"""The projects of examples/ do on a real server what their pages say."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import dump, rows

EXAMPLES = Path(__file__).parents[2] / "examples"
WORKERS = 4


def copied(name: str, target: Neo4jTarget, tmp_path: Path) -> Folder:
    shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    return Folder(tmp_path / name, target.env)


def cypher_of(page: Path) -> str:
    return page.read_text().split("```cypher\n")[1].split("```")[0]


def test_genai_stack(driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path) -> None:
    project = copied("genai-stack", neo4j_target, tmp_path)
    for command in ("migrate", "seed", "seed --force"):
        done = project.run(*command.split())
        assert done.returncode == 0, done.stderr
    unique = rows(
        driver,
        "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties WHERE NOT name STARTS WITH '__' "
        "RETURN name, type, labelsOrTypes[0], properties[0] ORDER BY name",
    )
    assert [[name, label, each] for name, _, label, each in unique] == [
        ["answer_id", "Answer", "id"],
        ["question_id", "Question", "id"],
        ["tag_name", "Tag", "name"],
        ["user_id", "User", "id"],
    ]
    vectors = rows(
        driver,
        "SHOW INDEXES YIELD name, type, state, labelsOrTypes, properties, options WHERE type = 'VECTOR' "
        "RETURN name, state, labelsOrTypes[0], properties[0], options.indexConfig ORDER BY name",
    )
    assert [each[:4] for each in vectors] == [
        ["stackoverflow", "ONLINE", "Question", "embedding"],
        ["top_answers", "ONLINE", "Answer", "embedding"],
    ]
    for *_, config in vectors:
        assert config["vector.dimensions"] == 384
        assert config["vector.similarity_function"].lower() == "cosine"
    found = rows(driver, cypher_of(project.path / "README.md"))
    assert [title for title, _, _ in found] == [
        "How do I make a property unique in Neo4j?",
        "What is the difference between MERGE and CREATE?",
        "How do I search by meaning in a graph?",
    ]
    assert found[0][1] == 1.0 > found[1][1] > found[2][1]
    assert json.loads(project.run("summary", "--output", "json").stdout)


def test_genai_stack_finds_what_the_stack_made(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    project = copied("genai-stack", neo4j_target, tmp_path)
    for name, label, key in (("question_id", "Question", "id"), ("tag_name", "Tag", "name")):
        driver.execute_query(
            f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (x:{label}) REQUIRE (x.{key}) IS UNIQUE"
        )
    driver.execute_query("CREATE VECTOR INDEX stackoverflow FOR (m:Answer) ON m.embedding")
    refused = project.run("migrate")
    assert refused.returncode == 2
    assert (
        "stackoverflow" in refused.stderr
    )  # of that name, on another label: the stack itself would never say so
    driver.execute_query("DROP INDEX stackoverflow")
    driver.execute_query("CREATE VECTOR INDEX stackoverflow IF NOT EXISTS FOR (m:Question) ON m.embedding")
    planned = project.run("plan")
    assert planned.returncode == 0
    assert "GM206" in planned.stdout + planned.stderr  # taken as it is, without dimensions
    assert project.run("migrate").returncode == 0
    assert project.run("status", "--exit-code").returncode == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def uvicorn(project: Folder, log: Path) -> Iterator[str]:
    port = free_port()
    words = [sys.executable, "-m", "uvicorn", "app:app", "--workers", str(WORKERS), "--port", str(port)]
    with log.open("w") as stream:
        process = subprocess.Popen(words, cwd=project.path, env=project.env, stdout=stream, stderr=stream)
    try:
        deadline = time.monotonic() + 120
        while log.read_text().count("Application startup complete") < WORKERS:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def ask(request: urllib.request.Request | str) -> Any:
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.timeout(300)
def test_fastapi_with_several_workers(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    project = copied("fastapi", neo4j_target, tmp_path)
    with uvicorn(project, tmp_path / "first.log") as url:
        people = ask(f"{url}/people")
        assert [each["name"] for each in people] == ["Ada", "Bob", "Cleo", "Root"]
        assert people[0]["knows"] == ["Bob"]
        new = urllib.request.Request(f"{url}/people/dora?name=Dora", method="POST")
        assert ask(new) == {"id": "dora", "name": "Dora"}
        with pytest.raises(urllib.error.HTTPError, match="409"):
            ask(new)
    history = rows(driver, "MATCH (m:__GraphMigrateMigration) RETURN m.version, m.state ORDER BY m.version")
    assert [version for version, _ in history] == ["1", "2"]
    before = dump(driver)
    with uvicorn(project, tmp_path / "second.log") as url:
        assert len(ask(f"{url}/people")) == 5
    assert dump(driver) == before


def test_fastapi_does_not_start_on_a_failed_migration(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    project = copied("fastapi", neo4j_target, tmp_path).write(V3__wrong="CREATE (:Person {id: 'root'});")
    words = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(free_port())]
    done = subprocess.run(
        words, cwd=project.path, env=project.env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0
    assert "already exists with label `Person`" in done.stderr


def test_the_page_of_the_application_counts_datasets_and_not_their_names(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    for name in ("migrations", "seeds"):
        shutil.copytree(EXAMPLES.parent / name, tmp_path / name)
    for command in ("migrate", "seed"):
        assert Folder(tmp_path, neo4j_target.env).run(command).returncode == 0
    spec = importlib.util.spec_from_file_location("example_app", EXAMPLES / "app" / "app.py")
    assert spec
    assert spec.loader
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    page = app.page(app.rows(driver))
    stored = rows(driver, "MATCH (d:Dataset) RETURN count(d), count(DISTINCT d.name)")
    assert stored == [[16, 15]]  # two have one name
    assert "8 projects, 16 datasets, 21 connections" in page
    assert page.count('<circle class="d"') == 16
