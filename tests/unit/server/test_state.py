"""What is known about a started server, without starting one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import Server, ServerOptions, browser_url, health, ports, processes, stop_command
from graphmigrate.server.model import RELEASES, STOP, ServerFailed, resolve, series
from graphmigrate.server.state import Folder, State, write_private


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def running(folder: Folder, pid: int, **changes: object) -> State:
    state = State("jvm", "5.26.25", 17741, 17742, auth=False, ephemeral=False, pid=pid, ready=True)
    state = replace(state, birth=processes.birth(pid), **changes)  # type: ignore[arg-type]
    folder.make()
    folder.home(ephemeral=state.ephemeral).make()
    folder.write(state)
    return state


def test_find_reads_the_state_of_a_living_process(tmp_path, sleeper):
    running(Folder(tmp_path), sleeper.pid)
    found = server.find(tmp_path)
    assert found is not None
    assert (found.bolt_uri, found.http_url) == ("bolt://127.0.0.1:17741", "http://127.0.0.1:17742")
    assert (found.username, found.password, found.pid) == (None, None, sleeper.pid)


def test_find_is_quick(tmp_path, sleeper):
    running(Folder(tmp_path), sleeper.pid)
    started = time.perf_counter()
    for _ in range(20):
        server.find(tmp_path)
    assert (time.perf_counter() - started) / 20 < 0.005


def test_find_gives_nothing_before_the_first_answered_query(tmp_path, sleeper):
    running(Folder(tmp_path), sleeper.pid, ready=False)
    assert server.find(tmp_path) is None


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


def test_a_running_ephemeral_server_without_a_password_is_given_to_whoever_asks(tmp_path, sleeper):
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


def test_a_link_to_a_project_leads_to_its_server(tmp_path, sleeper):
    running(Folder(tmp_path / "shop"), sleeper.pid)
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    assert server.find(tmp_path / "link") is not None


def test_the_data_of_an_ephemeral_server_is_deleted_and_no_other(tmp_path, sleeper):
    folder = Folder(tmp_path)
    folder.home(ephemeral=False).make()
    running(folder, sleeper.pid, ephemeral=True)
    server.stop(tmp_path)
    assert not folder.home(ephemeral=True).path.exists()
    assert folder.home(ephemeral=False).path.exists()


def test_a_process_found_by_its_number_alone_must_be_ours(tmp_path, sleeper):
    """A start that died before it wrote the process's number left the pid file; here it names a stranger."""
    folder = Folder(tmp_path)
    state = running(folder, sleeper.pid)
    folder.write(replace(state, pid=None, birth=None, ready=False))
    folder.home(ephemeral=False).pid_file.write_text(str(sleeper.pid))
    assert server.stop(tmp_path) is False
    assert sleeper.poll() is None


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


def test_importing_the_server_imports_no_driver():
    code = "import sys, graphmigrate.server as s; s.find(__import__('pathlib').Path('.')); print('neo4j' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (None, "5.26.25"),
        ("5", "5.26.25"),
        ("5.26", "5.26.25"),
        ("5.26.25", "5.26.25"),
        ("2026.05", "2026.05.0"),
    ],
)
def test_versions_are_named_by_their_beginning(name, version):
    assert resolve(name).version == version


@pytest.mark.parametrize("name", ["", "5.2", "4.4", "latest", "5.26.1"])
def test_an_unknown_version_is_answered_with_the_known_ones(name):
    with pytest.raises(UsageError) as caught:
        resolve(name)
    assert caught.value.error_code == "GM158"
    assert all(each.version in (caught.value.hint or "") for each in RELEASES)


def test_series():
    assert [series(each) for each in ("5.26.25", "2026.05.0", "5.26")] == ["5.26", "2026.05", "5.26"]


def test_the_browser_link_survives_any_query():
    address = Server(
        "jvm", "5", "bolt://127.0.0.1:7687", "http://127.0.0.1:7474", None, None, None, None, False
    )
    query = 'MATCH (p:Project {name: "Ä & B"})-->(m) // 100%\nRETURN p, m + 1'
    link = urlsplit(browser_url(address, query))
    assert (link.netloc, link.path) == ("127.0.0.1:7474", "/browser/")
    assert parse_qs(link.query) == {"connectURL": ["bolt://127.0.0.1:7687"], "cmd": ["edit"], "arg": [query]}
    assert "arg" not in browser_url(address)
    link = urlsplit(browser_url(replace(address, username="neo4j")))
    assert parse_qs(link.query) == {"connectURL": ["bolt://neo4j@127.0.0.1:7687"]}


def test_the_command_that_stops_it_can_be_typed(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "graphmigrate"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.delenv(STOP, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert stop_command() == "bin/graphmigrate server stop"
    monkeypatch.setenv("PATH", str(program.parent))
    assert stop_command() == "graphmigrate server stop"
    monkeypatch.setattr(sys, "argv", ["/somewhere/graphmigrate/__main__.py"])
    assert stop_command() == f"{sys.executable} -m graphmigrate server stop"
    monkeypatch.setenv(STOP, "make stop")
    assert stop_command() == "make stop"


@pytest.mark.parametrize("size", ["512", "m", "0m", "-1g", "1.5g", "512m -XX:+Evil", ""])
def test_sizes_that_the_server_would_not_understand_are_refused(size):
    with pytest.raises(UsageError) as caught:
        ServerOptions(heap=size).check()
    assert caught.value.error_code == "GM158"


def test_a_taken_port_is_refused_and_zero_picks_two_free_ones():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert ports.is_open(number)
        with pytest.raises(UsageError) as caught:
            ports.choose(number)
        assert caught.value.error_code == "GM180"
        bolt, http = ports.choose(0)
        assert len({bolt, http, number}) == 3
        assert ports.is_free(bolt)


def test_the_telling_lines_of_a_log():
    lines = [
        "2026 INFO  Starting...",
        "2026 ERROR Failed to start Neo4j on 127.0.0.1:7474.",
        "java.lang.RuntimeException: Error starting Neo4j",
        "\tat org.neo4j.server.NeoBootstrapper.start(NeoBootstrapper.java:154)",
        "Caused by: java.net.BindException: Address already in use",
        "\t... 12 more",
        "2026 INFO  Stopped.",
    ]
    assert health.telling_lines(lines) == [lines[1], lines[2], lines[4]]
    assert health.telling_lines(["", "one", "two"], 1) == ["two"]
    assert health.telling_lines([]) == []


def test_processes_are_told_apart_without_proc(sleeper, monkeypatch):
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
