"""Where a test session's Neo4j comes from, and that it ends with the session."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.server import machine
from graphmigrate.server.state import Folder, State
from graphmigrate.testing.servers import choose


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """Something that answers one question as a Docker daemon does."""
    path = tmp_path / "docker.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"unix://{path}"
    thread.join()
    listener.close()


def test_a_given_uri_comes_first() -> None:
    environment = {"DOCKER_HOST": "tcp://docker:2375", "GRAPHMIGRATE_TEST_PASSWORD": "hunter2"}
    choice = choose(environment, uri=("bolt://given", "GRAPHMIGRATE_TEST_URI"), provider="jvm")
    assert (choice.provider, choice.uri, choice.username, choice.password) == (
        "given",
        "bolt://given",
        "neo4j",
        "hunter2",
    )
    assert "hunter2" not in repr(choice)


def test_then_docker_then_the_jvm(daemon: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose({"DOCKER_HOST": daemon}).provider == "docker"
    choice = choose({"DOCKER_HOST": f"unix://{tmp_path / 'none.sock'}"})
    assert (choice.provider, choice.why) == ("jvm", "no Docker daemon answers")
    monkeypatch.setattr("graphmigrate.testing.servers.find_spec", lambda name: None)
    choice = choose({"DOCKER_HOST": daemon})
    assert (choice.provider, choice.why) == ("jvm", "testcontainers is not installed")


def test_what_was_asked_for_is_not_second_guessed() -> None:
    assert choose({"DOCKER_HOST": "tcp://docker:2375"}, provider="jvm").provider == "jvm"
    assert choose({"GRAPHMIGRATE_SERVER_PROVIDER": "docker"}, version="2026.05").provider == "docker"


def test_a_provider_is_known_by_its_word() -> None:
    assert choose({"GRAPHMIGRATE_SERVER_PROVIDER": "Docker"}).provider == "docker"
    assert choose({}, provider=" JVM ").provider == "jvm"
    with pytest.raises(UsageError, match="'podman'") as refused:
        choose({"GRAPHMIGRATE_SERVER_PROVIDER": "podman"})
    assert "docker or jvm" in (refused.value.hint or "")


def test_each_worker_has_its_own_address() -> None:
    given = ("bolt://neo4j-{worker}:7687", "GRAPHMIGRATE_TEST_URI")
    assert choose({}, uri=given, worker="gw3").uri == "bolt://neo4j-gw3:7687"
    assert choose({}, uri=given).uri == "bolt://neo4j-gw0:7687"
    with pytest.raises(UsageError) as refused:
        choose({}, uri=("bolt://one", "GRAPHMIGRATE_TEST_URI"), worker="gw0")
    assert refused.value.error_code == "GM740"


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="from GRAPHMIGRATE_TEST_URI") as refused:
        choose({}, uri=("bolt://neo4j:hunter2@{worker}:7687", "GRAPHMIGRATE_TEST_URI"), worker="gw0")
    assert refused.value.error_code == "GM155"
    assert "hunter2" not in f"{refused.value.message} {refused.value.hint}"
    assert "GRAPHMIGRATE_TEST_PASSWORD" in (refused.value.hint or "")
    with pytest.raises(UsageError, match="unknown scheme"):
        choose({}, uri=("http://given", "graphmigrate_uri"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_server_is_stopped_where_its_tests_are_killed(tmp_path: Path, number: int) -> None:
    """A process that sleeps stands where Java would."""
    sleeper = subprocess.Popen(["sleep", "60"])
    folder = Folder(tmp_path / "project")
    folder.make()
    folder.home(ephemeral=True).make()
    born = machine.birth(sleeper.pid)
    folder.write(State("jvm", "5.26.25", 1, 2, auth=False, ephemeral=True, pid=sleeper.pid, birth=born))
    code = (
        "import sys, time; from pathlib import Path; from graphmigrate.testing.servers import stopping_servers_in\n"
        "with stopping_servers_in(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert tests.stdout
    assert tests.stdout.readline() == b"held\n"
    assert sleeper.poll() is None
    os.killpg(tests.pid, number)
    assert sleeper.wait(60) == -signal.SIGKILL
    assert tests.wait(60) != 0
    deadline = time.monotonic() + 60
    while folder.home(ephemeral=True).path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
