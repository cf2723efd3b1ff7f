"""Waiting until a started server answers real queries."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.server import ports
from graphmigrate.server.model import HOST
from graphmigrate.server.state import USERNAME

if TYPE_CHECKING:
    from collections.abc import Callable

    import neo4j

DATABASE = "neo4j"
_ENOUGH = 2  # a server that sets its password may come up, go down and come up again
_PAUSE = 0.05


class Died(Exception):
    """The server ended while it was waited for."""


class TooSlow(Exception):
    """The server did not answer in time."""


class Refused(Exception):
    """The server does not take the password."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for one server; ``alive`` says whether it still runs."""

    port: int
    password: str | None
    timeout: float
    alive: Callable[[], bool]


def wait(waiting: Waiting) -> str:
    """Return the server's version once a query has succeeded twice in a row; raises Died, TooSlow or Refused."""
    limit = time.monotonic() + waiting.timeout
    while not ports.is_open(waiting.port):
        _pause(waiting, limit)
    # Imported while the server boots. No retries by the driver: it would wait 30 s at a time.
    import neo4j

    auth = (USERNAME, waiting.password) if waiting.password else None
    with neo4j.GraphDatabase.driver(
        f"bolt://{HOST}:{waiting.port}",
        auth=auth,
        connection_timeout=2.0,
        connection_acquisition_timeout=5.0,
        notifications_min_severity="OFF",
    ) as driver:
        succeeded = 0
        while True:
            version = _ask(driver)
            succeeded = succeeded + 1 if version else 0
            if version and succeeded >= _ENOUGH:
                return version
            if not version:
                _pause(waiting, limit)


def _pause(waiting: Waiting, limit: float) -> None:
    if not waiting.alive():
        raise Died
    if time.monotonic() > limit:
        raise TooSlow
    time.sleep(_PAUSE)


def _ask(driver: neo4j.Driver) -> str | None:
    """Ask a real question of the database; None where there is no answer yet."""
    from neo4j.exceptions import AuthError, DriverError, Neo4jError

    query = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version"
    try:
        with driver.session(database=DATABASE) as session:
            return str(session.run(query).single(strict=True)["version"])
    except AuthError as error:  # asking again would only bring the server's rate limit
        raise Refused from error
    except (DriverError, Neo4jError):
        return None
