"""A real Neo4j for the tests, thrown away afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphmigrate import server
from graphmigrate.errors import UsageError
from graphmigrate.server import Server, ServerOptions
from graphmigrate.testing.servers import stopping_servers_in

MISSING_PREREQUISITES = {"GM183"}


@contextmanager
def running_server(version: str) -> Iterator[Server]:
    """Start a server on free ports, with a generated password; the JVM first, since it is up sooner than Docker."""
    with tempfile.TemporaryDirectory(prefix="graphmigrate-tests-") as name, stopping_servers_in(Path(name)):
        yield _start(Path(name), version)


def _start(project: Path, version: str) -> Server:
    options = {"version": version, "port": 0, "ephemeral": True}
    try:
        return server.start(project, ServerOptions(provider="jvm", **options), print)  # type: ignore[arg-type]
    except UsageError as error:
        if error.error_code not in MISSING_PREREQUISITES:
            raise
        print(error.message)
        return server.start(project, ServerOptions(provider="docker", **options), print)  # type: ignore[arg-type]
