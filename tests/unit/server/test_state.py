"""The files of a project's server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict

import pytest

from graphmigrate import server
from graphmigrate.server.model import ServerFailed
from graphmigrate.server.state import Folder, State, write_private
from tests.unit.server.states import running


def test_a_link_to_a_project_leads_to_its_server(tmp_path, sleeper):
    running(Folder(tmp_path / "shop"), sleeper.pid)
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    assert server.find(tmp_path / "link") is not None


def test_private_files_are_never_readable_by_others(tmp_path):
    old = os.umask(0)
    try:
        write_private(tmp_path / "secret", "text")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_the_password_is_made_once_and_never_shown(tmp_path, sleeper):
    folder = Folder(tmp_path)
    home = folder.home(ephemeral=False)
    home.make()
    password = home.make_password()
    assert home.make_password() == password
    assert len(password) >= 24
    running(folder, sleeper.pid, auth=True)
    found = server.find(tmp_path)
    assert found is not None
    assert found.password == password
    assert password not in repr(found)
    assert password not in json.dumps(
        asdict(folder.read() or State("", "", 0, 0, auth=False, ephemeral=False))
    )


def test_the_folder_is_invisible_to_git(tmp_path):
    Folder(tmp_path).make()
    assert (tmp_path / ".graphmigrate" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / ".graphmigrate").write_text("a file")
    with pytest.raises(ServerFailed, match=r"\.graphmigrate cannot be written") as caught:
        Folder(tmp_path).make()
    assert caught.value.error_code == "GM167"


def test_the_lock_admits_one_process_and_dies_with_it(tmp_path):
    held = (
        "import sys, time; from pathlib import Path; from graphmigrate.server.state import Folder\n"
        "with Folder(Path(sys.argv[1])).locked(5, print): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", held, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said: list[str] = []
        with pytest.raises(ServerFailed) as caught, Folder(tmp_path).locked(0.2, said.append):
            pytest.fail("both hold the lock")
        assert caught.value.error_code == "GM193"
        assert len(said) == 1
    finally:
        holder.kill()
        holder.communicate()
    with Folder(tmp_path).locked(5, said.append):
        pass
