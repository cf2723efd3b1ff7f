"""The settings as values, and the checks of those that name a server."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError

if TYPE_CHECKING:
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
    ``example_query`` is what ``summary`` runs.
    """

    uri: str = ""
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    database: str | None = None
    ca_file: Path | None = None
    migrations: Path = Path("migrations")
    seeds: Path = Path("seeds")
    allow_empty: bool | None = None
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
    example_query: str | None = None


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


def describe(settings: Settings) -> dict[str, object]:
    """Give every setting by name, fit to be printed: the password is replaced by asterisks."""
    shown = {each.name: getattr(settings, each.name) for each in fields(settings)}
    shown["password"] = None if settings.password is None else "***"
    if "@" in settings.uri:  # refused by check_uri, yet a library user may not have called it
        scheme, _, rest = settings.uri.partition("://")
        shown["uri"] = f"{scheme}://***@{rest.rpartition('@')[2]}"
    return shown


def check_uri(uri: str, origin: str = "") -> None:
    """Refuse a URI that the driver cannot use, without repeating what might be a password in it.

    ``origin`` names where it was written. Raises UsageError: GM155 for credentials in it, GM154 for anything
    else. The schemes are those of the Neo4j Python Driver Manual, "Connection".
    """
    source = f" from {origin}" if origin else ""
    if "@" in uri:
        raise UsageError(
            f"The URI{source} has a user name or password in it.",
            hint="Write bolt://HOST:PORT alone; give the password by NEO4J_PASSWORD or --password-file.",
            code="GM155",
        )
    scheme, separator, rest = uri.partition("://")
    if not separator:
        raise UsageError(
            f"The URI{source} has no scheme.",
            hint=f"For example bolt://localhost:7687. {_schemes()}",
            code="GM154",
        )
    if scheme not in SCHEMES:
        if scheme.lower() in {"http", "https"}:
            hint = "The HTTP address is for browsers; write bolt://HOST:7687 (neo4j:// for a cluster)."
        else:
            hint = _schemes()
        raise UsageError(f"The URI{source} has the unknown scheme {scheme[:20]!r}.", hint=hint, code="GM154")
    if not _address(rest):
        raise UsageError(
            f"The URI{source} has no usable host and port after '{scheme}://'.",
            hint=f"For example {scheme}://localhost:7687.",
            code="GM154",
        )


def check_ca_file(settings: Settings, origin: str = "ca_file") -> None:
    """Refuse certificates that would not be used, or that cannot be read.

    Raises UsageError: GM314 where the URI's scheme does not verify certificates, GM314 for the file itself.
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


def _schemes() -> str:
    return f"Known schemes: {', '.join(SCHEMES)}."


def _address(rest: str) -> bool:
    from urllib.parse import urlsplit

    if any(character.isspace() for character in rest):
        return False
    try:
        parts = urlsplit(f"//{rest}")
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
