"""Keeps a test database in the state that each test asks for, by the cheapest way that is safe.

Whether anything was committed is told by a bookmark: a fresh session's bookmark names the last committed transaction, so
an unchanged one proves an unchanged database (Neo4j Python Driver Manual, "Coordinate parallel transactions"). Only then
contents are compared and mended in place; where that fails the database is emptied and made anew by the project's files.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neo4j.exceptions import DriverError, Neo4jError

from graphmigrate.database.version import Version
from graphmigrate.errors import GraphMigrateError
from graphmigrate.migrations.files import collect
from graphmigrate.migrator import Migrator
from graphmigrate.testing.snapshot import NotRestored, read, restore
from graphmigrate.testing.wipe import bookmark, bookmark_without_locks, wipe

if TYPE_CHECKING:
    import neo4j

    from graphmigrate.settings import Settings
    from graphmigrate.testing.snapshot import Contents

    Wanted = tuple[Settings, "State"]


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


class Keeper:
    """One test database for one session of tests. The database is this object's alone.

    ``settings`` are those of the project whose test runs: a session may have tests of several. ``empty`` is the bookmark
    of a moment at which the database was known to be empty; None: it is now.
    """

    def __init__(self, driver: neo4j.Driver, settings: Settings, empty: frozenset[str] | None = None) -> None:
        self.driver = driver
        self.settings = settings
        self._known: dict[Wanted, Contents] = {}
        self._failed: dict[Wanted, Exception] = {}
        self._now: Wanted | None = None
        self._clean = empty or bookmark(driver)

    def bring(self, state: State) -> None:
        """Make the database be in ``state``; raises what made it impossible, and the same again when asked again."""
        self._bring(state, bookmark(self.driver))

    def restore(self) -> None:
        """Undo whatever was done since ``bring``; transactions that were left open are ended."""
        if self._now is not None:
            self._bring(self._now[1], bookmark_without_locks(self.driver))

    def empty(self) -> None:
        """Leave the database without data, constraints and indexes."""
        self._now = None
        wipe(self.driver, others=True)

    def _bring(self, state: State, last: frozenset[str]) -> None:
        wanted = self.settings, state
        if wanted == self._now and last == self._clean:
            return
        if wanted in self._failed:
            raise self._failed[wanted]
        clean = self._mend(wanted)
        if clean is None:
            try:
                self._make(state)
            except Exception as error:
                self._failed[wanted] = error
                self._now = None
                raise
            clean = bookmark(self.driver)
        self._now, self._clean = wanted, clean

    def _mend(self, wanted: Wanted) -> frozenset[str] | None:
        """Bring the database to a known state in place; gives the bookmark of that, None where it cannot be done."""
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
            self.bring(State(state.until, allow_empty=state.allow_empty))
            self._seed(state)
        self._known[self.settings, state] = read(self.driver)

    def _seed(self, state: State) -> None:
        """Load seeds; those on top of an older schema are shown the migrations up to it alone, or they would be refused."""
        with tempfile.TemporaryDirectory(prefix="graphmigrate-until-") as name:
            settings = self.settings
            if state.until is not None:
                folder = _copied(settings.migrations, state.until, Path(name) / "migrations")
                settings = replace(settings, migrations=folder)
            with Migrator(settings, driver=self.driver) as migrator:
                if state.seeds or state.profile or loads_unasked(migrator):
                    migrator.seed(state.seeds or (), profile=state.profile)

    def migrator(self) -> Migrator:
        """Give the façade on the test database."""
        allow_empty = self._now[1].allow_empty if self._now else None
        return Migrator(self.settings, driver=self.driver, allow_empty=allow_empty)


def loads_unasked(migrator: Migrator) -> bool:
    """Whether the project has seeds that are loaded though neither a name nor a profile asks for them."""
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
