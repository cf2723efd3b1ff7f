"""Batches: items of a seed that are committed together, what one transaction sends, and how rows go to several sessions."""

from __future__ import annotations

import marshal
import threading
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zlib import crc32

from graphmigrate.database.guard import guarded, needs_guard, was_put_back
from graphmigrate.database.transactions import changes_of
from graphmigrate.seeds.program import ROWS, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import neo4j

    from graphmigrate.errors import Problem
    from graphmigrate.seeds.ledger import SeedRow
    from graphmigrate.seeds.program import Program, Query, Statements
    from graphmigrate.seeds.shapes import PlainLoad

_T = TypeVar("_T")
EXAMPLES = 5
# The most items that are read before they are weighed.
_SLICE = 64
# How far from one half the share of one of two lanes may be.
_UNEVEN = 0.15
_DEPTH = 3
_DIGESTS = 2**61
# How many batches of each lane may be under way.
_AHEAD = 3
# With more than one conflict in so many batches, sessions take turns.
_CROWDED = 8


class Batch(NamedTuple):
    """Items of one part, rows or statements, that are committed together.

    ``numbers`` are their numbers in the part, ``marks`` tell what is in them, ``weight`` is about how many bytes they have.
    """

    part: int
    items: list[Any]
    numbers: Sequence[int]
    marks: list[int]
    weight: int

    @property
    def end(self) -> int:
        """The number after that of the last item."""
        return self.numbers[-1] + 1

    def first(self, size: int) -> Batch:
        """Return its first ``size`` items."""
        weight = self.weight * size // len(self.items)
        return Batch(self.part, self.items[:size], self.numbers[:size], self.marks[:size], weight)


class Limits(NamedTuple):
    """How many items, and about how many bytes, a batch may have."""

    items: int
    size: int


def batches(part: int, items: Iterator[Any], limits: Limits, start: int = 0) -> Iterator[Batch]:
    """Cut ``items``, the first of which has the number ``start``, into batches within the limits.

    A single item may be heavier than the limit. Started again at any border, it cuts the same batches.
    """
    while True:
        held: list[Any] = []
        marks: list[int] = []
        heavy, take = 0, 1
        while len(held) < limits.items and heavy < limits.size:
            found = list(islice(items, min(take, limits.items - len(held))))
            if not found:
                break
            packed = _packed(found)
            marks += map(crc32, packed)
            heavy += sum(map(len, packed))
            held += found
            room = (limits.size - heavy) * len(held) // max(heavy, 1)
            take = max(1, min(take * 8, _SLICE, room))
        if not held:
            return
        yield Batch(part, held, range(start, start + len(held)), marks, heavy)
        start += len(held)


def _packed(items: Sequence[Any]) -> list[bytes]:
    """Return the same bytes for the same row, or statement with its parameters, on every machine."""
    try:
        return list(map(marshal.dumps, items, repeat(2)))  # version 2 writes a text as often as it occurs
    except ValueError:  # a type that marshal does not know
        if len(items) > 1:
            return [bytes_ for item in items for bytes_ in _packed([item])]
        [item] = items
        item = (item.text, item.parameters) if hasattr(item, "parameters") else item
        return [repr(item).encode("utf-8", "surrogatepass")]


def digest(before: int | None, marks: Iterable[int]) -> int | None:
    """Return what tells of the content of items, whatever their order and batches; None stays unknown."""
    return None if before is None else (before + sum(marks)) % _DIGESTS


def mark_of(part: Rows) -> int:
    """Return the mark of the statement of a row block, and of the columns that it is sent."""
    return crc32(
        repr((part.query.text, part.query.parameters, part.columns)).encode("utf-8", "surrogatepass")
    )


def digest_of(program: Program, row: SeedRow) -> int:
    """Return the digest that a load has which committed of this program what ``row`` says; reads the rows."""
    marks: list[int] = []
    for number, part in enumerate(program.parts[: row.part + 1]):
        count = None if number < row.part else row.offset
        if not isinstance(part, Rows):
            marks += map(crc32, _packed(part.queries[:count]))
            continue
        lanes = row.lanes if number == row.part else ()
        offsets = [lane.offset for lane in lanes]
        route = router(row.spread, part.columns, len(lanes)) if lanes else None
        rows = enumerate(islice(part.rows(), max(offsets) if route else count))
        found = [crc32(_packed([item])[0]) for at, item in rows if not route or at < offsets[route(at, item)]]
        marks += [sum(found), mark_of(part)] if found or lanes else []
    return sum(marks) % _DIGESTS


# ---- one transaction


