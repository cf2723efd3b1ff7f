"""The lock as a test holds it, and as another one ends it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neo4j

from graphmigrate.database.connection import Database
from graphmigrate.database.lock import Lock, take_over
from graphmigrate.settings import Settings
from tests.projects import rows

OURS = "SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.role = 'lock' RETURN transactionId"


def run_on(driver: neo4j.Driver, settings: Settings, run: str) -> Database:
    made = Database(driver, settings, run=run, host=socket.gethostname(), user="me")
    made.name = "neo4j"
    return made


@contextmanager
def held(database: Database, **more: Any) -> Iterator[Lock]:
    lock = Lock(database, lambda _: None)
    lock.acquire(10)
    take_over(database)
    try:
        yield lock
    finally:
        lock.release()


def end_lock(driver: neo4j.Driver) -> None:
    (((lock,)),) = rows(driver, OURS)
    driver.execute_query("TERMINATE TRANSACTIONS $id YIELD message RETURN message", id=lock)
