"""Eight runners at once."""

from __future__ import annotations

from collections.abc import Iterable

from tests.chaos.arena import Arena, Tally
from tests.chaos.lost import judge_end

RUNNERS = 8


def races(arena: Arena, rounds: Iterable[int]) -> Tally:
    """From an empty database, first use included, and from a half migrated one, by turns."""
    tally = Tally(f"{RUNNERS} runners at once, from an empty and from a half migrated database")
    for number in rounds:
        half = number % 2 == 0
        arena.reset(half=half)
        place = f"round {number} ({'half migrated' if half else 'empty'})"
        running = [arena.runners.start(arena.project, arena.uri) for _ in range(RUNNERS)]
        tally.points += 1
        for runner in running:
            code, output = runner.wait(), runner.output
            tally.stuck += runner.stuck_after is not None
            if code != 0:
                tally.wrong(f"{place}: one ended with {code}: {output[-600:]}")
        judge_end(arena, tally, place)
    return tally