@dataclass(slots=True)
class Outcome:
    """What was committed: the server's counters, the number of rows, and of those for which a MATCH found nothing.

    ``examples`` are the first of these: their part, number and values.
    """

    changes: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    unmatched: int = 0
    warnings: tuple[Problem, ...] = ()
    examples: list[tuple[Rows, int, Any]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Add what another transaction committed."""
        self.changes.update(other.changes)
        self.rows += other.rows
        self.unmatched += other.unmatched
        self.examples += other.examples[: EXAMPLES - len(self.examples)]


class Unsendable(Exception):
    """The driver cannot send a value."""


class RowUnmatched(Exception):
    """A MATCH found nothing for the row at a position of the batch, which is to be an error."""

    def __init__(self, at: int) -> None:
        super().__init__("MATCH found nothing for it")
        self.at = at


class Work:
    """The user's part of one transaction; called again for each attempt. ``at`` is the query that was sent last.

    ``strict`` makes a row for which a MATCH finds nothing an error; ``sole`` tells that no other session works beside this one.
    """

    def __init__(
        self, ledger: str, part: Statements | Rows, batch: Batch, *, strict: bool = False, sole: bool = True
    ) -> None:
        self.ledger = ledger
        self.sole = sole
        self.part = part
        self.batch = batch
        self.strict = strict
        self.at: Query = part.query if isinstance(part, Rows) else batch.items[0]

    def __call__(self, tx: neo4j.Transaction) -> Outcome:
        """Send the batch, and put the bookkeeping nodes back. Raises Unsendable."""
        outcome = Outcome()
        queries = [self.part.query] if isinstance(self.part, Rows) else self.batch.items
        texts = [query.text for query in queries]
        with guarded(tx, self.ledger, texts, sole=self.sole) as guard:
            if isinstance(self.part, Rows):
                rows = self.batch.items
                arrived = self._run(tx, self.part.query, {ROWS: rows}, outcome)
                outcome.rows += len(rows)
                if arrived is not None and len(arrived) < len(rows):
                    self._unmatched(self.part, set(arrived), outcome)
            else:
                for query in queries:
                    self._run(tx, query, {}, outcome)
        if guard.put_back:
            place = next((query.place for query in queries if needs_guard(query.text)), queries[0].place)
            outcome.warnings = (was_put_back(guard.put_back, texts, place),)
        return outcome

    def _unmatched(self, part: Rows, arrived: set[int], outcome: Outcome) -> None:
        missing = [at for at in range(len(self.batch.items)) if at not in arrived]
        if self.strict:
            raise RowUnmatched(missing[0])
        outcome.unmatched += len(missing)
        numbers, items = self.batch.numbers, self.batch.items
        outcome.examples += [(part, numbers[at], items[at]) for at in missing[:EXAMPLES]]

    def _run(
        self, tx: neo4j.Transaction, query: Query, more: dict[str, Any], outcome: Outcome
    ) -> list[int] | None:
        self.at = query
        try:
            result = tx.run(query.text, {**query.parameters, **more})
            arrived = result.single(strict=True)[0] if query.counted else None
            outcome.changes.update(changes_of(result.consume()))
        except (ValueError, TypeError, OverflowError) as error:
            raise Unsendable(str(error)) from error
        return arrived


# ---- several sessions


def deal(
    found: Iterable[Batch], route: Callable[[int, Any], int], offsets: Sequence[int], limits: Limits
) -> Iterator[tuple[int, Batch]]:
    """Deal the rows of batches out to lanes, in batches of their own; a lane gets its rows from its offset on."""
    held: list[tuple[list[Any], list[int], list[int]]] = [([], [], []) for _ in offsets]
    weights = [0] * len(offsets)
    part = 0
    for batch in found:
        part, weight = batch.part, batch.weight // len(batch.items)
        for number, row, mark in zip(batch.numbers, batch.items, batch.marks, strict=True):
            lane = route(number, row)
            if number < offsets[lane]:
                continue
            rows, numbers, marks = held[lane]
            rows.append(row)
            numbers.append(number)
            marks.append(mark)
            weights[lane] += weight
            if len(rows) >= limits.items or weights[lane] >= limits.size:
                yield lane, Batch(part, rows, numbers, marks, weights[lane])
                held[lane], weights[lane] = ([], [], []), 0
    for lane, (rows, numbers, marks) in enumerate(held):
        if rows:
            yield lane, Batch(part, rows, numbers, marks, weights[lane])


def router(spread: str, columns: Sequence[str] | None, lanes: int) -> Callable[[int, Any], int]:
    """Return the function that tells the lane of a row from its number and the row itself; nothing else decides.

    ``spread`` is what ``spread_of`` returned: ``turn:N`` gives the lanes N rows each in turn. With ``columnD:NAME``, rows that
    have the same value there go to one lane, in their order; an empty name means the row itself. Values that differ only in
    their last D characters (or digits of a number) go to one lane, too.
    """
    how, _, name = spread.partition(":")
    if how == "turn":
        turn = int(name)
        return lambda number, _: number // turn % lanes
    pick, depth = picker(name, columns), int(how.removeprefix("column"))
    return lambda _, row: _hash(pick(row), depth) % lanes


def spread_of(plain: PlainLoad | None, first: Sequence[Any], columns: Sequence[str] | None, turn: int) -> str:
    """Return how to spread rows that may be loaded in several sessions; ``first`` are the first of them.

    Nodes of MERGE are spread by their key, neighbours in one lane: two sessions that write into the same leaves of an index wait
    for each other. Relationships are spread by one end, so that two sessions do not write relationships of the same node: by
    the end with fewer values. Both hold as far as two lanes stay busy.
    """
    if plain is None or not plain.lookups:
        return f"turn:{turn}"
    names = [each.column for each in plain.lookups]
    found = {name: list(map(picker(name, columns), first)) for name in names}
    if not plain.relationship:
        depths = range(_DEPTH, -1, -1)
        depth = next((depth for depth in depths if _is_even(found[names[0]], depth)), 0)
        return f"column{depth}:{names[0]}"
    names.sort(key=lambda name: len({_hash(value) for value in found[name]}))
    column = next((name for name in names if _is_even(found[name])), None)
    if column is None and plain.verb == "MERGE":
        column = plain.lookups[0].column
    return f"turn:{turn}" if column is None else f"column0:{column}"


def _is_even(values: Sequence[Any], depth: int = 0) -> bool:
    share = sum(_hash(value, depth) % 2 for value in values) / max(1, len(values))
    return abs(share - 0.5) <= _UNEVEN


def picker(column: str, columns: Sequence[str] | None) -> Callable[[Any], Any]:
    """Return the function from a row as it is sent to its value in a column; an empty name means the row itself."""
    if columns is not None:
        return itemgetter(list(columns).index(column))
    if column:
        return lambda row: row.get(column) if isinstance(row, Mapping) else None
    return lambda row: row


def _hash(value: Any, depth: int = 0) -> int:
    """Return the same number for values that are equal in Cypher; 0 for a value without a simple text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and depth:
        value = value[:-depth]
    elif type(value) is int and depth:
        value //= 10**depth
    if isinstance(value, (str, int, float)):
        return crc32(str(value).encode("utf-8", "surrogatepass"))
    return 0


def side_by_side(
    lanes: int, dealt: Iterable[tuple[int, Batch]], commit: Callable[[int, Batch], _T]
) -> Iterator[_T]:
    """Commit batches as they are dealt, those of each lane in their order in a thread of its own; yield what each returned.

    Rows before a bad one are committed before its error is raised; the error of a commit is raised first. However it ends, no
    thread is left.
    """
    stopped = threading.Event()
    waiting: deque[Future[_T | None]] = deque()
    failures: list[Exception] = []

    def unless_stopped(lane: int, batch: Batch) -> _T | None:
        if stopped.is_set():
            return None
        try:
            return commit(lane, batch)
        except BaseException:
            stopped.set()
            raise

    threads = [ThreadPoolExecutor(1) for _ in range(lanes)]
    try:
        try:
            for lane, batch in dealt:
                waiting.append(threads[lane].submit(unless_stopped, lane, batch))
                yield from _done(waiting, lanes * _AHEAD, failures)
                if failures:
                    break
        except Exception as error:  # of a row that cannot be read
            failures.append(error)
        yield from _done(waiting, 0, failures)
        if failures:
            raise failures[-1]
    finally:
        stopped.set()
        for thread in threads:
            thread.shutdown()


def _done(waiting: deque[Future[_T | None]], most: int, failures: list[Exception]) -> Iterator[_T]:
    """Yield the results that are there, and note failures; wait while more than ``most`` are not there."""
    while waiting and (waiting[0].done() or len(waiting) > most):
        try:
            found = waiting.popleft().result()
        except Exception as error:
            failures.append(error)
            continue
        if found is not None:
            yield found


class Turns:
    """Lets sessions work at once, but a batch that met a deadlock alone, and every batch where deadlocks are frequent."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._batches = self._conflicts = 0

    @contextmanager
    def turn(self, attempt: int) -> Iterator[None]:
        """Hold the turn of one attempt (numbered from 0) to commit a batch."""
        self._batches += attempt == 0
        self._conflicts += attempt > 0
        alone = attempt > 0 or self._conflicts * _CROWDED > self._batches
        with self._alone:
            if alone:
                yield
                return
        yield
