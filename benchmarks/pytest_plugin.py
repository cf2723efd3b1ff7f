"""What a test with ``migrated_graph`` costs beyond its own work, and how soon a session of tests has its first answer.

A whole pytest session is run in a project with the shipped migrations; a recorder in it writes down how long each setup and
teardown of a test took. What a test does itself is its call, and is not counted.
"""

from __future__ import annotations

import json
import shutil
import statistics
from typing import TYPE_CHECKING

from benchmarks.measure import PYTHON, REPOSITORY, Bench, Command, Figure, run

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = 40
TARGET = 30.0  # milliseconds
FIRST_QUERY = {True: 4.0, False: 8.0}  # seconds, with and without class data
WORK = {
    "reads": "MATCH (n) RETURN count(n)",
    "adds 5 nodes and 5 relationships": "UNWIND range(1, 5) AS i CREATE (:Project {id: 'p' + i})-[:HAS]->(:Model {id: 'm' + i})",
    "deletes everything": "MATCH (n) DETACH DELETE n",
    "adds an index": "CREATE INDEX extra IF NOT EXISTS FOR (n:Extra) ON (n.x)",
}
SUITE = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
@pytest.mark.parametrize("work", {work})
def test_cost(number, work, migrated_graph):
    migrated_graph.execute_query(work)
"""
FIRST = """
def test_first(neo4j_driver):
    neo4j_driver.execute_query("RETURN 1")
"""
RECORDER = """
import json, pathlib
reports = []

def pytest_runtest_logreport(report):
    reports.append([report.nodeid, report.when, report.duration])

def pytest_sessionfinish():
    pathlib.Path("durations.json").write_text(json.dumps(reports))
"""


def figures(bench: Bench) -> Iterator[Figure]:
    """Time both."""
    reports = durations(bench, "costs", SUITE.format(tests=TESTS, work=list(WORK.values())), given=True)
    for name, work in WORK.items():
        costs: dict[str, float] = {}
        for test, when, seconds in reports:
            if f"[{work}-" in test and when != "call":
                costs[test] = costs.get(test, 0.0) + 1000 * seconds
        found = list(costs.values())[1:]  # the first one of each kind is planned by the server
        detail = f"median of {len(found)}; {max(found):.0f} ms at most"
        target = TARGET if name != "adds an index" else None
        yield Figure(f"migrated_graph, a test that {name}", statistics.median(found), target, "ms", detail)
    trained = any_class_data()
    seconds = [
        sum(
            each
            for _, when, each in durations(bench, f"first-{number}", FIRST, given=False)
            if when != "teardown"
        )
        for number in range(bench.times(3))
    ]
    what = f"first query of a session on a local JVM, {'with' if trained else 'without'} class data"
    yield Figure(what, statistics.median(seconds), FIRST_QUERY[trained], "s", f"{len(seconds)} sessions")


def durations(bench: Bench, name: str, suite: str, *, given: bool) -> list[tuple[str, str, float]]:
    """Run a session of pytest; gives what was recorded."""
    folder = bench.folder / name
    folder.mkdir()
    shutil.copytree(REPOSITORY / "migrations", folder / "migrations")
    (folder / "test_cost.py").write_text(suite)
    (folder / "conftest.py").write_text(RECORDER)
    environment = dict(bench.environment)
    if given:
        bench.wipe()
        environment |= {
            "GRAPHMIGRATE_TEST_URI": bench.uri,
            "GRAPHMIGRATE_TEST_USERNAME": bench.username,
            "GRAPHMIGRATE_TEST_PASSWORD": bench.password,
        }
    words = (PYTHON, "-m", "pytest", "-q", "--graphmigrate-server", "jvm")
    run(Command(words, folder, environment))
    return [tuple(each) for each in json.loads((folder / "durations.json").read_text())]


def any_class_data() -> bool:
    """Say whether the default release has the class-data archive of the Java that runs it here."""
    from graphmigrate.server import java, jvm
    from graphmigrate.server.model import DEFAULT

    return jvm.archive_path(DEFAULT, java.choose(DEFAULT)).exists()
