"""What the server says of itself: version, edition, the database's name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from graphmigrate.database import queries
from graphmigrate.database.failures import DriverFailure, connection_failure, worth_retrying
from graphmigrate.results import Target

if TYPE_CHECKING:
    from graphmigrate.database.connection import Database

# Nothing there yet, half there, no routes yet, the database not yet made; GM307: somebody else's wrong passwords
# have locked the user for some seconds, which says nothing about ours; GM321: it may be going down once more.
STARTING = frozenset({"GM301", "GM303", "GM306", "GM307", "GM309", "GM321"})
WRONG_CERTIFICATE = "GM315"  # waiting does not help


def read_target(database: Database) -> Target:
    """Ask the server who it is; raises ConnectionFailed or NotAllowed in words a person can use."""
    settings = database.settings
    try:
        record = database.read(queries.FACTS)[0]
    except DriverFailure as error:
        raise connection_failure(error, settings) from error
    return Target(settings.uri, record["database"], record["edition"], record["version"])


def wait_for_target(database: Database, timeout: float) -> Target:
    """Wait until two real queries in a row succeed on the target database.

    A refused password, or a certificate that is not to be trusted, fails at once.

    ``timeout`` is in seconds. A server that has just started may come up, go down and come up again: hence two.
    """
    deadline = time.monotonic() + timeout
    successes, pause = 0, 0.1
    while True:
        try:
            record = database.read(queries.FACTS)[0]
            successes += 1
            if successes == 2:
                return Target(database.settings.uri, record["database"], record["edition"], record["version"])
        except DriverFailure as error:
            successes = 0
            failure = connection_failure(error, database.settings)
            starting = worth_retrying(error) or failure.error_code in STARTING
            starting = starting and failure.error_code != WRONG_CERTIFICATE
            if not starting or time.monotonic() + pause > deadline:
                raise failure from error
        time.sleep(pause if successes == 0 else 0.05)
        pause = min(pause * 1.5, 2.0)
