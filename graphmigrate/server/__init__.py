"""A real Neo4j for development and tests: by Docker, or on a local JVM.

Importing this costs nothing: the driver, Docker and Java are looked at only by the call that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.server.model import Server, ServerOptions, browser_url
from graphmigrate.server.state import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _silent(_line: str) -> None:
    """Tell nobody."""


__all__ = ["Server", "ServerOptions", "browser_url", "find", "start", "stop"]


def start(
    project_dir: Path, options: ServerOptions | None = None, tell: Callable[[str], None] = _silent
) -> Server:
    """Start the project's server, or give the one that runs already; returns when queries succeed.

    ``tell`` gets one line for each thing a waiting person wants to know. Safe to call from several processes at
    once: all get the same server. Raises UsageError (nothing was started) or
    ServerFailed.
    """
    from graphmigrate.server.control import start as start_server

    return start_server(project_dir, options or ServerOptions(), tell)


def stop(project_dir: Path, tell: Callable[[str], None] = _silent) -> bool:
    """Stop what ``start`` started for this project, and nothing else; says whether a server ran.

    The data of an ephemeral server is deleted. Raises ServerFailed (GM193) where it does not end, or Docker does not
    say whether it runs.
    """
    from graphmigrate.server.control import stop as stop_server

    return stop_server(project_dir, tell)
