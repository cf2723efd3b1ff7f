"""Fixtures: a real Neo4j of each tested version, emptied before each test."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import neo4j
import pytest

from graphmigrate.testing.servers import stopping_servers_in
from tests.projects import Project

if TYPE_CHECKING:
    from graphmigrate.server import Server

# In CI a change is judged by the same examples each time; elsewhere they are new ones.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("local", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("local")
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# A job in the background of a shell script ignores SIGINT, and so would everything that these tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of processes are started: without bytecode on disk each would compile the whole package.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

REPOSITORY = Path(__file__).parent.parent
DEFAULT_VERSION = "5.26"
NEWEST_VERSION = "2026.05"
NEWEST_WITH_CYPHER_25 = f"{NEWEST_VERSION} with Cypher 25"  # as its databases' default language


@dataclass(frozen=True)
class Neo4jTarget:
    """A running server to test against; ``env`` is what a subprocess needs to reach it."""

    uri: str
    username: str
    password: str
    version: str

    @property
    def env(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("NEO4J_", "GRAPHMIGRATE_"))
        }
        return kept | {
            "NEO4J_URI": self.uri,
            "NEO4J_USERNAME": self.username,
            "NEO4J_PASSWORD": self.password,
        }

    def driver(self) -> neo4j.Driver:
        auth = (self.username, self.password) if self.password else None
        return neo4j.GraphDatabase.driver(self.uri, auth=auth, notifications_min_severity="OFF")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--neo4j-versions",
        default=f"{DEFAULT_VERSION},{NEWEST_VERSION}",
        help="Neo4j versions, separated by commas: tests marked depends_on_version run on each, the others on the first.",
    )
    parser.addoption(
        "--everywhere",
        action="store_true",
        help="Run every test on each version and default language (make test-matrix).",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "neo4j_target" not in metafunc.fixturenames:
        return
    versions = metafunc.config.getoption("--neo4j-versions").split(",")
    everywhere = metafunc.config.getoption("--everywhere")
    if os.environ.get("GRAPHMIGRATE_TEST_URI"):
        versions = ["given"]
    elif everywhere:
        versions += [NEWEST_WITH_CYPHER_25] if NEWEST_VERSION in versions else []
    elif metafunc.definition.get_closest_marker("depends_on_version") is None:
        versions = versions[:1]
    else:  # each server with the language that a new installation of it has
        versions = [NEWEST_WITH_CYPHER_25 if each == NEWEST_VERSION else each for each in versions]
    metafunc.parametrize("neo4j_target", versions, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def _servers_of_tests_end_with_them(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ctrl-C and kill -9 leave no server that a test has started in its folder."""
    if os.name != "posix":
        yield  # no test starts a server there
        return
    with stopping_servers_in(tmp_path_factory.getbasetemp()):
        yield


@pytest.fixture(scope="session", autouse=True)
def _warm_processes_end_with_the_tests() -> Iterator[None]:
    from tests.acceptance.commands import warm

    with warm:
        yield


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[str], Server]]:
    """A server of a version, started when it is first asked for and kept: tests change between versions often."""
    from tests.servers import running_server

    with ExitStack() as stack:
        yield lru_cache(lambda version: stack.enter_context(running_server(version)))


@pytest.fixture(scope="session")
def neo4j_target(request: pytest.FixtureRequest, server_of: Callable[[str], Server]) -> Iterator[Neo4jTarget]:
    if request.param == "given":
        environ = os.environ.get
        yield Neo4jTarget(
            os.environ["GRAPHMIGRATE_TEST_URI"],
            environ("GRAPHMIGRATE_TEST_USERNAME", "neo4j"),
            environ("GRAPHMIGRATE_TEST_PASSWORD", ""),
            "given",
        )
        return
    server = server_of(request.param.removesuffix(" with Cypher 25"))
    target = Neo4jTarget(server.bolt_uri, server.username or "neo4j", server.password or "", request.param)
    if request.param == NEWEST_WITH_CYPHER_25:
        _set_default_language(target, "CYPHER 25")
    yield target
    if request.param == NEWEST_WITH_CYPHER_25:
        _set_default_language(target, "CYPHER 5")


def _set_default_language(target: Neo4jTarget, language: str) -> None:
    with target.driver() as driver, driver.session(database="system") as session:
        session.run(f"ALTER DATABASE neo4j SET DEFAULT LANGUAGE {language}").consume()


def quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\u005c").replace("`", "``") + "`"


@lru_cache
def _is_community(driver: neo4j.Driver) -> bool:
    return driver.execute_query("CALL dbms.components() YIELD edition").records[0][0] == "community"


def wipe(driver: neo4j.Driver, database: str | None = None) -> None:
    """Leave the database as new: no data, no constraint, no index but the two token lookup indexes.

    Everything is dropped in one transaction: one a constraint takes four times as long, before each of a thousand tests.
    """
    with driver.session(database=database) as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS").consume()
        indexes = list(session.run("SHOW INDEXES YIELD name, type, owningConstraint, state"))
        own = [each for each in indexes if each["type"] != "LOOKUP"]
        constraints = {each["owningConstraint"] for each in own} - {None}
        if not _is_community(driver):  # only there is a constraint without an index
            constraints |= set(session.run("SHOW CONSTRAINTS YIELD name").value())
        drops = [f"DROP CONSTRAINT {quoted(name)}" for name in sorted(constraints)]
        drops += [f"DROP INDEX {quoted(each['name'])}" for each in own if not each["owningConstraint"]]
        if drops:
            with session.begin_transaction() as transaction:
                for drop in drops:
                    transaction.run(drop).consume()
                transaction.commit()
        if any(each["state"] != "ONLINE" for each in indexes):
            session.run("CALL db.awaitIndexes(60)").consume()


@pytest.fixture(scope="session")
def session_driver(neo4j_target: Neo4jTarget) -> Iterator[neo4j.Driver]:
    with neo4j_target.driver() as driver:
        yield driver


@pytest.fixture
def driver(session_driver: neo4j.Driver) -> neo4j.Driver:
    wipe(session_driver)
    return session_driver


_SAMPLES: dict[
    str, frozenset[str]
] = {}  # by URI: the last transaction of a sample graph that nobody has changed


@pytest.fixture
def sample_graph(session_driver: neo4j.Driver, neo4j_target: Neo4jTarget) -> neo4j.Driver:
    """The shipped project, migrated and seeded by graphmigrate itself; made anew after a test that wrote."""
    from graphmigrate.testing.database import bookmark
    from tests.acceptance.commands import Folder

    if bookmark(session_driver) != _SAMPLES.get(neo4j_target.uri):
        wipe(session_driver)
        for command in ("migrate", "seed"):
            done = Folder(REPOSITORY, neo4j_target.env).run(command)
            assert done.returncode == 0, done.stderr
        _SAMPLES[neo4j_target.uri] = bookmark(session_driver)
    return session_driver


@pytest.fixture
def project(driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path) -> Project:
    """An empty project on an empty database."""
    return Project(neo4j_target, tmp_path)
