"""Where a test session's Neo4j comes from; queries that pages show; what makes two contents differ."""

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
from graphmigrate.server import processes
from graphmigrate.server.state import Folder, State
from graphmigrate.testing.ready_made import documented
from graphmigrate.testing.servers import choose
from graphmigrate.testing.snapshot import Contents, Node, Relationship, difference, same


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


PAGE = """# Queries
```cypher
:param name => 'Ada'
MATCH (p {name: $name})
RETURN p;
RETURN ';' AS text
```
- in a list
  ```cypher
  RETURN 1
  ```
```sql
SELECT 1
```
"""


def test_queries_of_pages(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(PAGE)
    found = list(documented(tmp_path, "docs/*.md"))
    assert [(each.place.file, each.place.line, each.text) for each in found] == [
        ("docs/a.md", 4, "MATCH (p {name: $name})\nRETURN p"),
        ("docs/a.md", 6, "RETURN ';' AS text"),
        ("docs/a.md", 10, "RETURN 1"),
    ]
    assert found[0].parameters == {"name": "'Ada'"}
    with pytest.raises(UsageError) as refused:
        list(documented(tmp_path, "doc/a.md"))
    assert refused.value.error_code == "GM150"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        ([1, 2], [1, 2.0], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
        (float("nan"), float("nan"), True),
        (0.0, 0.0, True),
    ],
)
def test_same_is_the_same_to_the_database(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected


def test_an_id_that_was_given_away_is_no_relationship_of_before() -> None:
    labels = frozenset({"A"})
    wanted = Contents({"1": Node(labels, {}), "2": Node(labels, {})}, {"r": Relationship("T", "1", "2", {})})
    turned, hanging = Relationship("T", "1", "1", {}), Relationship("T", "1", "3", {})
    now = Contents({"1": Node(labels, {"x": 1}), "3": Node(labels, {})}, {"r": turned, "s": hanging})
    change = difference(now, wanted)
    assert change.added_nodes == ["3"]
    assert change.added_relationships == ["r"]  # s goes with its node
    assert list(change.changed_nodes) == ["1"]
    assert change.gone_nodes == ["2"]
    assert change.gone_relationships == ["r"]
    assert not change.only_added
    assert difference(wanted, wanted).nothing


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_server_is_stopped_where_its_tests_are_killed(tmp_path: Path, number: int) -> None:
    """A process that sleeps stands where Java would."""
    sleeper = subprocess.Popen(["sleep", "60"])
    folder = Folder(tmp_path / "project")
    folder.make()
    folder.home(ephemeral=True).make()
    born = processes.birth(sleeper.pid)
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
