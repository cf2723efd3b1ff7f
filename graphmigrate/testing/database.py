"""A test database that is put back into the state each test asks for, by the cheapest way that is safe.

A fresh session's bookmark names the last committed transaction, so an unchanged bookmark proves an unchanged database
(Neo4j Python Driver Manual, "Coordinate parallel transactions"). After a commit the contents are compared and put back;
where that fails, the database is emptied and the project's files make it anew.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from graphmigrate.cypher.lexer import quote
from graphmigrate.database.version import Version
from graphmigrate.errors import GraphMigrateError, UsageError
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.workspace import user_name
from graphmigrate.migrator import Migrator
from graphmigrate.settings import Settings
from graphmigrate.testing.snapshot import NotRestored, end_other_transactions, read, restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.results import MigrateResult, UndoResult
    from graphmigrate.testing.servers import Neo4jServer
    from graphmigrate.testing.snapshot import Contents

    Wanted = tuple[Settings, "State"]

_ANSWERS_WITHIN: Final = 5.0  # seconds; a given server is one that runs
MARKER: Final = "__GraphMigrateTest"
_DELETE: Final = (
    f"MATCH (n) WHERE NOT n:{MARKER} CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF 10000 ROWS"
)
_CONSTRAINTS: Final = "SHOW CONSTRAINTS YIELD name"
_INDEXES: Final = "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"
_CLAIM: Final = f"CREATE (:{MARKER} {{session: $session, host: $host, user: $user, since: datetime()}})"
_CLAIMS: Final = f"MATCH (n:{MARKER}) RETURN n.session AS session, n.host AS host, n.user AS user, toString(n.since) AS since"


@dataclass(frozen=True, slots=True)
class State:
    """What a test wants: migrations up to ``until`` (None: all), and ``seeds`` (None: none).

    No names of seeds mean those of ``profile``, and without one those that name no profile. ``allow_empty`` is that of
    ``Migrator``: whether the project may have no migration.
    """

    until: str | None = None
    seeds: tuple[str, ...] | None = None
    profile: str | None = None
    allow_empty: bool | None = None


class TestDatabase:
    """One test database for one session of tests, which nothing else uses.

    ``settings`` are those of the project whose test runs: a session may have tests of several. ``empty`` is the bookmark
    of a moment at which the database was known to be empty; None: it is now.
    """

    __test__ = False  # not a class of tests

    def __init__(
        self, driver: neo4j.Driver, settings: Settings | None = None, empty: frozenset[str] | None = None
    ) -> None:
        self.driver = driver
        self.settings = settings or Settings()
        self._known: dict[Wanted, Contents] = {}
        self._failed: dict[Wanted, Exception] = {}
        self._now: Wanted | None = None
        self._clean = empty or bookmark(driver)

    def prepare(self, state: State) -> None:
        """Put the database into ``state``; raises what makes that impossible, and raises the same when asked again."""
        self._prepare(state, bookmark(self.driver))

    def restore(self) -> None:
        """Undo everything that was done since ``prepare``, and end transactions that were left open."""
        if self._now is not None:
            self._prepare(self._now[1], bookmark(self.driver, end_locks=True))

    def empty(self) -> None:
        """Delete all data, constraints and indexes."""
        self._now = None
        wipe(self.driver, others=True)

    def migrator(self) -> Migrator:
        """Return the façade on the test database."""
        allow_empty = self._now[1].allow_empty if self._now else None
        return Migrator(self.settings, driver=self.driver, allow_empty=allow_empty)

    def _prepare(self, state: State, last: frozenset[str]) -> None:
        wanted = self.settings, state
        if wanted == self._now and last == self._clean:
            return
        if wanted in self._failed:
            raise self._failed[wanted]
        clean = self._put_back(wanted)
        if clean is None:
            try:
                self._make(state)
            except Exception as error:
                self._failed[wanted] = error
                self._now = None
                raise
            clean = bookmark(self.driver)
        self._now, self._clean = wanted, clean

    def _put_back(self, wanted: Wanted) -> frozenset[str] | None:
        """Put known contents back; returns the bookmark of that, None where it cannot be done."""
        if wanted not in self._known:
            return None
        try:
            return restore(self.driver, self._known[wanted])
        except (NotRestored, GraphMigrateError, DriverError, Neo4jError):
            del self._known[wanted]
            return None

    def _make(self, state: State) -> None:
        if state.seeds is None:
            if self._known or bookmark(self.driver) != self._clean:
                self.empty()
            with Migrator(self.settings, driver=self.driver, allow_empty=state.allow_empty) as migrator:
                migrator.migrate(target=state.until)
        else:
            self.prepare(State(state.until, allow_empty=state.allow_empty))
            self._seed(state)
        self._known[self.settings, state] = read(self.driver)

    def _seed(self, state: State) -> None:
        """Load seeds. Seeds want an up-to-date schema, so with ``until`` they see a copy of the migrations up to it."""
        with tempfile.TemporaryDirectory(prefix="graphmigrate-until-") as name:
            settings = self.settings
            if state.until is not None:
                folder = _copied(settings.migrations, state.until, Path(name) / "migrations")
                settings = replace(settings, migrations=folder)
            with Migrator(settings, driver=self.driver) as migrator:
                if state.seeds or state.profile or has_default_seeds(migrator):
                    migrator.seed(state.seeds or (), profile=state.profile)


@dataclass(frozen=True, slots=True)
class GraphAt:
    """The database of a test at a version of its choice, with a driver of it."""

    driver: neo4j.Driver
    database: TestDatabase

    def migrate_to(self, version: str | int | None = None) -> MigrateResult:
        """Apply what is pending up to a version, everything without one."""
        with self.database.migrator() as migrator:
            return migrator.migrate(target=version)

    def undo(self, *, to: str | int | None = None, steps: int | None = None) -> UndoResult:
        """Take back the last migration, the last ``steps``, or all that were applied after version ``to``."""
        with self.database.migrator() as migrator:
            return migrator.undo(to=to, steps=steps)


def has_default_seeds(migrator: Migrator) -> bool:
    """Return whether the project has seeds that load without a name or a profile."""
    return migrator.settings.seeds.is_dir() and any(
        not each.profiles for each in migrator.seeds(offline=True)
    )


def _copied(migrations: Path, until: str, folder: Path) -> Path:
    limit = Version.parse(until)
    shutil.copytree(migrations, folder)
    for file in collect(migrations).files:
        if file.version > limit:
            (folder / file.path.relative_to(migrations)).unlink()
    return folder


def bookmark(driver: neo4j.Driver, *, end_locks: bool = False) -> frozenset[str]:
    """Return the bookmark of the last committed transaction; ``end_locks`` first ends transactions that hold locks."""
    with driver.session(default_access_mode=neo4j.WRITE_ACCESS) as session:
        if end_locks:
            end_other_transactions(session, locks=1)
        else:
            session.run("RETURN 1").consume()
        return session.last_bookmarks().raw_values


def wipe(driver: neo4j.Driver, *, others: bool = False) -> None:
    """Delete all data, constraints and indexes, but for the claim on the database; ``others``: end transactions before."""
    with driver.session() as session:
        if others:
            end_other_transactions(session)
        session.run(_DELETE).consume()
        for kind, query in (("CONSTRAINT", _CONSTRAINTS), ("INDEX", _INDEXES)):
            for name in [record["name"] for record in session.run(query)]:
                session.run(f"DROP {kind} {quote(name)}").consume()


def quiet_driver(server: Neo4jServer) -> neo4j.Driver:
    """Return a driver for the plugin's own queries, whose notifications would only fill the captured logs of tests."""
    return neo4j.GraphDatabase.driver(server.uri, auth=server.auth, notifications_min_severity="OFF")


