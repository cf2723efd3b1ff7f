"""How rows are cut into batches, dealt out to sessions, and committed: every batch once, errors raised, threads ended."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.cypher.reader import significant
from graphmigrate.seeds.batches import Batch, Limits, Turns, batches, deal, router, side_by_side, spread_of
from graphmigrate.seeds.shapes import plain_load

VALUES = st.lists(st.text(max_size=300) | st.integers() | st.none() | st.dates(), max_size=4)


@given(st.lists(VALUES, max_size=300), st.integers(1, 100), st.integers(1, 3000), st.data())
def test_a_cut_begun_again_at_a_border_finds_the_same_batches(
    rows: list[list[object]], most: int, most_bytes: int, data: st.DataObject
) -> None:
    limits = Limits(most, most_bytes)
    whole = list(batches(0, iter(rows), limits))
    assert [row for batch in whole for row in batch.items] == rows
    assert all(len(batch.items) == len(batch.numbers) <= most for batch in whole)
    at = data.draw(st.integers(0, len(whole)))
    start = whole[at].numbers[0] if at < len(whole) else len(rows)
    assert list(batches(0, iter(rows[start:]), limits, start)) == whole[at:]


def test_heavy_rows_make_small_batches() -> None:
    rows = iter([["x" * 1000]] * 100)
    assert max(len(batch.items) for batch in batches(0, rows, Limits(1000, 10_000))) <= 12
    [light, heavy] = (
        next(batches(0, iter([row]), Limits(9, 999))).weight
        for row in (["ü" * 10], ["ü" * 100, datetime.date(2026, 1, 1)])
    )
    assert light < heavy


def dealt(
    rows: list[object], spread: str, lanes: int, columns: list[str] | None, most: int = 7
) -> list[list[object]]:
    found: list[list[object]] = [[] for _ in range(lanes)]
    limits = Limits(most, 10**6)
    route = router(spread, columns, lanes)
    for lane, batch in deal(batches(0, iter(rows), limits), route, [0] * lanes, limits):
        assert len(batch.items) == len(batch.numbers) <= most
        assert [rows[number] for number in batch.numbers] == batch.items
        found[lane].extend(batch.items)
    return found


def test_equal_keys_share_a_lane_in_their_order() -> None:
    keys = ["a", "b", 1, 1.0, "1", None, True, 2.5, "ü", datetime.date(2026, 1, 1)]
    rows: list[object] = [[n, key] for n in range(20) for key in keys]
    found = dealt(rows, "column0:key", 3, ["n", "key"])
    for key in keys:
        with_key = [any(row[1] == key and type(row[1]) is type(key) for row in here) for here in found]  # type: ignore[index]
        assert sum(with_key) == 1
    for here in found:
        assert [row[0] for row in here] == sorted(row[0] for row in here)  # type: ignore[index]
    assert sum(map(len, found)) == len(rows)
    route = router("column0:key", ["key"], 8)
    assert route(0, [1]) == route(5, [1.0])


def test_rows_without_a_key_go_in_turn() -> None:
    rows: list[object] = list(range(50))
    assert dealt(rows, "turn:7", 2, None)[1] == [*range(7, 14), *range(21, 28), *range(35, 42), 49]
    maps: list[object] = [{"id": n} for n in range(100)]
    assert sum(map(len, dealt(maps, "column0:id", 2, None))) == 100
    assert router("column2:turn:3", ["turn:3"], 2)(0, ["abcXY"]) == router("column0:", None, 2)(0, "abc")


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=200),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from(["column0:", "turn:3"]),
    st.data(),
)
def test_a_resumed_deal_hands_each_lane_the_rows_from_its_offset(
    rows: list[int], most: int, most_later: int, spread: str, data: st.DataObject
) -> None:
    """Whatever a lane has committed before, and with other limits afterwards: each row once, in order."""
    route = router(spread, None, 2)
    limits = Limits(most, 10**6)
    whole = list(deal(batches(0, iter(rows), limits), route, [0, 0], limits))
    committed: list[list[Batch]] = [[], []]
    for lane in (0, 1):
        mine = [batch for number, batch in whole if number == lane]
        committed[lane] = mine[: data.draw(st.integers(0, len(mine)))]
    offsets = [each[-1].end if each else 0 for each in committed]
    start = min(offsets)
    later = Limits(most_later, 10**6)
    rest = list(deal(batches(0, iter(rows[start:]), later, start), route, offsets, later))
    for lane in (0, 1):
        numbers = [n for batch in committed[lane] for n in batch.numbers]
        numbers += [n for number, batch in rest if number == lane for n in batch.numbers]
        assert numbers == [n for n, row in enumerate(rows) if route(n, row) == lane]


HUBS = "MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) {verb} (a)-[:T]->(b)"


@pytest.mark.parametrize(
    ("body", "rows", "wanted"),
    [
        ("CREATE (:P {id: row.a})", [[n, n] for n in range(100)], "turn:5"),
        ("MERGE (:P {id: row.a})", [[n, n] for n in range(10_000)], "column3:a"),
        ("MERGE (:P {id: row.a})", [[f"{n}", n] for n in range(500)], "column2:a"),
        ("MERGE (:P {id: row.a})", [[f"p{n % 10}", n] for n in range(1000)], "column0:a"),
        ("MERGE (:P {id: row.a})", [[None, 1]] * 10, "column0:a"),
        # relationships: by the end with fewer values, where both lanes stay busy with it
        (HUBS, [[n, n % 40] for n in range(1000)], "column0:b"),
        (HUBS, [[n % 40, n] for n in range(1000)], "column0:a"),
        (HUBS, [[n, 1] for n in range(1000)], "column0:a"),
        (HUBS.replace("{verb}", "CREATE"), [[1, 1] for n in range(1000)], "turn:5"),
        (HUBS.replace("{verb}", "MERGE"), [[1, 1] for n in range(1000)], "column0:a"),
    ],
)
def test_what_rows_are_spread_by(body: str, rows: list[list[int]], wanted: str) -> None:
    plain = plain_load(significant(body.replace("{verb}", "MERGE")), "row")
    assert plain is not None
    assert spread_of(plain, rows, ["a", "b"], 5) == wanted


def test_rows_in_any_order_that_are_no_plain_load_go_in_turn() -> None:
    assert spread_of(None, [[1]], ["a"], 5) == "turn:5"


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
