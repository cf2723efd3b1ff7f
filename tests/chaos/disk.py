"""A full disk: what could not be written is told, and once there is room again a rerun ends as if nothing had happened.

The disk is a small tmpfs, where this machine allows to mount one. The server preallocates its transaction logs, as it does
unless told otherwise: without, a log torn by a full disk is beyond what Neo4j itself can recover.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

from graphmigrate import server
from graphmigrate.server.state import Launch
from tests.chaos.arena import Arena, Tally
from tests.chaos.crash import Crashing, options
from tests.chaos.runners import runners

MEGABYTES = 900
LEFT = (100_000, 1_500_000)  # bytes that are left when the run begins, from … to
FULL_FOR = 15.0  # seconds; some servers wait for room rather than fail


@cache
def can_mount() -> bool:
    """Whether this process may mount a tmpfs."""
    try:
        with small_disk():
            return True
    except (OSError, subprocess.SubprocessError):
        return False


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="graphmigrate-chaos-") as name:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", name],
            check=True,
            capture_output=True,
        )
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


@contextlib.contextmanager
def server_on(disk: Path, version: str) -> Iterator[Crashing]:
    settings = Launch.settings
    with patch.object(Launch, "settings", lambda self: settings(self) | {"db.tx_log.preallocate": "true"}):
        made = Crashing(disk, version, server.start(disk, options(version, 0)))
        try:
            yield made
        finally:
            server.stop(disk)


def full(arena: Arena, points: Iterable[int]) -> Tally:
    """A little room is left on the server's disk when a run begins, and more is made while it waits or after it failed."""
    tally = Tally("the server's disk full")
    for number in points:
        room = random.Random(number).randint(*LEFT)
        with (
            small_disk() as disk,
            server_on(disk, arena.version) as crashing,
            crashing.target.driver() as driver,
            runners(crashing.target.env) as warm,
        ):
            there = replace(arena, uri=crashing.target.uri, driver=driver, runners=warm)
            there.reset()
            code, output = run_short_of(room, there, disk / "filler")
            server.stop(disk)  # a database that met the full disk may ask for a restart
            crashing.restart()
            there.judge(tally, f"{room:,} bytes left ({number})", code, output)
    return tally


def run_short_of(room: int, arena: Arena, filler: Path) -> tuple[int, str]:
    filler.write_bytes(bytes(max(0, shutil.disk_usage(filler.parent).free - room)))
    runner = arena.runners.start(arena.project, arena.uri)
    runner.ended.wait(FULL_FOR)
    filler.unlink()
    return runner.wait(), runner.output
