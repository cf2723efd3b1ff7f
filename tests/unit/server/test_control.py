"""Starting and stopping, without a Neo4j: a process that sleeps stands where Java would."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import ServerOptions
from graphmigrate.server.state import Folder
from tests.unit.server.states import running


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 99}', '{"format": 1}', '{"format": 1, "provider": 3}']
)
def test_a_state_file_that_says_nothing_is_no_server(tmp_path, content):
    folder = Folder(tmp_path)
    folder.make()
    folder.state_file.write_text(content)
    assert server.find(tmp_path) is None
    assert server.stop(tmp_path) is False


def test_an_ended_process_is_noticed_and_forgotten(tmp_path, sleeper):
    folder = Folder(tmp_path)
    running(folder, sleeper.pid)
    sleeper.kill()
    while server.find(tmp_path) is not None:
        time.sleep(0.01)
    # It was not waited for: a zombie, which a bare kill(pid, 0) would call alive.
    assert Path(f"/proc/{sleeper.pid}").exists() or sys.platform != "linux"
    said: list[str] = []
    assert server.stop(tmp_path, said.append) is False
    assert "has died" in said[0]
    assert not folder.state_file.exists()


def test_a_reused_process_number_is_never_killed(tmp_path, sleeper):
    folder = Folder(tmp_path)
    running(folder, sleeper.pid)
    state = folder.read()
    assert state is not None
    folder.write(replace(state, birth="another boot/1"))
    assert server.find(tmp_path) is None
    assert server.stop(tmp_path) is False
    time.sleep(0.1)
    assert sleeper.poll() is None


def test_stop_ends_the_very_process_that_was_started(tmp_path, sleeper):
    running(Folder(tmp_path), sleeper.pid)
    other = subprocess.Popen(["sleep", "60"])
    try:
        assert server.stop(tmp_path) is True
        assert sleeper.wait(5) == -signal.SIGTERM
        assert other.poll() is None
        assert server.stop(tmp_path) is False
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (ServerOptions(ephemeral=True), "--ephemeral"),
        (ServerOptions(auth=False), "--no-auth"),
        (ServerOptions(port=1), "port 1"),
    ],
)
def test_a_running_server_is_not_given_for_another_kind(tmp_path, sleeper, options, named):
    folder = Folder(tmp_path)
    folder.home(ephemeral=False).make()
    folder.home(ephemeral=False).make_password()
    running(folder, sleeper.pid, auth=True)
    with pytest.raises(UsageError, match=named) as caught:
        server.start(tmp_path, options)
    assert caught.value.error_code == "GM193"
    assert server.start(tmp_path).pid == sleeper.pid


def test_a_running_ephemeral_server_without_a_password_is_returned_to_every_caller(tmp_path, sleeper):
    running(Folder(tmp_path), sleeper.pid, ephemeral=True)
    for options in (ServerOptions(), ServerOptions(ephemeral=True, auth=False)):
        assert server.start(tmp_path, options).pid == sleeper.pid


def test_a_copy_of_a_project_has_no_server(tmp_path, sleeper):
    original, copy = tmp_path / "shop", tmp_path / "shop2"
    running(Folder(original), sleeper.pid)
    shutil.copytree(original, copy)
    assert server.find(copy) is None
    assert server.stop(copy) is False
    assert sleeper.poll() is None
    assert server.find(original) is not None
    assert server.stop(original) is True


def test_a_project_that_was_moved_keeps_its_server(tmp_path, sleeper):
    original, moved = tmp_path / "shop", tmp_path / "moved"
    running(Folder(original), sleeper.pid)
    original.rename(moved)
    assert server.find(moved) is not None
    running(Folder(original), sleeper.pid, port=17743)  # a new project where the old one was
    assert server.find(moved) is not None
    assert server.stop(moved) is True


def test_the_data_of_an_ephemeral_server_is_deleted_and_no_other(tmp_path, sleeper):
    folder = Folder(tmp_path)
    folder.home(ephemeral=False).make()
    running(folder, sleeper.pid, ephemeral=True)
    server.stop(tmp_path)
    assert not folder.home(ephemeral=True).path.exists()
    assert folder.home(ephemeral=False).path.exists()
