"""The local JVM server, with real Neo4j processes and the real command line."""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import neo4j
import pytest
from neo4j.exceptions import AuthError

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import ServerOptions, browser_url, java, machine
from graphmigrate.server.model import RELEASES, Release, ServerFailed

START = ["server", "start", "--provider", "jvm", "--port", "0"]


@pytest.fixture(scope="module", autouse=True)
def _java() -> None:
    _java_for(RELEASES[0])


def _java_for(release: Release) -> java.Java:
    try:
        return java.choose(release)
    except UsageError as error:
        pytest.skip(error.message)


def command(project: Path, *arguments: str) -> subprocess.Popen[str]:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("NEO4J_", "GRAPHMIGRATE_"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "graphmigrate", *arguments],
        cwd=project,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = command(project, *arguments)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def ask(found: server.Server, query: str, password: str | None = None) -> list[object]:
    auth = (found.username, password or found.password) if found.username else None
    with neo4j.GraphDatabase.driver(found.bolt_uri, auth=auth) as driver, driver.session() as session:
        return session.run(query).value()  # type: ignore[arg-type]


def listening_addresses(pid: int) -> set[str]:
    """The local addresses of the process's listening sockets, read from /proc (proc(5))."""
    inodes = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(each)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].rpartition(":")[0])
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which two starts were made at once."""
    path = tmp_path_factory.mktemp("a project") / "with spaces"
    path.mkdir()
    both = [command(path, *START, "--output", "json") for _ in range(2)]
    try:
        ended = [each.communicate(timeout=200) for each in both]
        assert [each.returncode for each in both] == [0, 0], ended
        path.with_name("starts.json").write_text(json.dumps([json.loads(out) for out, _ in ended]))
        yield path
    finally:
        server.stop(path)


def test_two_starts_at_once_give_one_server(project):
    first, second = json.loads(project.with_name("starts.json").read_text())
    assert first == second
    listed = subprocess.run(
        ["pgrep", "-f", f"home-dir={project}"], capture_output=True, text=True, check=False
    )
    assert listed.stdout.split() == [str(first["pid"])]


def test_another_start_is_quick_and_gives_the_same_address(project):
    began = time.monotonic()
    done = run(project, *START[:2], "--output", "json")
    assert time.monotonic() - began < 3
    assert "already running" in done.stderr
    assert json.loads(done.stdout) == json.loads(project.with_name("starts.json").read_text())[0]


def test_starting_another_version_meanwhile_is_refused(project):
    done = run(project, "server", "start", "--neo4j-version", "2026.05")
    assert (done.returncode, done.stdout) == (2, "")
    assert "GM193" in done.stderr
    assert "graphmigrate server stop" in done.stderr


def test_url_prints_nothing_but_the_address(project):
    found = server.find(project)
    assert found is not None
    assert run(project, "server", "url").stdout == f"{found.bolt_uri}\n"


def test_the_password_is_needed_and_stays_in_a_private_file(project):
    found = server.find(project)
    assert found is not None
    assert found.password is not None
    assert found.password_file is not None
    assert stat.S_IMODE(found.password_file.stat().st_mode) == 0o600
    assert ask(found, "RETURN 1") == [1]
    with pytest.raises(AuthError):
        ask(found, "RETURN 1", password="something else")
    printed = (
        run(project, "server", "status").stdout + run(project, "--output", "json", "server", "status").stdout
    )
    seen = printed + machine.command_line(found.pid or 0)
    seen += "".join(
        each.read_text(errors="replace") for each in (project / ".graphmigrate/server/logs").iterdir()
    )
    seen += "".join(each.read_text() for each in (project / ".graphmigrate/server/conf").iterdir())
    assert found.password not in seen


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_this_machine_can_reach_it(project):
    found = server.find(project)
    assert found is not None
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    addresses = listening_addresses(found.pid or 0)
    assert addresses
    assert addresses <= loopback


def test_the_browser_link_opens_neo4j_browser(project):
    found = server.find(project)
    assert found is not None
    with urllib.request.urlopen(browser_url(found, "RETURN 1"), timeout=10) as answer:
        assert answer.status == 200
        assert b"<html" in answer.read().lower()


def test_logs(project):
    done = run(project, "server", "logs", "--lines", "3")
    assert done.stdout.count("\n") == 3
    follower = command(project, "server", "logs", "--follow", "-n", "0")
    assert follower.stdout is not None
    deadline = time.monotonic() + 60
    while not select.select([follower.stdout], [], [], 0.5)[0]:  # it shows what is written after it has begun
        assert time.monotonic() < deadline
        with (project / ".graphmigrate/server/logs/console.log").open("a") as file:
            file.write("a line of this test\n")
    assert follower.stdout.readline() == "a line of this test\n"
    follower.send_signal(signal.SIGINT)
    follower.communicate(timeout=10)
    assert follower.returncode == 130


def test_a_killed_server_is_noticed_and_its_data_is_there_again(project):
    before = server.find(project)
    assert before is not None
    ask(before, "CREATE (:Kept)")
    os.kill(before.pid or 0, signal.SIGKILL)
    while server.find(project) is not None:
        time.sleep(0.01)
    done = run(project, "server", "url")
    assert (done.returncode, done.stdout) == (3, "")
    assert "GM191" in done.stderr
    started = run(project, *START)
    assert started.returncode == 0, started.stderr
    assert "has died" in started.stderr
    after = server.find(project)
    assert after is not None
    assert after.pid != before.pid
    assert ask(after, "MATCH (n:Kept) RETURN count(n)") == [1]


def test_stop_ends_the_server_keeps_its_data_and_refuses_another_version(project):
    """The last test of this project."""
    found = server.find(project)
    assert found is not None
    assert run(project, "server", "stop").returncode == 0
    assert machine.birth(found.pid or 0) is None
    assert "nothing to stop" in run(project, "server", "stop").stderr
    assert run(project, "server", "status", "--exit-code").returncode == 1
    done = run(project, "server", "start", "--neo4j-version", "2026.05", "--provider", "jvm")
    assert done.returncode == 2
    assert "GM180" in done.stderr


def test_a_server_whose_start_was_killed_is_found_again(tmp_path):
    pid_file = tmp_path / ".graphmigrate/ephemeral/neo4j.pid"
    starter = command(tmp_path, *START, "--ephemeral", "--no-auth")
    try:
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.005)
        starter.kill()
        starter.communicate()
        assert server.find(tmp_path) is None
        found = server.start(tmp_path, ServerOptions(provider="jvm"), print)
        assert found.pid == int(pid_file.read_text())
        assert ask(found, "RETURN 1") == [1]
    finally:
        server.stop(tmp_path)
    assert not (tmp_path / ".graphmigrate/ephemeral").exists()
    assert machine.birth(found.pid or 0) is None


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(tmp_path):
    with pytest.raises(ServerFailed, match="OutOfMemoryError") as caught:
        server.start(
            tmp_path, ServerOptions(provider="jvm", port=0, ephemeral=True, auth=False, heap="16m"), print
        )
    assert caught.value.error_code == "GM180"
    assert "--heap" in (caught.value.hint or "")
    assert sorted(each.name for each in (tmp_path / ".graphmigrate").iterdir()) == [
        ".gitignore",
        "server.lock",
    ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_newest_version_on_a_newer_java_that_keeps_its_class_data(tmp_path, monkeypatch):
    release = RELEASES[-1]
    java.class_path(release, _java_for(release), print)
    library = java.cache_folder(release) / "lib"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    java.cache_folder(release).mkdir(parents=True)
    (java.cache_folder(release) / "lib").symlink_to(library)
    kept = ServerOptions(provider="jvm", version=release.version, port=0, auth=False)
    server.start(tmp_path, kept, print)
    server.stop(tmp_path)
    (archive,) = java.cache_folder(release).glob("*.jsa")
    found = server.start(tmp_path, replace(kept, ephemeral=True), print)
    try:
        assert str(archive) in Path(f"/proc/{found.pid}/maps").read_text()
        query = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0]"
        assert ask(found, query) == [found.version] == [release.version]
    finally:
        server.stop(tmp_path)
    assert machine.birth(found.pid or 0) is None
