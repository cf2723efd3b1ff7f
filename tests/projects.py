"""Small projects on disk for tests, and what a database holds, as comparable values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import neo4j

from graphmigrate.events import Event
from graphmigrate.migrator import Migrator
from graphmigrate.settings import Secret, Settings


def write_migrations(folder: Path, **files: str) -> Path:
    """``write_migrations(tmp, V1__a="…")`` makes ``tmp/migrations/V1__a.cypher``; a name may end in ``.py``."""
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    for name, text in files.items():
        path = migrations / (name if name.endswith(".py") else f"{name}.cypher")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return migrations


def settings_for(target: Any, folder: Path, **more: Any) -> Settings:
    return Settings(
        uri=target.uri,
        username=target.username,
        password=Secret(target.password) if target.password else None,
        migrations=folder / "migrations",
        seeds=folder / "seeds",
        **more,
    )


class Project:
    """A folder and a target: makes a fresh Migrator for each call, as a new process would."""

    def __init__(self, target: Any, folder: Path, **more: Any) -> None:
        self.target = target
        self.folder = folder
        self.more = more
        self.events: list[Event] = []
        write_migrations(folder)

    def write(self, **files: str) -> Project:
        write_migrations(self.folder, **files)
        return self

    def migrator(self) -> Migrator:
        return Migrator(settings_for(self.target, self.folder, **self.more), listen=self.events.append)

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        with self.migrator() as migrator:
            return getattr(migrator, method)(*args, **options)

    def migrate(self, **options: Any) -> Any:
        return self.call("migrate", **options)


def rows(driver: neo4j.Driver, query: str, **parameters: Any) -> list[list[Any]]:
    return [list(record.values()) for record in driver.execute_query(query, parameters).records]


def count(driver: neo4j.Driver, label: str) -> int:
    return rows(driver, f"MATCH (n:`{label}`) RETURN count(n)")[0][0]


VOLATILE = (
    "run",
    "host",
    "since",
    "installed_on",
    "execution_time",
    "ended",
    "at",
    "id",
    "loaded_on",
    "catalogue",
    "commits",
    "runs",
    "outcome",  # of the last run
    *(
        "made",
        "dropped",
    ),  # the server's text of what one run made and the next one drops; the file's within one run
)


def dump(driver: neo4j.Driver, *, volatile: bool = False) -> dict[str, Any]:
    """The whole database: nodes, relationships, constraints, indexes; times and run ids left out unless asked."""
    kept = [] if volatile else list(VOLATILE)
    nodes = rows(driver, "MATCH (n) RETURN labels(n), properties(n)")
    cleaned = sorted(
        repr(
            (
                sorted(labels),
                sorted((k, str(v)) for k, v in properties.items() if k not in kept),
            )
        )
        for labels, properties in nodes
        if volatile
        or "__GraphMigrateRun" not in labels  # one a run, so their number tells how often it was disturbed
    )
    relationships = rows(
        driver,
        "MATCH (a)-[r]->(b) RETURN coalesce(a.key, a.id, elementId(a)), type(r), coalesce(b.key, b.id, elementId(b)), "
        "properties(r)",
    )
    constraints = rows(driver, "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties")
    indexes = rows(driver, "SHOW INDEXES YIELD name, type, labelsOrTypes, properties, state")
    return {
        "nodes": cleaned,
        "relationships": sorted(map(repr, relationships)),
        "constraints": sorted(map(repr, constraints)),
        "indexes": sorted(map(repr, indexes)),
    }
