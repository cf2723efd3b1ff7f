"""The driver's and the server's errors, told as what happened and what to do next."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from neo4j import exceptions

from graphmigrate.database import diagnosis
from graphmigrate.errors import ConnectionFailed, GraphMigrateError, MigrationFailed, NotAllowed, UsageError

if TYPE_CHECKING:
    from neo4j import Result

    from graphmigrate.cypher.model import Statement
    from graphmigrate.settings import Settings

DriverFailure = (exceptions.DriverError, exceptions.Neo4jError)
# What the server says of the text that it was sent, not of itself.
_OF_A_QUERY = ("Neo.ClientError.Statement", "Neo.ClientError.Procedure")
_GIVEN = "the given driver's server"


class DatabaseRefused(GraphMigrateError):
    """The server or the driver answered with an error that no part of the program expected."""

    code = "GM173"
    exit_code = 5


# What apoc.periodic.iterate and apoc.periodic.commit count, and where they say why.
_FAILURE_COUNTS = ("failedBatches", "failedOperations", "failedCommits")
_FAILURE_REASONS = ("errorMessages", "batchErrors", "commitErrors")
# The server gives up planning beside many changes of the schema; the statement has had no effect (seen on 5.26).
_SCHEMA_TOO_BUSY = "insanely frequent schema changes"
_POSITION = re.compile(r"\s*\(line (\d+), column (\d+) \(offset: \d+\)\)")


def worth_retrying(error: BaseException) -> bool:
    """Whether the same work may succeed later; a commit without an answer counts, because the key decides."""
    if isinstance(error, (exceptions.ServiceUnavailable, exceptions.SessionExpired)):
        return True
    if _SCHEMA_TOO_BUSY in (getattr(error, "message", None) or ""):
        return True
    return isinstance(error, DriverFailure) and error.is_retryable()


def failed_batches(result: Result) -> str | None:
    """Read the result to its end, and return what its rows tell of work that failed, as those of apoc.periodic do."""
    told = None
    for row in result:
        counts = [f"{name} {row[name]}" for name in _FAILURE_COUNTS if row.get(name)]
        counts += ["wasTerminated"] if counts == [] and row.get("wasTerminated") is True else []
        if counts and told is None:
            reasons = [
                f"{text} ({times})"
                for name in _FAILURE_REASONS
                for text, times in (row.get(name) or {}).items()
            ]
            told = (
                f"The procedure ended, but tells of failures: {', '.join(counts)}.{' '.join(['', *reasons])}"
            )
    return told


def code_of(error: BaseException) -> str:
    """Return the server's status code, or the driver's class name."""
    return getattr(error, "code", None) or type(error).__name__


def message_of(error: BaseException) -> str:
    """Return the server's sentence, without its own position and picture of the query."""
    text = getattr(error, "message", None) or str(error)
    found = _POSITION.search(text)
    return (text[: found.start()] if found else text).strip().rstrip(".") + "."


def position_of(error: BaseException) -> tuple[int, int] | None:
    """Return line and column (1-based) within the text that was sent, where the server names them."""
    found = _POSITION.search(getattr(error, "message", None) or str(error))
    return (int(found[1]), int(found[2])) if found else None


def statement_failure(error: BaseException, statement: Statement) -> MigrationFailed:
    """Tell a failed statement at its place in the file."""
    position = position_of(error)
    place = statement.place_of(*position) if position else statement.place
    return MigrationFailed(f"{message_of(error)} [{code_of(error)}]", place=place)


def driver_failure(error: BaseException, settings: Settings) -> GraphMigrateError:
    """Translate what no part of the program expected: of a refused statement, or of the connection."""
    code = code_of(error)
    if code.startswith((*_OF_A_QUERY, "Neo.ClientError.Schema", "Neo.DatabaseError")):
        hint = "Run again with --debug to see where, and look into the server's log."
        return DatabaseRefused(f"The database answered: {message_of(error)} [{code}]", hint=hint)
    return connection_failure(error, settings)


def query_failure(error: BaseException, settings: Settings) -> GraphMigrateError:
    """Translate what became of a caller's query: one that the server refuses is the caller's mistake."""
    if code_of(error).startswith(_OF_A_QUERY):
        hint = "It must be one reading query in Cypher."
        return UsageError(f"The query was refused: {message_of(error)}", hint=hint, code="GM173")
    return driver_failure(error, settings)


