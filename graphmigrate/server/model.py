"""What a caller says about a local server, and what it gets back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
PROVIDERS = ("docker", "jvm")
_SIZE = re.compile(r"[1-9][0-9]*[kmg]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to start a server; ``None`` means "not said", so that a running server fits whatever was not said.

    ``port=0`` picks a free port; not said, 7687 is used where it is free. ``heap`` and ``page_cache`` are sizes such
    as ``512m``; ``timeout`` is in seconds. ``image`` replaces the Docker image of the chosen version.
    With ``http=False`` it starts sooner, without Neo4j Browser.
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
        """Refuse sizes that the server would not understand; raises UsageError (GM158)."""
        for name, size in (("heap", self.heap), ("page cache", self.page_cache)):
            if not _SIZE.fullmatch(size):
                raise UsageError(
                    f"{size!r} is no size for the {name}.",
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
    """Give the link that opens Neo4j Browser on this server, with a query typed in."""
    words = {"connectURL": server.bolt_uri}
    if query:
        words |= {"cmd": "edit", "arg": query}
    return f"{server.http_url}/browser/?{urlencode(words)}"
