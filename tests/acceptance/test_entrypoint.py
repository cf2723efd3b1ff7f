"""``graphmigrate entrypoint`` without containers: what it does first, and that the command is then the process."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import neo4j
import pytest

from tests.acceptance.commands import COMMAND, Folder, assert_short
from tests.chaos.proxy import Proxy
from tests.conftest import Neo4jTarget
from tests.projects import count, rows

TELL = """
import os, sys
print(os.getpid(), sys.argv[1:], os.environ.get("APP"))
sys.exit(37)
"""


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "things.cypher.j2").write_text("MERGE (:Thing {id: 1});")
    (tmp_path / "seeds" / "demo.cypher.j2").write_text("---\nprofiles: [demo]\n---\nMERGE (:Thing {id: 2});")
    migrations = {"V1__x": "CREATE INDEX thing FOR (t:Thing) ON (t.id);", "V2__y": "CREATE (:Once);"}
    return Folder(tmp_path, neo4j_target.env).write(**migrations)


def test_the_command_becomes_the_process(project: Folder, driver: neo4j.Driver) -> None:
    words = ["entrypoint", "--", "env", "APP=1", sys.executable, "-c", TELL, "--", "--quiet", "a b"]
    process = subprocess.Popen(
        [*COMMAND, *words],
        cwd=project.path,
        env={**project.env, "GRAPHMIGRATE_SEED": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = process.communicate(timeout=120)
    assert process.returncode == 37
    assert out == f"{process.pid} ['--', '--quiet', 'a b'] 1\n"
    assert "applied 2 migrations, loaded 1 seed; the schema is at version 2" in err
    assert rows(driver, "MATCH (t:Thing) RETURN t.id") == [[1]]
    again = project.run("entrypoint", "--seed", "demo", "--", "true")
    assert again.returncode == 0
    assert "nothing to migrate, loaded 1 seed" in again.stderr
    assert count(driver, "Once") == 1


def test_signals_are_the_commands_own(project: Folder) -> None:
    script = (
        "trap 'echo stopped; exit 9' TERM; grep Sig /proc/self/status; echo up; while :; do sleep 0.05; done"
    )
    process = project.start("entrypoint", "--", "sh", "-c", script)
    assert process.stdout
    lines = []
    while "up\n" not in lines:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read() if process.stderr else ""
    ignored = int(re.search(r"SigIgn:\s*(\w+)", "".join(lines))[1], 16)  # type: ignore[index]
    assert not ignored & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 9
    assert process.stdout.read() == "stopped\n"


def test_json_comes_before_the_command(project: Folder) -> None:
    process = project.run("entrypoint", "--", "echo", "served", GRAPHMIGRATE_OUTPUT="json")
    first, second = process.stdout.rstrip().rsplit("\n", 1)
    assert second == "served"
    assert json.loads(first)["command"] == ["echo", "served"]
    assert len(json.loads(first)["migrate"]["applied"]) == 2


def test_a_failed_migration_starts_nothing(project: Folder) -> None:
    project.write(V3__wrong="MATCH (o:Once) SET o.x = 1 / 0;")
    process = project.run("entrypoint", "--", "touch", "started")
    assert process.returncode == 5
    assert "GM501" in process.stderr
    assert not (project.path / "started").exists()


def test_a_command_that_is_no_program(project: Folder) -> None:
    script = project.path / "start"
    script.write_bytes(b"\x00\x01 not a program")
    script.chmod(0o755)
    process = project.run("entrypoint", "--", "./start")
    assert process.returncode == 126
    assert "GM720" in process.stderr


def test_a_server_that_is_late_is_waited_for(project: Folder, neo4j_target: Neo4jTarget) -> None:
    address = urlparse(neo4j_target.uri)
    proxy = Proxy((address.hostname or "", address.port or 0))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # refused while nobody listens
        uri = f"bolt://127.0.0.1:{listener.getsockname()[1]}"
        timer = threading.Timer(2, lambda: (listener.listen(), proxy.start(listener)))
        timer.start()
        started = time.monotonic()
        process = project.run("entrypoint", "--", "true", NEO4J_URI=uri)
        proxy.close()
    assert process.returncode == 0, process.stderr
    assert time.monotonic() - started >= 2


def test_a_refused_password_fails_at_once(project: Folder) -> None:
    started = time.monotonic()
    process = project.run("entrypoint", "--timeout", "100", "--", "true", NEO4J_PASSWORD="not-this-one")
    assert process.returncode == 3
    assert_short_after_waiting(process)
    assert "GM302" in process.stderr
    assert time.monotonic() - started < 50


def test_strangers_guesses_do_not_keep_the_right_password_out(
    project: Folder, driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    with user(driver, "waiter", "its-password"):
        for _ in range(3):
            with (
                neo4j.GraphDatabase.driver(neo4j_target.uri, auth=("waiter", "guess")) as guesser,
                pytest.raises(neo4j.exceptions.AuthError),
            ):
                guesser.verify_connectivity()
        given = {"NEO4J_USERNAME": "waiter", "NEO4J_PASSWORD": "its-password"}
        assert "GM307" in project.run("wait", "--timeout", "0", **given).stderr
        assert project.run("entrypoint", "--", "true", **given).returncode == 0


@contextmanager
def user(driver: neo4j.Driver, name: str, password: str) -> Iterator[None]:
    statement = f"CREATE USER {name} SET PASSWORD $password CHANGE NOT REQUIRED"
    driver.execute_query(statement, password=password, database_="system")
    yield
    driver.execute_query(f"DROP USER {name}", database_="system")


def assert_short_after_waiting(process: subprocess.CompletedProcess[str]) -> None:
    """As any failure: what happened and what to do, after the line that says what was waited for."""
    waiting, _, rest = process.stderr.partition("\n")
    assert waiting.startswith("Waiting up to")
    process.stderr = rest
    assert_short(process)
