"""Whether a started server lives, whether it answers queries, and what its log says where it does not."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING

from graphmigrate.server import docker, machine
from graphmigrate.server.model import HOST, USERNAME, ServerFailed
from graphmigrate.server.state import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import neo4j

    from graphmigrate.server.model import Server
    from graphmigrate.server.state import State

DATABASE = "neo4j"
_ENOUGH = 2  # a server that sets its password may come up, go down and come up again
_READING_USERS = 3.0  # seconds
_PAUSE = {"jvm": 0.05, "docker": 0.5}  # each question to Docker starts a program
_TELLING = re.compile(
    r"\bERROR\b|Caused by|Exception|[Uu]nrecognized|[Ii]nvalid|already in use|OutOfMemory|[Cc]ould not|^Error|Failed to"
)
_STACK = re.compile(r"^\s*(?:at |\.\.\. \d+ more|Suppressed:)")
_LONGEST = 300


class NotUp(Exception):
    """A started server died, was too slow, or refused its password: ``reason`` is one of the three below."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


DIED, TOO_SLOW, REFUSED = "ended while starting", "did not answer in time", "does not take the password"


def find(project_dir: Path) -> Server | None:
    """Return the project's running server, None where there is none that answers queries yet.

    Takes a millisecond: reads the state file and looks at the process. For a container, Docker is asked, which takes 50.
    """
    folder = Folder(project_dir.absolute())
    state = folder.read()
    if state is None or not state.ready or not is_alive(state):
        return None
    try:
        return folder.describe(state)
    except OSError:
        return None


def is_alive(state: State) -> bool:
    """Return whether the started server lives; where Docker does not answer, the open port decides."""
    # After a restart of the machine a stranger's server may listen on the port of a container.
    return runs(state) and (state.provider == "jvm" or machine.is_open(state.port))


def runs(state: State) -> bool:
    """Return whether the process or container runs; a Docker that does not answer proves nothing, so it may run."""
    if state.provider == "jvm":
        return state.pid is not None and state.birth is not None and machine.is_same(state.pid, state.birth)
    try:
        return docker.is_running(state.container or "")
    except ServerFailed:
        return True


def wait(state: State, password: str | None, timeout: float) -> str:
    """Return the server's version once a query has succeeded twice in a row; raises NotUp."""
    limit = time.monotonic() + timeout

    def pause() -> None:
        if not runs(state):
            raise NotUp(DIED)
        if time.monotonic() > limit:
            raise NotUp(TOO_SLOW)
        time.sleep(_PAUSE[state.provider])

    while not machine.is_open(state.port):
        pause()
    import neo4j  # while the server boots

    # No retries by the driver: it would wait 30 s at a time.
    with neo4j.GraphDatabase.driver(
        f"bolt://{HOST}:{state.port}",
        auth=(USERNAME, password) if password else None,
        connection_timeout=2.0,
        connection_acquisition_timeout=5.0,
        notifications_min_severity="OFF",
    ) as driver:
        succeeded = refused = 0
        while succeeded < _ENOUGH:
            try:
                version = _ask(driver)
            except NotUp:  # a busy server may open its port before it has read its users
                refused += 1
                if refused == _ENOUGH:
                    raise
                time.sleep(_READING_USERS)
                continue
            succeeded = succeeded + 1 if version else 0
            if not version:
                pause()
    return version or ""


def _ask(driver: neo4j.Driver) -> str | None:
    """Return the version, asked of the database itself; None where there is no answer yet."""
    from neo4j.exceptions import AuthError, DriverError, Neo4jError

    query = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version"
    try:
        with driver.session(database=DATABASE) as session:
            return str(session.run(query).single(strict=True)["version"])
    except AuthError as error:  # asking often would only bring the server's rate limit
        raise NotUp(REFUSED) from error
    except (DriverError, Neo4jError):
        return None


def telling_lines(lines: Iterable[str], count: int = 6) -> list[str]:
    """Return the last lines that name a failure, else the last ones; frames of stack traces are left out."""
    kept = deque((line.strip()[:_LONGEST] for line in lines if line.strip() and not _STACK.match(line)), 200)
    telling = list(dict.fromkeys(line for line in kept if _TELLING.search(line)))
    return (telling or list(kept))[-count:]


def tail(path: Path, count: int) -> list[str]:
    """Return the last lines of a file; none where there is no file."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return list(deque((line.rstrip("\n") for line in file), count))
    except OSError:
        return []
