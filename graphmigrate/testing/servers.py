"""Where the Neo4j of a test session comes from: a given URI, else Docker by testcontainers, else a JVM of this machine."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from graphmigrate.errors import GraphMigrateError, UsageError
from graphmigrate.settings import check_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Tell = Callable[[str], None]

URI: Final = "GRAPHMIGRATE_TEST_URI"
USERNAME: Final = "GRAPHMIGRATE_TEST_USERNAME"
PASSWORD: Final = "GRAPHMIGRATE_TEST_PASSWORD"  # noqa: S105 - the variable's name
_SOCKETS: Final = ("/var/run/docker.sock", "~/.docker/run/docker.sock")
_NO_DOCKER: Final = "no Docker daemon answers"
_STOP: Final = """
import sys
from contextlib import suppress
from pathlib import Path
from graphmigrate.server import stop
for found in Path(sys.argv[1]).rglob(".graphmigrate/server.json"):
    with suppress(Exception):
        stop(found.parents[1])
"""


@dataclass(frozen=True, slots=True)
class Neo4jServer:
    """The Neo4j of a test session. ``username`` and ``password`` are None where it takes everybody."""

    uri: str
    username: str | None
    password: str | None = field(repr=False)
    provider: str
    version: str | None = None

    @property
    def auth(self) -> tuple[str, str] | None:
        """What the driver takes as ``auth``."""
        return (self.username or "neo4j", self.password) if self.password else None

    @property
    def env(self) -> dict[str, str]:
        """What a program under test finds in its environment: NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD."""
        found = {
            "NEO4J_URI": self.uri,
            "NEO4J_USERNAME": self.username or "neo4j",
            "NEO4J_PASSWORD": self.password or "",
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which server the tests get, decided without starting or importing anything; ``why`` is for people."""

    provider: str
    why: str
    uri: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    version: str | None = None


def choose(
    environment: Mapping[str, str],
    *,
    uri: tuple[str, str] | None = None,
    provider: str | None = None,
    version: str | None = None,
    worker: str | None = None,
) -> Choice:
    """Return which server to use: ``uri`` (with the name of what set it), else ``provider``, else Docker, else the JVM.

    ``{worker}`` in a URI becomes the name of the worker of pytest-xdist; without it several workers cannot share one
    (GM740). A URI that cannot be used is refused (GM154, GM155).
    """
    if uri is not None:
        address, origin = uri
        if worker and "{worker}" not in address:
            raise UsageError(
                f"Workers of pytest-xdist cannot share the one database of {origin}.",
                hint="Write {worker} where their servers differ (bolt://neo4j-{worker}:7687 is neo4j-gw0, neo4j-gw1 …), "
                "or name none: each worker then gets its own.",
                code="GM740",
            )
        address = address.replace("{worker}", worker or "gw0")
        _check(address, origin)
        password = environment.get(PASSWORD)
        username = environment.get(USERNAME, "neo4j") if password else None
        return Choice("given", origin, address, username, password)
    wanted = provider or environment.get("GRAPHMIGRATE_SERVER_PROVIDER")
    if wanted:
        return Choice(_known(wanted), "as asked for", version=version)
    reason = _without_docker(environment)
    if reason is None:
        return Choice("docker", "by testcontainers", version=version)
    return Choice("jvm", reason, version=version)


def _check(uri: str, origin: str) -> None:
    """Raise UsageError for a URI that the driver cannot use, or that would show a password."""
    try:
        check_uri(uri, origin)
    except UsageError as error:
        if error.error_code == "GM155":
            error.hint = f"Write bolt://HOST:PORT alone; give the password by {PASSWORD}."
        raise


def _known(provider: str) -> str:
    """Return the provider in lower case; raises UsageError."""
    from graphmigrate.server.model import PROVIDERS

    name = provider.strip().lower()
    if name not in PROVIDERS:
        raise UsageError(
            f"{provider!r} is no way to start a Neo4j for tests.",
            hint=f"GRAPHMIGRATE_SERVER_PROVIDER and graphmigrate_server take {' or '.join(PROVIDERS)}.",
        )
    return name


def _without_docker(environment: Mapping[str, str]) -> str | None:
    """Return why Docker is not used, None where it is; takes milliseconds, without a process or an import."""
    if find_spec("testcontainers") is None:
        return "testcontainers is not installed"
    host = environment.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        return None
    paths = [host.removeprefix("unix://")] if host else list(_SOCKETS)
    return None if any(_pings(Path(path).expanduser()) for path in paths) else _NO_DOCKER


def _pings(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        connection.connect(str(path))
        connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        return b" 200 " in connection.recv(64)
    return False


@contextmanager
def provided(choice: Choice, tell: Tell) -> Iterator[Neo4jServer]:
    """Start what was chosen, and stop it afterwards; where Docker cannot start a server, a JVM is used.

    Raises UsageError or ServerFailed where no server can be had.
    """
    if choice.uri is not None:
        yield Neo4jServer(choice.uri, choice.username, choice.password, "given")
        return
    with ExitStack() as stack:
        if choice.provider == "docker":
            try:
                server = stack.enter_context(_container(choice.version))
            except Exception as error:
                if choice.why == "as asked for":
                    raise _no_container(error) from error
                tell(f"Docker cannot give a Neo4j ({_first_line(error)}); using a local JVM.")
                server = stack.enter_context(_jvm(choice.version, tell))
        else:
            server = stack.enter_context(_jvm(choice.version, tell))
        yield server


def _no_container(error: Exception) -> GraphMigrateError:
    return UsageError(
        f"Docker was asked for, but it cannot give a Neo4j: {_first_line(error)}",
        hint="pip install 'graphmigrate[testcontainers]' and start Docker, or use --graphmigrate-server jvm.",
        code="GM183",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def _container(version: str | None) -> Iterator[Neo4jServer]:
    try:
        from testcontainers.community.neo4j import Neo4jContainer
    except ImportError:  # before testcontainers 4.15
        from testcontainers.neo4j import Neo4jContainer

    from graphmigrate.server.model import resolve

    release = resolve(version)
    with Neo4jContainer(release.image, password=secrets.token_hex(16)) as container:
        yield Neo4jServer(
            container.get_connection_url(), container.username, container.password, "docker", release.version
        )


@contextmanager
def _jvm(version: str | None, tell: Tell) -> Iterator[Neo4jServer]:
    """Start a throw-away server on 127.0.0.1, without what costs time: a password (another JVM sets it) and HTTP."""
    from graphmigrate import server

    options = server.ServerOptions(
        provider="jvm", version=version, port=0, ephemeral=True, auth=False, http=False
    )
    with (
        tempfile.TemporaryDirectory(prefix="graphmigrate-tests-") as name,
        stopping_servers_in(Path(name)),
    ):
        started = server.start(Path(name), options, tell)
        yield Neo4jServer(started.bolt_uri, None, None, "jvm", started.version)


@contextmanager
def stopping_servers_in(folder: Path) -> Iterator[None]:
    """Stop the servers of projects in this folder when the block ends or this process dies.

    A shell in a session of its own waits for the end of its input: Ctrl-C does not reach it, and SIGKILL of this process
    closes its input too.
    """
    words = ["/bin/sh", "-c", 'read -r _; exec "$@"', "sh", sys.executable, "-c", _STOP, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True, cwd="/"):  # noqa: S603
        yield
