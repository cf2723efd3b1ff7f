"""Ports of this machine, and processes that are not children."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import machine
from graphmigrate.server.state import Folder
from tests.unit.server.states import running


def test_a_process_found_by_its_number_alone_must_be_ours(tmp_path, sleeper):
    """A start that died before it wrote the process's number left the pid file; here it names a stranger."""
    folder = Folder(tmp_path)
    state = running(folder, sleeper.pid)
    folder.write(replace(state, pid=None, birth=None, ready=False))
    folder.home(ephemeral=False).pid_file.write_text(str(sleeper.pid))
    assert server.stop(tmp_path) is False
    assert sleeper.poll() is None


def test_processes_are_recognised_without_proc(sleeper, monkeypatch):
    """As on macOS, where ps is asked."""
    if not Path("/bin/ps").exists():
        pytest.skip("ps is not installed")
    monkeypatch.setattr(machine, "_LINUX", False)
    born = machine.birth(sleeper.pid)
    assert born
    assert machine.is_same(sleeper.pid, born)
    monkeypatch.setenv("TZ", "JST-9")
    assert machine.is_same(sleeper.pid, born)
    assert machine.command_line(sleeper.pid) == "sleep 60"
    sleeper.kill()
    time.sleep(0.1)
    assert machine.birth(sleeper.pid) is None
    assert machine.birth(2**22 + 1) is None


def test_a_taken_port_is_refused_and_zero_picks_two_free_ones():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert machine.is_open(number)
        with pytest.raises(UsageError) as caught:
            machine.choose_ports(number)
        assert caught.value.error_code == "GM180"
        bolt, http = machine.choose_ports(0)
        assert len({bolt, http, number}) == 3
        assert machine.is_free(bolt)
