"""A sampled fault campaign: whatever dies, running again ends as if nothing had happened. `make chaos` tries every point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import neo4j
import pytest

from tests.chaos.corpus import CORPUS, DOUBLED
from tests.chaos.proxy import proxy
from tests.conftest import Neo4jTarget, wipe
from tests.projects import dump, rows, write_migrations

POINTS = [int(each) for each in os.environ.get("GRAPHMIGRATE_CHAOS_POINTS", "").split()]
SAMPLES = int(os.environ.get("GRAPHMIGRATE_CHAOS_SAMPLES", "12"))


def start(target: Neo4jTarget, folder: Path, uri: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "graphmigrate", "migrate", *options],
        cwd=folder,
        env=target.env | {"NEO4J_URI": uri},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.fixture(scope="module")
def undisturbed(
    neo4j_target: Neo4jTarget, session_driver: neo4j.Driver, tmp_path_factory: Any
) -> dict[str, Any]:
    """The folder, the graph of a run that nothing disturbed, and how many pieces it sent and received."""
    folder = tmp_path_factory.mktemp("corpus")
    write_migrations(folder, **CORPUS)
    wipe(session_driver)
    with proxy(neo4j_target.uri) as counted:
        code, output = finish(start(neo4j_target, folder, counted.uri))
        assert code == 0, output
        pieces = counted.passed
    assert rows(session_driver, DOUBLED) == []
    return {"folder": folder, "graph": dump(session_driver), "pieces": pieces}


def points(pieces: int) -> list[int]:
    return sorted({1 + round(number * (pieces - 1) / (SAMPLES - 1)) for number in range(SAMPLES)})


def assert_recovered(
    target: Neo4jTarget, driver: neo4j.Driver, undisturbed: dict[str, Any], where: str
) -> None:
    code, output = finish(start(target, undisturbed["folder"], target.uri))
    assert code == 0, f"{where}: {output}"
    assert rows(driver, DOUBLED) == [], where
    found = dump(driver)
    for part, wanted in undisturbed["graph"].items():
        assert sorted(set(found[part]) ^ set(wanted)) == [], f"{where}: {part}"
        assert len(found[part]) == len(wanted), f"{where}: {part}"


@pytest.mark.timeout(900)
def test_kill_9_of_the_runner(
    neo4j_target: Neo4jTarget, session_driver: neo4j.Driver, undisturbed: Any
) -> None:
    for point in POINTS or points(undisturbed["pieces"]):
        wipe(session_driver)
        with proxy(neo4j_target.uri, point) as frozen:
            process = start(neo4j_target, undisturbed["folder"], frozen.uri)
            while not frozen.stopped.wait(0.05) and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
            finish(process)
        assert_recovered(neo4j_target, session_driver, undisturbed, f"killed at piece {point}")


@pytest.mark.timeout(900)
def test_cut_connections(neo4j_target: Neo4jTarget, session_driver: neo4j.Driver, undisturbed: Any) -> None:
    for point in POINTS or points(undisturbed["pieces"]):
        wipe(session_driver)
        with proxy(neo4j_target.uri, point, cut=True) as cutting:
            code, output = finish(start(neo4j_target, undisturbed["folder"], cutting.uri))
            assert code in {0, 3, 4, 5}, output
            assert "Traceback" not in output
        assert_recovered(neo4j_target, session_driver, undisturbed, f"cut at piece {point}")


@pytest.mark.timeout(300)
def test_eight_runners_at_once(
    neo4j_target: Neo4jTarget, session_driver: neo4j.Driver, undisturbed: Any
) -> None:
    for until in ((), ("--to", "V5")):
        wipe(session_driver)
        if until:
            assert finish(start(neo4j_target, undisturbed["folder"], neo4j_target.uri, *until))[0] == 0
        processes = [start(neo4j_target, undisturbed["folder"], neo4j_target.uri) for _ in range(8)]
        results = [finish(process) for process in processes]
        assert [code for code, _ in results] == [0] * 8, results
        assert rows(session_driver, DOUBLED) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(
    neo4j_target: Neo4jTarget, driver: neo4j.Driver, tmp_path: Path, number: signal.Signals
) -> None:
    slow = "UNWIND range(1, 3000000) AS i CREATE (:Slow {i: i});"
    write_migrations(tmp_path, V1__a="CREATE (:Trace {at: 'V1'});", V2__slow=slow)
    process = start(neo4j_target, tmp_path, neo4j_target.uri)
    deadline = 200
    while rows(driver, "MATCH (t:Trace) RETURN count(t)") == [[0]] and deadline:
        deadline -= 1
    process.send_signal(number)
    code, output = finish(process)
    assert code == 128 + number, output
    assert "Traceback" not in output
    assert rows(driver, "MATCH (s:Slow) RETURN count(s)") == [[0]]
    write_migrations(tmp_path, V2__slow="CREATE (:Trace {at: 'V2'});")
    assert finish(start(neo4j_target, tmp_path, neo4j_target.uri))[0] == 0
    assert rows(driver, "MATCH (t:Trace) RETURN t.at ORDER BY t.at") == [["V1"], ["V2"]]
