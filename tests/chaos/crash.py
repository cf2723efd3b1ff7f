"""kill -9 of the server, whose data survive: at random points, inside CREATE CONSTRAINT, inside a long commit."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from graphmigrate import server
from graphmigrate.server import Server, ServerOptions
from tests.chaos.arena import Arena, Tally
from tests.chaos.late import CLOSING
from tests.chaos.runners import Runner, until
from tests.conftest import Neo4jTarget, wipe
from tests.projects import rows, write_migrations

BUILDING = "SHOW INDEXES YIELD name, state WHERE name = 'many_i' AND state <> 'ONLINE' RETURN name"
HEAVY = {
    "V1__many": "UNWIND range(1, {nodes}) AS i CREATE (:Many {{i: i, text: 'some text ' + i}});",
    "V2__constraint": "CREATE CONSTRAINT many_i FOR (n:Many) REQUIRE n.i IS UNIQUE;",
    "V3__after": "CREATE (:Trace {{at: 'V3'}});",
}


@dataclass
class Crashing:
    """A server with data of its own, on a port of its own."""

    folder: Path
    version: str
    running: Server

    @property
    def target(self) -> Neo4jTarget:
        return Neo4jTarget(self.running.bolt_uri, "neo4j", self.running.password or "", self.version)

    def crash(self) -> None:
        assert self.running.pid
        os.kill(self.running.pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{self.running.pid}").exists(), 20)

    def restart(self) -> None:
        self.running = server.start(
            self.folder, options(self.version, urlparse(self.running.bolt_uri).port or 0)
        )


def options(version: str, port: int) -> ServerOptions:
    return ServerOptions(provider="jvm", version=version, port=port, heap="1500m")


@contextlib.contextmanager
def crashing_server(version: str) -> Iterator[Crashing]:
    with tempfile.TemporaryDirectory(prefix="graphmigrate-chaos-") as name:
        folder = Path(name)
        made = Crashing(folder, version, server.start(folder, options(version, 0)))
        try:
            yield made
        finally:
            server.stop(folder)


def random_moments(arena: Arena, crashing: Crashing, points: Iterable[int], seconds: float) -> Tally:
    """At a random moment of a run that takes about ``seconds``."""
    tally = Tally("kill -9 of the server at a random moment")
    chance = random.Random(5)
    for number in points:
        arena.reset()
        runner = arena.runners.start(arena.project, arena.uri)
        moment = chance.uniform(0.02, 0.95) * seconds
        runner.ended.wait(moment)
        code, output = crash_under(crashing, runner)
        arena.judge(tally, f"server killed after {moment:.2f} s ({number})", code, output)
    return tally


def heavy(arena: Arena, crashing: Crashing, points: Iterable[int], folder: Path, nodes: int) -> Tally:
    """Inside CREATE CONSTRAINT over many nodes, and inside a long commit, by turns."""
    tally = Tally(f"kill -9 of the server inside CREATE CONSTRAINT over, or a commit of, {nodes:,} nodes")
    write_migrations(
        folder, **{name: text.format(nodes=nodes) if "{" in text else text for name, text in HEAVY.items()}
    )
    for number in points:
        wipe(arena.driver)
        runner = arena.runners.start(folder, arena.uri)
        sign = (BUILDING, CLOSING)[number % 2]
        seen = until(lambda r=runner, s=sign: r.ended.is_set() or rows(arena.driver, s), 120, 0.002)
        time.sleep(random.Random(number).uniform(0, 0.15))
        code, output = crash_under(crashing, runner)
        tally.points += 1
        place = f"server killed inside {'the commit' if number % 2 else 'CREATE CONSTRAINT'} ({number})"
        if not seen or code == 0:
            tally.wrong(f"{place}: it was not caught inside: {output[-300:]}")
        check_heavy(arena, tally, place, folder, nodes)
    wipe(arena.driver)
    return tally


def crash_under(crashing: Crashing, runner: Runner) -> tuple[int, str]:
    crashing.crash()
    code = runner.wait()
    output = runner.output
    crashing.restart()
    return code, output


def check_heavy(arena: Arena, tally: Tally, place: str, folder: Path, nodes: int) -> None:
    code, output = arena.runners.finish(folder, arena.uri)
    found = rows(
        arena.driver, "RETURN COUNT { (:Many) }, COUNT { (:Trace) }, COUNT { (:__GraphMigrateMigration) }"
    )
    schema = rows(
        arena.driver,
        "SHOW INDEXES YIELD name, state, owningConstraint WHERE name = 'many_i' RETURN state, owningConstraint",
    )
    if code != 0:
        tally.stuck += 1
        tally.wrong(f"{place}: the rerun ended with {code}: {output[-600:]}")
    elif found != [[nodes, 1, 3]] or schema != [["ONLINE", "many_i"]]:
        tally.doubles += found[0][0] > nodes or found[0][1] > 1
        tally.wrong(f"{place}: {found} {schema}")
    else:
        tally.by_rerun += 1
