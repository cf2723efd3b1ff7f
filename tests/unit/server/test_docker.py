"""A container as Docker tells of it, and a Docker that cannot be used."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import ServerOptions, docker, health, start
from graphmigrate.server.model import ServerFailed
from graphmigrate.server.state import Folder, State
from tests.unit.server.conftest import program

SILENT = "echo 'Cannot connect to the Docker daemon: no such file or directory' >&2; exit 1"


GONE = 'echo "Error: No such object: $4" >&2; exit 1'


NEWER_GONE = 'echo "error: no such object: $4" >&2; exit 1'


RUNS = "echo true"


EXITED = "echo false"


Says = Callable[[str], None]


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Replace ``docker``: what ``inspect`` does is given, everything else succeeds and is noted."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("NOTED", str(tmp_path / "noted"))

    def write(inspect: str) -> None:
        program = tmp_path / "bin" / "docker"
        program.write_text(
            f'#!/bin/sh\nif [ "$1" = inspect ]; then {inspect}; else echo "$1" >>"$NOTED"; fi\n'
        )
        program.chmod(0o755)

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(tmp_path)
    found.make()
    return found


def container(folder: Folder, port: int = 17741) -> State:
    state = State("docker", "5.26.25", port, 17742, auth=False, ephemeral=False, container="f00d", ready=True)
    folder.write(state)
    return state


def test_docker_that_does_not_answer_is_no_proof_that_the_server_died(folder: Folder, says: Says) -> None:
    container(folder)
    says(SILENT)
    said: list[str] = []
    for act in (
        lambda: server.stop(folder.project, said.append),
        lambda: server.start(folder.project, ServerOptions(), said.append),
    ):
        with pytest.raises(ServerFailed, match="Cannot connect to the Docker daemon") as caught:
            act()
        assert caught.value.error_code == "GM193"
    assert folder.read() is not None
    assert said == []


def test_docker_that_hangs_is_no_proof_either(
    folder: Folder, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    container(folder)
    says("exec sleep 30")
    monkeypatch.setattr(docker, "_ANSWER", 0.2)
    with pytest.raises(ServerFailed, match="no answer within"):
        server.stop(folder.project)
    assert folder.read() is not None


@pytest.mark.parametrize("gone", [GONE, NEWER_GONE])
def test_a_container_that_is_gone_is_forgotten(folder: Folder, says: Says, gone: str) -> None:
    container(folder)
    says(gone)
    said: list[str] = []
    assert server.stop(folder.project, said.append) is False
    assert "has died" in said[0]
    assert folder.read() is None


def test_a_container_that_goes_on_running_is_not_called_stopped(folder: Folder, says: Says) -> None:
    container(folder)
    says(RUNS)
    with pytest.raises(ServerFailed, match="cannot be stopped"):
        server.stop(folder.project)
    assert folder.read() is not None


def test_a_busy_docker_does_not_end_the_wait_for_a_server(folder: Folder, says: Says) -> None:
    state = container(folder)
    says(SILENT)
    assert health.runs(state)
    says(GONE)
    assert not health.runs(state)


def test_a_stranger_on_the_port_is_not_the_project_s_server(folder: Folder, says: Says) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        container(folder, stranger.getsockname()[1])
        says(EXITED)  # as after the machine was started anew
        assert server.find(folder.project) is None
        says(RUNS)
        assert server.find(folder.project) is not None
        says(SILENT)  # the port is all that is known
        assert server.find(folder.project) is not None


def test_a_container_of_a_folder_that_was_moved_is_still_its_own(
    folder: Folder, says: Says, tmp_path: Path
) -> None:
    container(folder)
    says(EXITED)
    moved = tmp_path / "moved"
    moved.mkdir()
    folder.path.rename(moved / ".graphmigrate")
    assert server.stop(moved) is False  # it had died
    assert (tmp_path / "noted").read_text() == "rm\n"


def test_docker_that_is_asked_for_but_missing(bare):
    with pytest.raises(UsageError) as caught:
        start(bare / "project", ServerOptions(provider="docker", port=0), print)
    assert caught.value.error_code == "GM183"


def test_a_dead_docker_daemon_costs_no_time(monkeypatch):
    if not any(os.access(Path(each) / "docker", os.X_OK) for each in os.environ["PATH"].split(os.pathsep)):
        pytest.skip("the docker program is not installed")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    started = time.monotonic()
    assert "no Docker daemon answers" in (docker.unusable() or "")
    assert time.monotonic() - started < 2


def test_a_hanging_docker_daemon_is_not_waited_for(bare, monkeypatch):
    program(bare / "bin" / "docker", "#!/bin/sh\nexec /bin/sleep 30\n")
    monkeypatch.setattr(docker, "_ANSWER", 0.2)
    assert "no answer within" in (docker.unusable() or "")


def test_the_docker_of_another_machine_is_not_used(bare, monkeypatch):
    program(bare / "bin" / "docker")
    monkeypatch.setenv("DOCKER_HOST", "tcp://build.example:2376")
    assert "another machine" in (docker.unusable() or "")
