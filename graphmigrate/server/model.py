"""What a caller says about a local server, what it gets back, and the Neo4j releases that can be started here."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from graphmigrate.errors import GraphMigrateError, UsageError

HOST = "127.0.0.1"
USERNAME = "neo4j"
PROVIDERS = ("docker", "jvm")
STOP = "GRAPHMIGRATE_SERVER_STOP"  # set by a Makefile that has a target for it
_SIZE = re.compile(r"[1-9][0-9]*[kmg]", re.IGNORECASE)


class ServerFailed(GraphMigrateError):
    """The local server did not start, did not answer or did not stop."""

    code = "GM180"
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Release:
    """One pinned release. ``java`` is the lowest Java that runs it (Operations Manual, "System requirements").

    ``jvm_settings`` are internal ones of exactly this version, so they are for the local JVM only.
    """

    series: str
    version: str
    java: int
    main_class: str
    image: str
    jvm_settings: tuple[tuple[str, str], ...] = ()


BROWSER_VERSION = "5.0.0"
# Without it Bolt stays open and silent for a while, and a graceful stop takes 10 s; with it, 0.6 s (measured).
_QUIET = "internal.dbms.bolt.netty_server_shutdown_quiet_period"
_QUIET_2026 = f"{_QUIET}_duration"
RELEASES = (
    Release("5.26", "5.26.25", 17, "org.neo4j.server.CommunityEntryPoint", "neo4j:5.26", ((_QUIET, "0"),)),
    Release(
        "2026.05", "2026.05.0", 21, "org.neo4j.server.Neo4jCommunity", "neo4j:2026.05", ((_QUIET_2026, "0s"),)
    ),
)
DEFAULT = RELEASES[0]


def resolve(name: str | None) -> Release:
    """Return the release with this version or beginning of a version; raises UsageError (GM158)."""
    if name is None:
        return DEFAULT
    for release in RELEASES:
        if f"{release.version}.".startswith(f"{name}."):
            return release
    known = ", ".join(f"{each.series} (is {each.version}, needs Java {each.java}+)" for each in RELEASES)
    raise UsageError(
        f"Neo4j {name} cannot be started here.",
        hint=f"Choose one of: {known}. Any other server works too: start it yourself and set NEO4J_URI.",
        code="GM158",
    )


def series(version: str) -> str:
    """Return the part of a version within which a store moves freely.

    >>> series("5.26.25")
    '5.26'
    """
    return ".".join(version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to start a server; a running server fits every option that is ``None``.

    ``port=0`` picks a free port; ``None`` takes 7687 where it is free. ``heap`` and ``page_cache`` are sizes such as
    ``512m``; ``timeout`` is in seconds. ``image`` replaces the Docker image of the chosen version.
    With ``http=False`` the server starts sooner, without Neo4j Browser.
    """

    provider: str | None = None
    version: str | None = None
    port: int | None = None
    ephemeral: bool = False
    auth: bool = True
    http: bool = True
    heap: str = "512m"
    page_cache: str = "64m"
    image: str | None = None
    timeout: float = 120.0

    def check(self) -> None:
        """Raise UsageError (GM158) for sizes that the server does not understand."""
        for name, size in (("heap", self.heap), ("page cache", self.page_cache)):
            if not _SIZE.fullmatch(size):
                raise UsageError(
                    f"{size!r} is not a size for the {name}.",
                    hint="Write a number and k, m or g: 512m",
                    code="GM158",
                )


@dataclass(frozen=True, slots=True)
class Server:
    """A running local server and how to reach it. ``log_file`` is None where Docker keeps the log."""

    provider: str
    version: str
    bolt_uri: str
    http_url: str
    username: str | None
    password: str | None = field(repr=False)
    password_file: Path | None
    data_dir: Path | None
    ephemeral: bool
    pid: int | None = None
    container: str | None = None
    log_file: Path | None = None


def browser_url(server: Server, query: str | None = None) -> str:
    """Return the link that opens Neo4j Browser on this server, with its user and a query typed in."""
    user = f"//{server.username}@" if server.username else "//"
    words = {"connectURL": server.bolt_uri.replace("//", user, 1)}
    if query:
        words |= {"cmd": "edit", "arg": query}
    return f"{server.http_url}/browser/?{urlencode(words)}"


def stop_command() -> str:
    """Return the command that stops the project's server, as it can be typed where this program was started."""
    return os.environ.get(STOP) or f"{_program()} server stop"


def _program() -> str:
    """Return ``graphmigrate`` where the shell finds this very program by that name, else its path."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return f"{_shortest(Path(sys.executable))} -m graphmigrate"
    found = shutil.which("graphmigrate")
    if started.name != "graphmigrate" or (found and Path(found).resolve() == started.resolve()):
        return "graphmigrate"
    return _shortest(started)


def _shortest(program: Path) -> str:
    path = program.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
