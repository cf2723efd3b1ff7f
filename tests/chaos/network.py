"""Faults at the k-th message: the runner killed, the connections cut."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.chaos.arena import Arena, Tally
from tests.chaos.proxy import Harm, proxy
from tests.chaos.runners import Runners, until


def kill_runner(arena: Arena, points: Iterable[int], *, what: str = "the runner") -> Tally:
    """kill -9 of the runner, its k-th message never arriving."""
    tally = Tally(f"kill -9 of {what} at message k")
    for k in points:
        arena.reset()
        if not killed_at(k, arena.runners, arena.project, arena.uri, *arena.command):
            continue  # this run had fewer messages
        arena.judge(tally, where(arena, "killed", k), None, "")
    return tally


def killed_at(k: int, warm: Runners, project: Path, uri: str, *args: str) -> bool:
    """kill -9 of one run (of ``args``), its k-th message never arriving; False where it ended before."""
    with proxy(uri, k) as frozen:
        runner = warm.start(project, frozen.uri, *args)
        until(lambda: frozen.done.is_set() or runner.ended.is_set())
        runner.kill()
    return frozen.done.is_set()


def cut(arena: Arena, points: Iterable[int], harm: Harm, *, alone: bool) -> Tally:
    """The connections, or the one of the k-th message alone, closed before or just after it passes."""
    when = "before" if harm is Harm.CUT_BEFORE else "after"
    which = "one connection" if alone else "all connections"
    tally = Tally(f"{which} cut just {when} message k")
    for k in points:
        arena.reset()
        with proxy(arena.uri, k, harm, alone=alone) as cutting:
            code, output = arena.runners.finish(arena.project, cutting.uri)
        if not cutting.done.is_set():
            continue  # this run had fewer messages
        arena.judge(tally, where(arena, f"{which} cut {when}", k), code, output)
    return tally


def where(arena: Arena, what: str, k: int) -> str:
    name = arena.messages[k - 1] if k <= len(arena.messages) else "?"
    return f"{what} message {k} of {len(arena.messages)} ({name})"
