"""The Docker provider, with real containers."""

from __future__ import annotations

import json
import subprocess
import time

import neo4j
import pytest

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import ServerOptions, docker
from graphmigrate.server.model import DEFAULT, ServerFailed
from graphmigrate.server.state import Folder

pytestmark = pytest.mark.docker
OPTIONS = ServerOptions(provider="docker", port=0)


@pytest.fixture(scope="module", autouse=True)
def _daemon() -> None:
    if reason := docker.unusable() or docker.missing_image(DEFAULT.image, print):
        pytest.skip(reason)


def ask(found: server.Server, query: str) -> list[object]:
    assert found.username
    auth = (found.username, found.password)
    with neo4j.GraphDatabase.driver(found.bolt_uri, auth=auth) as driver, driver.session() as session:
        return session.run(query).value()  # type: ignore[arg-type]


def exists(container: str) -> bool:
    return not subprocess.run(["docker", "inspect", container], capture_output=True, check=False).returncode


def inspect(container: str) -> dict[str, object]:
    done = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]


def test_a_container_is_started_found_lost_and_started_again(tmp_path):
    try:
        first = server.start(tmp_path, OPTIONS, print)
        assert server.find(tmp_path) == first
        said: list[str] = []
        assert server.start(tmp_path, ServerOptions(), said.append) == first
        assert "already running" in said[-1]
        ask(first, "CREATE (:Kept)")

        shown = inspect(first.container or "")
        ports = shown["HostConfig"]["PortBindings"]  # type: ignore[index]
        assert {each["HostIp"] for bound in ports.values() for each in bound} == {"127.0.0.1"}
        assert first.password is not None
        assert first.password not in " ".join(shown["Args"])  # type: ignore[arg-type]
        assert not list((tmp_path / ".graphmigrate/server/conf").iterdir())

        subprocess.run(["docker", "kill", first.container or ""], check=True, capture_output=True)
        deadline = time.monotonic() + 5
        while server.find(tmp_path) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.find(tmp_path) is None

        second = server.start(tmp_path, OPTIONS, print)
        assert second.container != first.container
        assert ask(second, "MATCH (n:Kept) RETURN count(n)") == [1]
    finally:
        server.stop(tmp_path)
    assert not exists(docker.container_name(Folder(tmp_path)))


def test_a_container_left_by_a_start_that_died_is_replaced(tmp_path):
    name = docker.container_name(Folder(tmp_path))
    left = ["docker", "run", "-d", "--name", name, "--entrypoint", "sleep", DEFAULT.image, "60"]
    subprocess.run(left, check=True, capture_output=True)
    try:
        options = ServerOptions(provider="docker", port=0, ephemeral=True)
        found = server.start(tmp_path, options, print)
        assert ask(found, "RETURN 1") == [1]
    finally:
        server.stop(tmp_path)
        docker.remove(name)
    assert not exists(name)


def test_a_container_that_cannot_start_says_why(tmp_path):
    options = ServerOptions(provider="docker", port=0, ephemeral=True, heap="16m")
    with pytest.raises(ServerFailed) as caught:
        server.start(tmp_path, options, print)
    assert caught.value.error_code == "GM180"
    assert "memory" in caught.value.message.lower() or "heap" in caught.value.message.lower()
    assert not exists(docker.container_name(Folder(tmp_path)))


def test_an_image_that_is_nowhere(tmp_path):
    with pytest.raises(UsageError) as caught:
        server.start(tmp_path, ServerOptions(provider="docker", image="graphmigrate.invalid/none:1"), print)
    assert caught.value.error_code == "GM183"
