"""Processes that are not children."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from graphmigrate import server
from graphmigrate.server import processes
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
    monkeypatch.setattr(processes, "_LINUX", False)
    born = processes.birth(sleeper.pid)
    assert born
    assert processes.is_same(sleeper.pid, born)
    monkeypatch.setenv("TZ", "JST-9")
    assert processes.is_same(sleeper.pid, born)
    assert processes.command_line(sleeper.pid) == "sleep 60"
    sleeper.kill()
    time.sleep(0.1)
    assert processes.birth(sleeper.pid) is None
    assert processes.birth(2**22 + 1) is None
