"""Class-data archives: made once, in the background, so that every later start of a JVM server takes half the work.

Recording while a server starts costs it several seconds, and writing the archive when it ends several more. Both are
paid where nobody waits: by a process of low priority that the first ``stop`` leaves behind (docs/decisions/0020).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.errors import GraphMigrateError
from graphmigrate.server import jars, java, jvm, ports, processes, ready
from graphmigrate.server.jars import cache_folder
from graphmigrate.server.launch import Launch
from graphmigrate.server.model import HOST, ServerOptions
from graphmigrate.server.state import Home, seems_alive
from graphmigrate.server.versions import RELEASES

if TYPE_CHECKING:
    from graphmigrate.server.state import State
    from graphmigrate.server.versions import Release

SWITCH = "GRAPHMIGRATE_SERVER_TRAINING"
_PATIENCE = 300.0
# What every project does: the archive then holds the classes of the planner and of the schema, too.
_PRACTICE = (
    "CREATE CONSTRAINT practice IF NOT EXISTS FOR (n:Practice) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX practised IF NOT EXISTS FOR (n:Practice) ON (n.name)",
    "UNWIND range(1, 50) AS i MERGE (n:Practice {id: toString(i)}) SET n.name = 'n' + i, n.at = datetime()",
    "MATCH (a:Practice), (b:Practice {id: '1'}) WHERE a.id > '4' CREATE (a)-[:KNOWS {since: date()}]->(b)",
    "MATCH (a:Practice)-[:KNOWS]->(b) WITH b, count(a) AS c, collect(a.name) AS names RETURN b, c, names ORDER BY c",
    "SHOW INDEXES",
    "SHOW CONSTRAINTS",
    "SHOW TRANSACTIONS",
)


def begin(version: str) -> None:
    """Have the archive of a version made in the background, unless it is there, cannot be kept, or an attempt has failed.

    Set GRAPHMIGRATE_SERVER_TRAINING=off to have none made.
    """
    release = next((each for each in RELEASES if each.version == version), None)
    if release is None or os.environ.get(SWITCH, "").lower() in {"0", "off", "no", "false"}:
        return
    cache = cache_folder(release)
    with suppress(OSError):  # no stop fails because of it
        if (cache / "lib").is_dir() and os.access(cache, os.W_OK) and not _made(release):
            _spawn(release)


def _spawn(release: Release) -> None:
    command = [sys.executable, "-m", "graphmigrate.server.training", release.version]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603
        command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    process.returncode = 0  # nobody waits for it, and Python need not complain about that


def train(release: Release) -> None:
    """Make the archive: start a server that records, practise, let it end. One process at a time does this."""
    folder = jvm.archive_folder(release)
    folder.mkdir(exist_ok=True)
    with (folder / "training.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if _made(release):
            return
        _sweep(folder)
        jars.unsign(release)
        archive = jvm.archive_path(release, java.choose(release))
        with tempfile.TemporaryDirectory(dir=folder, prefix="training-") as name:
            recorded = Path(name) / f"{secrets.token_hex(4)}.jsa"
            _record(release, Home(Path(name) / "home"), recorded)
            if recorded.exists():  # whole or not at all: a JVM never sees half an archive
                recorded.replace(archive)
            else:
                _failed(archive).touch()


def _sweep(folder: Path) -> None:
    """End and remove what a trainer that was killed left behind. The lock is held, so no other one is at work."""
    for left in folder.glob("training-*"):
        home = Home(left / "home")
        with suppress(OSError, ValueError):
            pid = int(home.pid_file.read_text("ascii"))
            born = processes.birth(pid)
            if born is not None and str(home.path) in processes.command_line(pid):
                processes.end(pid, born, grace=0)
        shutil.rmtree(left, ignore_errors=True)


def _record(release: Release, home: Home, recorded: Path) -> None:
    bolt, http = ports.choose(0)
    options = ServerOptions(ephemeral=True, auth=False)
    state = jvm.launch(Launch(release, options, home, bolt, http), lambda _line: None, record=recorded)
    grace = 0.0
    try:
        with suppress(ready.Died, ready.TooSlow, ready.Refused):
            ready.wait(ready.Waiting(bolt, None, _PATIENCE, lambda: seems_alive(state)))
            _practise(state)
            grace = _PATIENCE
    finally:
        if state.pid is not None and state.birth is not None:
            processes.end(state.pid, state.birth, grace=grace)


def _practise(state: State) -> None:
    import neo4j
    from neo4j.exceptions import DriverError, Neo4jError

    with (
        neo4j.GraphDatabase.driver(f"bolt://{HOST}:{state.port}") as driver,
        driver.session() as session,
        suppress(DriverError, Neo4jError),
    ):
        for statement in _PRACTICE:
            session.run(statement).consume()


def _made(release: Release) -> bool:
    """Say whether there is an archive for the Java that would be used, or no hope for one."""
    try:
        archive = jvm.archive_path(release, java.choose(release))
    except GraphMigrateError:
        return True
    return _failed(archive).exists() or (archive.exists() and jars.are_unsigned(release))


def _failed(archive: Path) -> Path:
    return archive.with_suffix(".failed")


def main(version: str) -> None:
    """Train as a background process that gives way to every other."""
    os.nice(19)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended, too
    train(next(each for each in RELEASES if each.version == version))


if __name__ == "__main__":
    main(sys.argv[1])
