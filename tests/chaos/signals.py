"""Ctrl-C and SIGTERM: the transaction at hand rolls back, the state is recorded, the exit code says which it was."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from tests.chaos.arena import Arena, Tally
from tests.chaos.network import where
from tests.chaos.proxy import proxy
from tests.chaos.runners import until
from tests.projects import rows

OPEN = "MATCH (l:__GraphMigrateLedger) WHERE l.record IS NOT NULL RETURN l.record"


def signals(arena: Arena, points: Iterable[int]) -> Tally:
    """By turns, at the k-th message, which passes then."""
    tally = Tally("Ctrl-C or SIGTERM at message k")
    for number, k in enumerate(points):
        arena.reset()
        chosen = (signal.SIGINT, signal.SIGTERM)[number % 2]
        with proxy(arena.uri, k) as held:
            runner = arena.runners.start(arena.project, held.uri)
            until(lambda h=held, r=runner: h.done.is_set() or r.ended.is_set())
            runner.signal(chosen)
            held.thaw()
            code, output = runner.wait(), runner.output
        place = where(arena, f"{chosen.name} at", k)
        if code not in {0, 128 + chosen}:
            tally.wrong(f"{place}: it ended with {code}: {output[-600:]}")
        if code and (left := rows(arena.driver, OPEN)):
            tally.wrong(f"{place}: the state was not recorded: {left}")
        arena.judge(tally, place, 0 if code == 0 else None, output)
    return tally