class NotOurs(UsageError):
    """The database is not one that tests may use."""

    code = "GM740"


@contextmanager
def claimed(driver: neo4j.Driver, uri: str, *, wipe_claimed: bool = False) -> Iterator[None]:
    """Hold an empty database for these tests; it is empty again afterwards.

    A node says which tests hold it. ``wipe_claimed`` empties a database that killed tests left claimed. Raises NotOurs
    (GM740) where the database holds anything; nothing was changed then.
    """
    own = uuid.uuid4().hex
    with driver.session() as session:
        claims = [record.data() for record in session.run(_CLAIMS)]
        if claims and wipe_claimed:
            wipe(driver)
            session.run(f"MATCH (n:{MARKER}) DELETE n").consume()
        elif claims:
            raise _claimed_by(claims[0], uri)
        _refuse_used(session, uri)
        session.run(_CLAIM, session=own, host=socket.gethostname(), user=user_name()).consume()
        others = [each for record in session.run(_CLAIMS) if (each := record.data())["session"] != own]
        if others:  # two sessions of tests began at the same moment
            session.run(f"MATCH (n:{MARKER} {{session: $own}}) DELETE n", own=own).consume()
            raise _claimed_by(others[0], uri)
    try:
        yield
    finally:
        wipe(driver, others=True)
        driver.execute_query(f"MATCH (n:{MARKER}) DELETE n")


@contextmanager
def claimed_server(server: Neo4jServer, *, wipe_claimed: bool) -> Iterator[None]:
    """Hold the database of a given server, once it answers (``claimed``)."""
    with quiet_driver(server) as driver:
        with Migrator(Settings(uri=server.uri), driver=driver) as migrator:
            migrator.wait(_ANSWERS_WITHIN)
        with claimed(driver, server.uri, wipe_claimed=wipe_claimed):
            yield


def _claimed_by(claim: dict[str, str], uri: str) -> NotOurs:
    return NotOurs(
        f"Tests of {claim['user']} on {claim['host']} use the database at {uri} since {claim['since']}, or were killed.",
        hint="Wait for them. If they are gone, empty it: pytest --graphmigrate-wipe (it deletes everything in there).",
        code="GM740",
    )


def _refuse_used(session: neo4j.Session, uri: str) -> None:
    nodes = session.run("MATCH (n) RETURN count(n) AS count").single(strict=True)["count"]
    names = [record["name"] for query in (_CONSTRAINTS, _INDEXES) for record in session.run(query)]
    found = [f"{nodes:,} {'node' if nodes == 1 else 'nodes'}"] if nodes else []
    if names:
        more = f" and {len(names) - 1} more" if names[1:] else ""
        found.append(f"the constraint or index {names[0]!r}{more}")
    if found:
        raise NotOurs(
            f"The database at {uri} holds {' and '.join(found)} that these tests did not make; nothing was touched.",
            hint="Tests delete what is in their database: give them an empty one (GRAPHMIGRATE_TEST_URI), or none, "
            "and one is started for them.",
        )
