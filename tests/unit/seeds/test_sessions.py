"""Sessions that commit batches side by side: every batch once, errors raised, threads ended, deadlocks alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from graphmigrate.seeds.batches import Batch
from graphmigrate.seeds.sessions import Turns, side_by_side


def rows(count: int, lanes: int = 2) -> Iterator[tuple[int, Batch]]:
    for number in range(count):
        yield number % lanes, Batch(0, [number], [number], [number], 1)


def test_every_batch_is_committed_in_the_order_of_its_lane() -> None:
    done: list[list[int]] = [[], []]
    found = list(side_by_side(2, rows(50), lambda lane, batch: done[lane].extend(batch.items) or lane))
    assert (len(found), sum(found)) == (50, 25)
    assert done == [list(range(0, 50, 2)), list(range(1, 50, 2))]


def test_rows_before_a_bad_one_are_committed() -> None:
    done: list[int] = []

    def read() -> Iterator[tuple[int, Batch]]:
        yield from rows(10)
        raise LookupError("row 11")

    with pytest.raises(LookupError):
        list(side_by_side(2, read(), lambda _, batch: done.extend(batch.items) or 1))
    assert sorted(done) == list(range(10))


def test_a_failed_commit_ends_the_others_and_is_raised_first() -> None:
    done: list[int] = []

    def read() -> Iterator[tuple[int, Batch]]:
        yield from rows(1000)
        raise LookupError

    def commit(lane: int, batch: Batch) -> int:
        if batch.items == [8]:
            raise ValueError("batch 8")
        done.extend(batch.items)
        return lane

    before = threading.active_count()
    with pytest.raises(ValueError, match="batch 8"):
        list(side_by_side(2, read(), commit))
    assert len(done) < 50
    assert threading.active_count() == before


def test_whoever_stops_asking_ends_the_threads() -> None:
    before = threading.active_count()
    running = side_by_side(2, rows(1000), lambda lane, _: lane)
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_batch_that_met_a_conflict_runs_alone() -> None:
    turns = Turns()
    running: list[int] = []
    together: list[int] = []
    mutex = threading.Lock()

    def batch(conflicts: bool) -> None:
        with turns.turn(int(conflicts)):
            with mutex:
                running.append(1)
                together.append(len(running))
            time.sleep(0.01)
            with mutex:
                running.pop()

    threads = [threading.Thread(target=batch, args=(n % 20 == 19,)) for n in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert max(together) > 1
    assert not running


def test_sessions_take_turns_where_conflicts_are_frequent() -> None:
    turns = Turns()
    for attempt in (0, 1, 0, 1):
        with turns.turn(attempt):
            pass
    entered = threading.Event()

    def other() -> None:
        with turns.turn(0):
            entered.set()

    with turns.turn(0):
        thread = threading.Thread(target=other)
        thread.start()
        assert not entered.wait(0.1)
    thread.join(30)
    assert entered.is_set()
