"""The pytest plugin: a real Neo4j, migrated and seeded, that is back in its state after each test.

pytest loads it by itself wherever graphmigrate is installed (entry point ``pytest11``), so nothing heavy is imported until a test
asks for one of the fixtures: ``neo4j_server``, ``neo4j_driver``, ``migrated_graph``, ``seeded_graph``, ``graph_migrator``,
``graphmigrate_at``.
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graphmigrate.errors import GraphMigrateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import neo4j

    from graphmigrate.migrator import Migrator
    from graphmigrate.settings import Settings
    from graphmigrate.testing.database import GraphAt, State, TestDatabase
    from graphmigrate.testing.servers import Choice, Neo4jServer

MARK = "graph(seeds=[…], profile=…, until=…, allow_empty=…): what migrated_graph and seeded_graph hold in this test"
READY_MADE = Path(__file__).with_name("ready_made.py")
_SERVER = pytest.StashKey["Neo4jServer"]()
_EMPTY = pytest.StashKey[frozenset[str]]()
_LONG = ("Downloading", "Pulling", "Docker cannot")  # what a person who waits has to know
_HINTS = {  # in place of hints that name options of the command line
    "GM110": "The fixture graphmigrate_settings says where the project is: override it in conftest.py. A project without "
    "migrations: @pytest.mark.graph(allow_empty=True).",
    "GM301": "Start that Neo4j, or name none (GRAPHMIGRATE_TEST_URI, --graphmigrate-uri): one is started for these tests then.",
    "GM302": "Give the user and the password by GRAPHMIGRATE_TEST_USERNAME and GRAPHMIGRATE_TEST_PASSWORD.",
}
_logger = logging.getLogger("graphmigrate.tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and keys of the configuration file."""
    group = parser.getgroup("graphmigrate", "tests on a real Neo4j (graphmigrate)")
    group.addoption(
        "--graphmigrate-uri", metavar="URI", help="An empty test database [GRAPHMIGRATE_TEST_URI]."
    )
    group.addoption(
        "--graphmigrate-server",
        choices=("docker", "jvm"),
        help="Without a URI: how to start a server; default: Docker where testcontainers can, else a JVM.",
    )
    group.addoption("--graphmigrate-neo4j", metavar="VERSION", help="Its version; default: 5.26.")
    group.addoption(
        "--graphmigrate-wipe",
        action="store_true",
        help="Empty the given test database where tests that were killed left it claimed.",
    )
    group.addoption(
        "--graphmigrate-tests",
        action="store_true",
        help="Also run ready-made tests of the project's migrations, seeds and documented queries.",
    )
    parser.addini("graphmigrate_uri", "An empty test database.")
    parser.addini("graphmigrate_server", "How to start a server: docker or jvm.")
    parser.addini("graphmigrate_neo4j", "The version of a server that is started.")
    parser.addini(
        "graphmigrate_docs", "Pages whose ```cypher blocks have to answer on the seeded graph.", type="args"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", MARK)


def pytest_report_header(config: pytest.Config) -> str:
    """Return which Neo4j the tests will get."""
    try:
        choice = _choice(config)
    except UsageError as error:
        return f"graphmigrate: {error.message}"
    if choice.uri is not None:
        return f"graphmigrate: Neo4j at {choice.uri} ({choice.why})"
    where = {"docker": "Neo4j in Docker", "jvm": "Neo4j on a local JVM"}[choice.provider]
    return f"graphmigrate: {where} ({choice.why}), started by the first test that needs it"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which Neo4j was used, where one was."""
    server = config.stash.get(_SERVER, None)
    if server is not None and server.provider != "given":
        terminalreporter.write_line(f"graphmigrate: tested on Neo4j {server.version} ({server.provider})")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the ready-made tests, before others choose among the items."""
    if config.getoption("--graphmigrate-tests"):
        module = pytest.Module.from_parent(session, path=READY_MADE, nodeid="graphmigrate")
        items.extend(session.genitems(module))


def _choice(config: pytest.Config) -> Choice:
    from graphmigrate.testing import servers

    def said(name: str) -> str | None:
        return config.getoption(f"--graphmigrate-{name}") or config.getini(f"graphmigrate_{name}") or None

    uris = [
        (config.getoption("--graphmigrate-uri"), "--graphmigrate-uri"),
        (os.environ.get(servers.URI), servers.URI),
        (config.getini("graphmigrate_uri"), "graphmigrate_uri"),
    ]
    return servers.choose(
        os.environ,
        uri=next(((uri, origin) for uri, origin in uris if uri), None),
        provider=said("server"),
        version=said("neo4j"),
        worker=os.environ.get("PYTEST_XDIST_WORKER"),
    )


def _tell(config: pytest.Config, line: str) -> None:
    _logger.info(line)
    capture = config.pluginmanager.getplugin("capturemanager")
    if line.startswith(_LONG) and capture is not None:
        with capture.global_and_fixture_disabled():
            print(f"\ngraphmigrate: {line}")


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of this package into a failed test without our own stack."""
    try:
        yield
    except GraphMigrateError as error:
        lines = [f"{error.place}:"] if error.place else []
        lines += [f"{error.error_code}: {error.message}", *map(str, error.problems)]
        hint = _HINTS.get(error.error_code, error.hint)
        raise pytest.fail.Exception(
            "\n".join([*lines, *([f"hint: {hint}"] if hint else [])]), pytrace=False
        ) from None


@pytest.fixture(scope="session")
def graphmigrate_settings(pytestconfig: pytest.Config) -> Settings:
    """Return the project's settings: those of the configuration file in pytest's root folder.

    Override it in ``conftest.py`` where the project is elsewhere; each of several folders of tests may name a project of its
    own. URI, user and password in it are not used.
    """
    from graphmigrate.settings import load

    with explained():
        return load(folder=pytestconfig.rootpath, environment={}, connect=False).settings


@pytest.fixture(scope="session")
def neo4j_server(pytestconfig: pytest.Config) -> Iterator[Neo4jServer]:
    """Yield the Neo4j of this session (of this worker, with pytest-xdist): ``uri``, ``auth``, ``env``."""
    from graphmigrate.testing import database, servers

    with ExitStack() as stack:
        with explained():
            server = stack.enter_context(
                servers.provided(_choice(pytestconfig), lambda line: _tell(pytestconfig, line))
            )
            if server.provider == "given":
                wipe_claimed = pytestconfig.getoption("--graphmigrate-wipe")
                stack.enter_context(database.claimed_server(server, wipe_claimed=wipe_claimed))
        pytestconfig.stash[_SERVER] = server
        with database.quiet_driver(server) as driver:
            pytestconfig.stash[_EMPTY] = database.bookmark(
                driver
            )  # before any fixture of the project can write
        yield server


@pytest.fixture(scope="session")
def neo4j_driver(neo4j_server: Neo4jServer) -> Iterator[neo4j.Driver]:
    """Yield a driver of the session's Neo4j, which holds what the last test left."""
    import neo4j

    with neo4j.GraphDatabase.driver(neo4j_server.uri, auth=neo4j_server.auth) as driver:
        yield driver


@pytest.fixture(scope="session")
def _test_database(pytestconfig: pytest.Config, neo4j_server: Neo4jServer) -> Iterator[TestDatabase]:
    from graphmigrate.testing import database

    with database.quiet_driver(neo4j_server) as driver:  # tests may close the driver that they are given
        yield database.TestDatabase(driver, empty=pytestconfig.stash.get(_EMPTY, None))


@pytest.fixture
def graphmigrate_database(
    _test_database: TestDatabase, neo4j_server: Neo4jServer, graphmigrate_settings: Settings
) -> TestDatabase:
    """Return the database of this session for the project of this test; for this plugin's own use."""
    # What the configuration says of a target (its address, that it is protected) is about another one.
    _test_database.settings = replace(
        graphmigrate_settings, uri=neo4j_server.uri, database=None, protected=False
    )
    return _test_database


@pytest.fixture
def _graph_state(
    request: pytest.FixtureRequest, graphmigrate_database: TestDatabase
) -> Iterator[TestDatabase]:
    with explained():
        graphmigrate_database.prepare(_wanted(request))
    yield graphmigrate_database
    with explained():
        graphmigrate_database.restore()


def _wanted(request: pytest.FixtureRequest) -> State:
    """Read the mark: seeds are loaded where it names some, or where ``seeded_graph`` is asked for."""
    from graphmigrate.testing.database import State

    seeded = "seeded_graph" in request.fixturenames
    words: dict[str, Any] = {}
    for mark in request.node.iter_markers("graph"):  # the closest one first
        unknown = mark.kwargs.keys() - {"seeds", "profile", "until", "allow_empty"}
        if mark.args or unknown:
            named = ", ".join(sorted(unknown)) or "values without a name"
            pytest.fail(
                f"@pytest.mark.graph takes seeds, profile, until and allow_empty, not {named}.", pytrace=False
            )
        words = mark.kwargs | words
    seeds = words.get("seeds")
    if isinstance(seeds, str):
        seeds = [seeds]
    profile = words.get("profile")
    if seeds is None and (seeded or profile is not None):
        seeds = ()
    until = words.get("until")
    return State(
        None if until is None else str(until),
        None if seeds is None else tuple(seeds),
        profile,
        words.get("allow_empty"),
    )


@pytest.fixture
def migrated_graph(_graph_state: TestDatabase, neo4j_driver: neo4j.Driver) -> neo4j.Driver:
    """Return a driver of a database with every migration applied; after the test it is so again."""
    return neo4j_driver


@pytest.fixture
def seeded_graph(migrated_graph: neo4j.Driver) -> neo4j.Driver:
    """Return ``migrated_graph`` with the seeds loaded that the mark names, else those of its profile, or of none."""
    return migrated_graph


@pytest.fixture
def graph_migrator(_graph_state: TestDatabase) -> Iterator[Migrator]:
    """Yield the façade on ``migrated_graph``, for tests of migrations themselves (see ``until`` of the mark)."""
    with _graph_state.migrator() as migrator:
        yield migrator


@pytest.fixture
def graphmigrate_at(
    graphmigrate_database: TestDatabase, neo4j_driver: neo4j.Driver
) -> Iterator[Callable[[str | int], GraphAt]]:
    """Yield a function that puts the database at a version: load what a data migration is to find, migrate, look, undo.

    ``graph = graphmigrate_at("V11")``, then ``graph.driver``, ``graph.migrate_to("V12")`` and ``graph.undo()``.
    """
    from graphmigrate.testing.database import GraphAt, State

    def at(version: str | int) -> GraphAt:
        with explained():
            graphmigrate_database.prepare(State(str(version)))
        return GraphAt(neo4j_driver, graphmigrate_database)

    yield at
    with explained():
        graphmigrate_database.restore()
