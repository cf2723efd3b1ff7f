"""A Database as the inner rooms take it, for tests that go in below the façade."""

from __future__ import annotations

from typing import Any

import neo4j

from graphmigrate.database.connection import Database
from graphmigrate.settings import Settings


def database_of(driver: neo4j.Driver, run: str = "run-1", batch_rows: int = 10, **more: Any) -> Database:
    database = Database(driver, Settings(batch_rows=batch_rows, **more), run=run, host="here", user="tester")
    database.name = "neo4j"
    return database


def ask(database: Database, query: str, **parameters: Any) -> list[Any]:
    return [record.values() for record in database.read(query, **parameters)]
