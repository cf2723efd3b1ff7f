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

from graphmigrate.errors import GraphMigrateError
from graphmigrate.migrator import Migrator
from graphmigrate.project.collect import collect
from graphmigrate.project.versions import Version
from graphmigrate.testing.contents import NotRestored, read, restore
from graphmigrate.testing.whole import bookmark, wipe

if TYPE_CHECKING:
    import neo4j

    from graphmigrate.config import Settings
    from graphmigrate.testing.contents import Contents


@dataclass(frozen=True, slots=True)
class State:
    """What a test wants: migrations up to ``until`` (None: all), and ``seeds`` (None: none; empty: all)."""

    until: str | None = None
    seeds: tuple[str, ...] | None = None
    profile: str | None = None


class Keeper:
    """One test database for one session of tests. The database is this object's alone."""

    def __init__(self, driver: neo4j.Driver, settings: Settings) -> None:
        self.driver = driver
        self.settings = settings
        self._known: dict[State, Contents] = {}
        self._failed: dict[State, Exception] = {}
        self._state: State | None = None
        self._clean = bookmark(driver)

    def bring(self, state: State) -> None:
        """Make the database be in ``state``; raises what made it impossible, and the same again when asked again."""
        if state == self._state and bookmark(self.driver) == self._clean:
            return
        if state in self._failed:
            raise self._failed[state]
        clean = self._mend(state)
        if clean is None:
            try:
                self._make(state)
            except Exception as error:
                self._failed[state] = error
                self._state = None
                raise
            clean = bookmark(self.driver)
        self._state, self._clean = state, clean

    def restore(self) -> None:
        """Undo whatever was done since ``bring``."""
        if self._state is not None:
            self.bring(self._state)

    def empty(self) -> None:
        """Leave the database without data, constraints and indexes."""
        self._state = None
        wipe(self.driver, others=True)

    def _mend(self, state: State) -> frozenset[str] | None:
        """Bring the database to a known state in place; gives the bookmark of that, None where it cannot be done."""
        if state not in self._known:
            return None
        try:
            return restore(self.driver, self._known[state])
        except (NotRestored, GraphMigrateError, DriverError, Neo4jError):
            del self._known[state]
            return None

    def _make(self, state: State) -> None:
        if state.seeds is None:
            if self._known or bookmark(self.driver) != self._clean:
                self.empty()
            with self.migrator() as migrator:
                migrator.migrate(target=state.until)
        else:
            self.bring(State(state.until))
            self._seed(state)
        self._known[state] = read(self.driver)

    def _seed(self, state: State) -> None:
        """Load seeds; those on top of an older schema are shown the migrations up to it alone, or they would be refused."""
        if not (state.seeds or state.profile or self.settings.seeds.is_dir()):
            return  # all seeds of a project that has none
        with tempfile.TemporaryDirectory(prefix="graphmigrate-until-") as name:
            settings = self.settings
            if state.until is not None:
                folder = _copied(settings.migrations, state.until, Path(name) / "migrations")
                settings = replace(settings, migrations=folder)
            with Migrator(settings, driver=self.driver) as migrator:
                migrator.seed(state.seeds or (), profile=state.profile)

    def migrator(self) -> Migrator:
        """Give the façade on the test database."""
        return Migrator(self.settings, driver=self.driver)


def _copied(migrations: Path, until: str, folder: Path) -> Path:
    limit = Version.parse(until)
    shutil.copytree(migrations, folder)
    for file in collect(migrations).files:
        if file.version > limit:
            (folder / file.path.relative_to(migrations)).unlink()
    return folder
