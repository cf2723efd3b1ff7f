"""Whether a server is found, and the lines of its log that say why it failed."""

from __future__ import annotations

import subprocess
import sys
import time

from graphmigrate import server
from graphmigrate.server import health
from graphmigrate.server.state import Folder
from tests.unit.server.states import running


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


def test_importing_the_server_imports_no_driver():
    code = "import sys, graphmigrate.server as s; s.find(__import__('pathlib').Path('.')); print('neo4j' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


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
