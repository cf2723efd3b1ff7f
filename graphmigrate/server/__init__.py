"""A real Neo4j for development and tests: by Docker, or on a local JVM.

Importing this costs nothing: the driver, Docker and Java are looked at only by the call that needs them. A local JVM
needs a POSIX system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.server.model import Server, ServerOptions, browser_url, stop_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


__all__ = ["Server", "ServerOptions", "browser_url", "find", "start", "stop", "stop_command"]


def start(
    project_dir: Path, options: ServerOptions | None = None, tell: Callable[[str], None] = lambda _line: None
) -> Server:
    """Start the project's server, or return the one that runs already; returns when queries succeed.

    ``tell`` gets one line for each step that a person waits for. Several processes may call it at once: all get the same
    server. Raises UsageError (nothing was started) or ServerFailed.
    """
    from graphmigrate.server.control import start as start_server

    return start_server(project_dir, options or ServerOptions(), tell)


def find(project_dir: Path) -> Server | None:
    """Return the project's running server, None where there is none that answers queries yet."""
    from graphmigrate.server.health import find as find_server

    return find_server(project_dir)


def stop(project_dir: Path, tell: Callable[[str], None] = lambda _line: None) -> bool:
    """Stop what ``start`` started for this project, and nothing else; returns whether a server ran.

    The data of an ephemeral server is deleted. Raises ServerFailed (GM193) where it does not end, or Docker does not
    say whether it runs.
    """
    from graphmigrate.server.control import stop as stop_server

    return stop_server(project_dir, tell)
