"""The settings as values, and the checks of those that name a server."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphmigrate.errors import Problem

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


class Secret(str):
    """A password: usable as text, but never shown by ``repr`` or in a traceback's locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the façade needs. Times are seconds, sizes bytes.

    ``database=None`` means the user's home database; ``ca_file`` holds the certificates (PEM) of the authorities that
    are trusted in place of the system's; ``env_allowed`` names the variables of the environment that seeds may read;
    ``check_data`` (auto, always, never) says whether a run first looks for values that its constraints would refuse;
    ``allow_empty`` says whether a project may have no migration file (None: only one that has seeds);
    ``version_order`` (semantic, lexicographic) says how versions are compared: as numbers, or as text;
    ``allow`` names what may reach nodes of any label all the same (``any-label=V7``);
    ``placeholders`` are the names that migrations may use as ``${name}``, with their values (None: not given);
    ``example_query`` is what ``summary`` runs; ``driver_options`` go to ``neo4j.GraphDatabase.driver`` as they are.
    """

    uri: str = ""
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    database: str | None = None
    ca_file: Path | None = None
    migrations: Path = Path("migrations")
    seeds: Path = Path("seeds")
    allow_empty: bool | None = None
    version_order: str = "semantic"
    ledger: str = "default"
    lock_timeout: float = 600.0
    check_data: str = "auto"
    index_timeout: float = 600.0
    connection_timeout: float = 5.0
    max_statement_size: int = 10 * 1024 * 1024
    heartbeat: float = 5.0
    stale_after: float = 60.0
    preflight_connections: int = 4
    batch_rows: int = 2_500
    batch_bytes: int = 4 * 1024 * 1024
    seed_sessions: int = 2
    protected: bool = False
    env_allowed: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    placeholders: Mapping[str, str | None] = field(default_factory=dict, hash=False)
    example_query: str | None = None
    driver_options: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with where they came from.

    ``folder`` is the project's (that of the configuration file, else the current one), ``file`` the
    configuration file; ``origins`` maps a setting to the name of what set it; ``warnings`` are findings that
    stop nothing.
    """

    settings: Settings
    folder: Path
    file: Path | None = None
    origins: dict[str, str] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


def in_container() -> bool:
    """Return whether this process runs in a container of Docker, Podman or Kubernetes."""
    marks = ("/.dockerenv", "/run/.containerenv")
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(map(os.path.exists, marks))


def can_start_server() -> bool:
    """Return whether a local server could be started here: with Docker, or on a JVM."""
    return bool(os.environ.get("JAVA_HOME") or shutil.which("docker") or shutil.which("java"))


def describe(settings: Settings) -> dict[str, object]:
    """Return every setting by name, fit to be printed: the password is replaced by asterisks."""
    shown = {each.name: getattr(settings, each.name) for each in fields(settings)}
    del shown["driver_options"]  # they may hold a secret
    shown["password"] = None if settings.password is None else "***"
    if "@" in settings.uri:  # refused by check_uri, yet a library user may not have called it
        scheme, _, rest = settings.uri.partition("://")
        shown["uri"] = f"{scheme}://***@{rest.rpartition('@')[2]}"
    return shown


def with_database_of_address(settings: Settings, origins: Mapping[str, str] | None = None) -> Settings:
    """Take the database from the address (``bolt://host/movies``), where nothing else names one.

    Raises UsageError where another setting names another database, and for a database named in any other form.
    """
    origins = origins or {}
    scheme, separator, rest = settings.uri.partition("://")
    where, _, query = rest.partition("?")
    host, _, path = where.partition("/")
    origin = f" ({origins['uri']})" if "uri" in origins else ""
    asked = re.search(r"(?:^|&)(?:database|db|databaseName)=([^&]*)", query)
    name = path.strip("/")
    if asked or "/" in name:
        named = asked[0].lstrip("&") if asked else path
        other = (
            f", and {origins.get('database', 'database')} says {settings.database!r}"
            if settings.database
            else ""
        )
        raise UsageError(
            f"The address{origin} names a database by {named!r}, which no driver of Neo4j reads{other}.",
            hint=f"Write {scheme}://{host} alone, and set NEO4J_DATABASE={asked[1] if asked else 'NAME'}.",
            code="GM154",
        )
    if not name or not separator:
        return settings
    if settings.database not in {None, name}:
        raise UsageError(
            f"The address{origin} names the database {name!r}, and {origins.get('database', 'database')} names "
            f"{settings.database!r}.",
            hint="Keep one of the two.",
            code="GM154",
        )
    uri = f"{scheme}://{host}{'?' + query if query else ''}"
    return replace(settings, uri=uri, database=name)


def check_uri(uri: str, origin: str = "") -> None:
    """Refuse a URI that the driver cannot use, without repeating what might be a password in it.

    ``origin`` names where it was written. Raises UsageError: GM155 for credentials in it, GM154 for anything
    else. The schemes are those of the Neo4j Python Driver Manual, "Connection".
    """
    source = f" from {origin}" if origin else ""
    scheme, separator, rest = uri.partition("://")
    code, hint = "GM154", f"For example bolt://localhost:7687. Known schemes: {', '.join(SCHEMES)}."
    if "@" in uri:
        code, wrong = "GM155", "has a user name or password in it"
        hint = "Write bolt://HOST:PORT alone; give the password by NEO4J_PASSWORD or --password-file."
    elif uri != uri.strip():
        wrong, hint = "begins or ends with a blank or a line break", "Remove it where the address is written."
    elif not separator:
        wrong = "has no scheme"
    elif scheme not in SCHEMES:
        wrong = f"has the unknown scheme {scheme[:20]!r}"
        if scheme.lower() in {"http", "https"}:
            hint = "The HTTP address is for browsers; write bolt://HOST:7687 (neo4j:// for a cluster)."
    elif not _address(rest):
        wrong, hint = (
            f"has no usable host and port after '{scheme}://'",
            f"For example {scheme}://localhost:7687.",
        )
    else:
        return
    raise UsageError(f"The URI{source} {wrong}.", hint=hint, code=code)


def check_ca_file(settings: Settings, origin: str = "ca_file") -> None:
    """Refuse certificates that would not be used, or that cannot be read.

    Raises UsageError (GM314).
    """
    path = settings.ca_file
    if path is None:
        return
    scheme = settings.uri.partition("://")[0]
    if not scheme.endswith("+s"):
        raise UsageError(
            f"{origin} names trusted certificates, but {scheme}:// does not verify any.",
            hint=f"Write {scheme.partition('+')[0]}+s://HOST:PORT, or drop {origin}.",
            code="GM314",
        )
    try:
        found = b"-----BEGIN CERTIFICATE-----" in path.read_bytes()
        reason = "holds no certificate"
    except OSError as error:
        found, reason = False, f"cannot be read: {error.strerror}"
    if not found:
        raise UsageError(
            f"The file of trusted certificates {str(path)!r} ({origin}) {reason}.",
            hint="It must be PEM: lines between BEGIN CERTIFICATE and END CERTIFICATE.",
            code="GM314",
        )


def _address(rest: str) -> bool:
    if any(character.isspace() for character in rest):
        return False
    try:
        parts = urlsplit(f"//{rest}")
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
