"""The holder of the lock stopped, or cut off without a FIN, until another runner has finished: then it goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from tests.chaos.arena import Arena, Tally
from tests.chaos.corpus import DOUBLED
from tests.chaos.network import where
from tests.chaos.proxy import Harm, Proxy, proxy
from tests.chaos.runners import Runner, until
from tests.projects import dump, rows

LOCKS = "SHOW TRANSACTIONS YIELD transactionId, metaData, currentQuery WHERE metaData.role = 'lock' RETURN transactionId"
IMPATIENT = {"GRAPHMIGRATE_STALE_AFTER": "1.5", "GRAPHMIGRATE_HEARTBEAT": "0.5"}


def stopped(arena: Arena, points: Iterable[int]) -> Tally:
    """SIGSTOP at the k-th message, the lock ended on the server, another runner to its end, SIGCONT."""
    tally = Tally("the holder stopped at message k, its lock ended, another runner finishes, it goes on")
    for k in points:
        arena.reset()
        with proxy(arena.uri, k) as held:
            runner = arena.runners.start(arena.project, held.uri)
            until(lambda h=held, r=runner: h.done.is_set() or r.ended.is_set())
            runner.signal(signal.SIGSTOP)
            held.thaw()
            ended = end_locks(arena)
            finish(arena, tally, runner, held, where(arena, "stopped at", k), had_lock=ended)
    return tally


def cut_off(arena: Arena, points: Iterable[int]) -> Tally:
    """Nothing passes any more at the k-th message, no FIN is sent; another runner takes over by the stale rule."""
    tally = Tally("the network frozen at message k, another runner takes over and finishes, it thaws")
    for k in points:
        arena.reset()
        with proxy(arena.uri, k, Harm.FREEZE) as held:
            runner = arena.runners.start(arena.project, held.uri, **IMPATIENT)
            until(lambda h=held, r=runner: h.done.is_set() or r.ended.is_set())
            had_lock = bool(rows(arena.driver, LOCKS))
            finish(arena, tally, runner, held, where(arena, "frozen at", k), had_lock=had_lock)
    return tally


def end_locks(arena: Arena) -> bool:
    ids = [each for (each,) in rows(arena.driver, LOCKS)]
    if ids:
        arena.driver.execute_query("TERMINATE TRANSACTIONS $ids YIELD message RETURN message", ids=ids)
    return bool(ids)


def finish(arena: Arena, tally: Tally, runner: Runner, held: Proxy, place: str, *, had_lock: bool) -> None:
    """Let another runner finish, then the first go on: it must change nothing and say why."""
    tally.points += 1
    other, said = arena.runners.finish(arena.project, arena.uri, **IMPATIENT)
    if other != 0:
        tally.stuck += 1
        tally.wrong(f"{place}: the other runner ended with {other}: {said[-600:]}")
    before = dump(arena.driver, volatile=True)
    held.thaw()
    runner.signal(signal.SIGCONT)
    code, output = runner.wait(), runner.output
    if had_lock and code == 0 and dump(arena.driver, volatile=True) == before and "Applied" in output:
        pass  # it had done everything but to let the lock go
    elif had_lock and (code != 4 or "GM40" not in output):
        tally.wrong(f"{place}: it did not say why it stopped ({code}): {output[-600:]}")
    elif not had_lock and code != 0:
        tally.wrong(f"{place}: before the lock, yet it ended with {code}: {output[-600:]}")
    if had_lock and dump(arena.driver, volatile=True) != before:
        tally.wrong(f"{place}: it committed something after it had lost the lock")
    judge_end(arena, tally, place)


def judge_end(arena: Arena, tally: Tally, place: str) -> None:
    doubled = rows(arena.driver, DOUBLED)
    if doubled:
        tally.doubles += 1
        tally.wrong(f"{place}: twice: {doubled}")
    if differences := arena.differences():
        tally.unequal += 1
        tally.wrong(f"{place}: not equal: {differences}")
    elif not doubled:
        tally.by_itself += 1
