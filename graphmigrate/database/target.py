"""What the server says of itself: version, edition, languages, and of the database: name and kind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.failures import DriverFailure, connection_failure, worth_retrying
from graphmigrate.errors import Problem, Severity
from graphmigrate.results import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import neo4j

    from graphmigrate.database.connection import Database

# Releases that must not be used, each with the one that repairs it.
_HARMFUL_RELEASES = {"2026.08.0": "2026.08.1"}

# Nothing there yet, half there, no routes yet, the database not yet made; GM307: somebody else's wrong passwords
# have locked the user for some seconds, which says nothing about ours; GM321: it may be going down once more.
STARTING = frozenset({"GM301", "GM306", "GM307", "GM309", "GM321"})
WRONG_CERTIFICATE = "GM315"  # waiting does not help


def read_target(database: Database) -> Target:
    """Return who the server is, and tell ``database`` its name and languages. Raises ConnectionFailed and NotAllowed."""
    try:
        return _target(database, database.read(queries.FACTS)[0])
    except DriverFailure as error:
        raise connection_failure(error, database.settings) from error


def _target(database: Database, facts: neo4j.Record) -> Target:
    database.name, database.languages = facts["database"], frozenset(facts["languages"] or ["5"])
    return Target(database.settings.uri, facts["database"], facts["edition"], facts["version"])


def wait_for_target(database: Database, timeout: float) -> Target:
    """Wait until two real queries in a row succeed on the target database.

    A refused password, or a certificate that is not to be trusted, fails at once.

    ``timeout`` is in seconds. A server that has just started may come up, go down and come up again: hence two.
    """
    backoff = Backoff(first=0.1, longest=2.0, seconds=timeout)
    answered = False
    while True:
        try:
            target = _target(database, database.read(queries.FACTS)[0])
            if answered:
                return target
            answered = True
            time.sleep(0.05)
        except DriverFailure as error:
            answered = False
            failure = connection_failure(error, database.settings)
            starting = worth_retrying(error) or failure.error_code in STARTING
            starting = starting and failure.error_code != WRONG_CERTIFICATE
            if not starting or not backoff.pause():
                raise failure from error


class DatabaseFacts(NamedTuple):
    """What SHOW DATABASES says of a database; ``language`` is what its statements are written in by default."""

    type: str = "standard"
    language: str = "5"
    is_replica: bool = False
    is_sharded: bool = False


def read_facts(database: Database, target: Target) -> DatabaseFacts:
    """Return the facts of this database; asks nothing where there is one kind and one language."""
    if target.edition == "community" and "25" not in database.languages:
        return DatabaseFacts()
    rows = database.read(queries.ONE_DATABASE, name=database.name)
    return facts_of((row.data() for row in rows), database.name)


def facts_of(rows: Iterable[Mapping[str, Any]], name: str) -> DatabaseFacts:
    """Return the facts of the database of that name; ``rows`` are those of SHOW DATABASES, a sharded one's shards included."""
    known = list(rows)
    own = [row for row in known if row["name"] == name]
    if not own:
        return DatabaseFacts()
    kind = own[0].get("type") or "standard"
    return DatabaseFacts(
        kind,
        (own[0].get("defaultLanguage") or "CYPHER 5").removeprefix("CYPHER "),
        "replica" in kind or all("replica" in (row.get("role") or "") for row in own),
        any(row.get("type") == "graph shard" and row["name"].startswith(f"{name}-g") for row in known),
    )


def target_problems(name: str, release: str, facts: DatabaseFacts | None = None) -> Iterator[Problem]:
    """Yield what speaks against this server or this database, whatever is to be applied to it."""
    facts = facts or DatabaseFacts()
    repaired = _HARMFUL_RELEASES.get(release)
    if repaired:
        yield Problem(
            "GM321",
            f"Neo4j {release} must not be used; {repaired} repairs it.",
            f"Upgrade the server to Neo4j {repaired} first.",
            severity=Severity.WARNING,
        )
    if facts.is_replica:
        yield Problem(
            "GM321",
            f"The database {name} is a replica, which is read-only.",
            "Name the server that holds the original, with --uri or NEO4J_URI.",
        )
    elif facts.type != "standard":
        yield Problem(
            "GM321",
            f"The database {name} is a {facts.type} database, which stores no data of its own."
            if facts.type == "composite"
            else f"The database {name} is a {facts.type}: it cannot be migrated by itself.",
            "Name a standard database with --database or NEO4J_DATABASE; SHOW DATABASES lists them.",
        )
    if facts.is_sharded:
        yield Problem(
            "GM321",
            f"The database {name} is sharded: it has no Cypher 5, and MERGE is very slow there.",
            "Write the files in Cypher 25, and load data with CREATE where you can.",
            severity=Severity.WARNING,
        )