def connection_failure(error: BaseException, settings: Settings) -> GraphMigrateError:
    """Translate what a first connection met: unreachable, wrong protocol, refused password, unknown database, rights."""
    settings = settings if settings.uri else replace(settings, uri=_GIVEN)
    code = code_of(error)
    for known, (kind, message, hint, its_code) in _BY_CODE.items():
        if code.endswith(known):
            told = {"uri": settings.uri, "database": settings.database or "", "message": message_of(error)}
            hint = _HINT_OF_GIVEN if known == _UNAUTHORIZED and settings.uri == _GIVEN else hint
            return kind(message.format(**told), hint=hint, code=its_code)
    if isinstance(error, exceptions.Neo4jError) and code.startswith("Neo."):
        return ConnectionFailed(
            f"{settings.uri} answered, but cannot do its work: {message_of(error)} [{code}]",
            hint="That is the server's own word: its log (neo4j.log, debug.log) says more.",
            code="GM321",
        )
    if isinstance(error, exceptions.DriverError) and str(error) == "Driver closed":
        return UsageError(
            "The given driver is closed.",
            hint="Close it after the last call of the Migrator, or make a new one for it.",
            code="GM746",
        )
    if isinstance(error, exceptions.ConfigurationError):
        return ConnectionFailed(f"{settings.uri} cannot be used: {error}.", code="GM154")
    return _unreachable(error, settings)


def _unreachable(error: BaseException, settings: Settings) -> GraphMigrateError:
    encryption = _cause(error, ssl.SSLError)
    if encryption:
        return diagnosis.tls_failure(encryption, settings.uri)
    text = f"{error} {error.__cause__ or ''}"
    lower = text.lower()
    if "routing" in lower or "secure" in lower or "encrypted" in lower:  # the driver hides why
        return diagnosis.diagnose(settings) or _without_routing(text, settings.uri)
    if "http" in lower or "handshake" in lower or "no protocol" in lower or "incomplete" in lower:
        return diagnosis.diagnose(settings) or diagnosis.not_bolt(settings.uri)
    if "dns resolve" in lower or "name or service" in lower or "nodename" in lower:
        return diagnosis.unresolved(settings.uri)
    return diagnosis.silent(settings.uri)


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _without_routing(text: str, uri: str) -> GraphMigrateError:
    return ConnectionFailed(
        f"{uri} gave no routing information: {text.splitlines()[0].strip()[:200]}",
        hint="Is the database's name right, and the server up? For a single server, bolt:// needs no routing.",
        code="GM306",
    )


_UNAUTHORIZED = "Security.Unauthorized"
_HINT_OF_GIVEN = "Check the auth that the driver was made with."
# The end of the server's code: what is raised, with which message, hint and code.
_BY_CODE: dict[str, tuple[type[GraphMigrateError], str, str, str]] = {
    _UNAUTHORIZED: (
        ConnectionFailed,
        "{uri} refused the user name or the password.",
        "Set NEO4J_USERNAME and NEO4J_PASSWORD (or NEO4J_PASSWORD_FILE, or --password to be asked).",
        "GM302",
    ),
    "Security.AuthenticationRateLimit": (
        ConnectionFailed,
        "{uri} locked this user for a moment, after several wrong passwords.",
        "Wait five seconds, then try again with the right password.",
        "GM307",
    ),
    "Security.CredentialsExpired": (
        ConnectionFailed,
        "The password for {uri} is the initial one and must be changed before anything else.",
        "ALTER CURRENT USER SET PASSWORD FROM <old> TO <new>, each in quotes, run against the system database.",
        "GM302",
    ),
    "Security.Forbidden": (
        NotAllowed,
        "{message}",
        "Give the user the right that is named, or use another user.",
        "GM310",
    ),
    "Database.DatabaseNotFound": (
        ConnectionFailed,
        "There is no database {database!r} at {uri}.",
        "SHOW DATABASES lists them; without NEO4J_DATABASE the user's home database is used.",
        "GM309",
    ),
    "Cluster.NotALeader": (
        ConnectionFailed,
        "{uri} is not the leader for this database and accepts no writes.",
        "Use neo4j:// (or neo4j+s://) instead of bolt://, so that writes are routed to the leader.",
        "GM306",
    ),
}
