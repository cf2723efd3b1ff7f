"""A Neo4j container for tests that is migrated and seeded when it is up; needs ``graphmigrate[testcontainers]``."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from graphmigrate.errors import UsageError
from graphmigrate.migrator import Migrator
from graphmigrate.settings import Secret, Settings

try:
    try:
        from testcontainers.community.neo4j import Neo4jContainer
    except ModuleNotFoundError:  # before testcontainers 4.13
        from testcontainers.neo4j import Neo4jContainer
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"graphmigrate.testing.container needs the package testcontainers ({error}). "
        "Install it with: pip install 'graphmigrate[testcontainers]'",
        name=error.name,
    ) from None

if TYPE_CHECKING:
    import neo4j

    from graphmigrate.results import MigrateResult, SeedResult

IMAGE = "neo4j:5.26"
"""The image that is used where none is named: a release with long-term support, never ``latest``."""
ANSWER = 60.0  # seconds for the first queries after the log says that Bolt is open


class GraphMigrateNeo4jContainer(Neo4jContainer):  # type: ignore[misc,unused-ignore]
    """testcontainers' Neo4j with migrations applied and seeds loaded by ``start`` (or ``with``).

    The password is a random one unless given. What a failure leaves is removed: where ``start`` raises (GraphMigrateError),
    no container stays behind. ``migrated`` and ``seeded`` say what was done.
    """

    def __init__(self, image: str = IMAGE, *, password: str | None = None, **more: Any) -> None:
        super().__init__(image, password=password or secrets.token_hex(16), **more)
        self.migrated: MigrateResult | None = None
        self.seeded: SeedResult | None = None
        self._folders = Settings(migrations=Path(), seeds=Path())
        self._work: dict[str, dict[str, Any]] = {}

    def with_migrations(self, folder: str | Path) -> Self:
        """Apply the migrations of this folder."""
        self._folders = replace(self._folders, migrations=Path(folder))
        self._work["migrate"] = {}
        return self

    def with_seeds(
        self, folder: str | Path, *names: str, profile: str | None = None, **variables: str
    ) -> Self:
        """Then load seeds of this folder: the named ones, else those of ``profile``, else those of no profile."""
        self._folders = replace(self._folders, seeds=Path(folder))
        self._work["seed"] = {"names": names, "profile": profile, "variables": variables}
        return self

    @property
    def settings(self) -> Settings:
        """What ``graphmigrate.migrator.Migrator`` needs to reach the running container."""
        uri, password = self.get_connection_url(), Secret(self.password)
        return replace(self._folders, uri=uri, username=self.username, password=password)

    def start(self) -> Self:
        """Start the server, migrate, seed; raises GraphMigrateError where that fails, GM213 for seeds without migrations."""
        if "seed" in self._work and "migrate" not in self._work:
            raise UsageError(
                "with_seeds needs with_migrations: seeds are loaded into an up-to-date schema.",
                hint="An empty folder will do where there are no migrations.",
                code="GM213",
            )
        super().start()
        try:
            self._prepare()
        except BaseException:
            self.stop()
            raise
        return self

    def _prepare(self) -> None:
        with Migrator(self.settings) as migrator:
            migrator.wait(ANSWER)
            if "migrate" in self._work:
                self.migrated = migrator.migrate()
            if "seed" in self._work:
                self.seeded = migrator.seed(**self._work["seed"])

    def get_driver(self, **options: Any) -> neo4j.Driver:
        """Return a driver; the caller closes it."""
        return super().get_driver(**options)  # type: ignore[no-any-return,unused-ignore]
