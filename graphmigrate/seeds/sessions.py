"""What one transaction of a load sends, and several sessions that send batches of one row block side by side."""

from __future__ import annotations

import threading
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from graphmigrate.database.guard import guarded, needs_guard, was_put_back
from graphmigrate.database.transactions import changes_of
from graphmigrate.seeds.program import ROWS, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import neo4j

    from graphmigrate.errors import Problem
    from graphmigrate.seeds.batches import Batch
    from graphmigrate.seeds.program import Query, Statements

_T = TypeVar("_T")
# How many batches wait for each lane.
_AHEAD = 2
EXAMPLES = 5
# With more than one conflict in so many batches, sessions take turns.
_CROWDED = 8


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


def side_by_side(
    lanes: int, dealt: Iterable[tuple[int, Batch]], commit: Callable[[int, Batch], _T]
) -> Iterator[_T]:
    """Commit batches as they are dealt, those of each lane in their order in a thread of its own; yield what each returned.

    Rows before a bad one are committed before its error is raised; the error of a commit is raised first. However it ends, no
    thread is left.
    """
    stopped = threading.Event()

    def unless_stopped(lane: int, batch: Batch) -> _T | None:
        if stopped.is_set():
            return None
        try:
            return commit(lane, batch)
        except BaseException:
            stopped.set()
            raise

    threads = [ThreadPoolExecutor(1) for _ in range(lanes)]
    waiting: list[deque[Future[_T | None]]] = [deque() for _ in threads]
    failures: list[Exception] = []
    try:
        try:
            for lane, batch in dealt:
                waiting[lane].append(threads[lane].submit(unless_stopped, lane, batch))
                for each in waiting:
                    yield from _done(each, _AHEAD + 1 if each is waiting[lane] else None)
        except Exception as error:  # of a row that cannot be read, or of a commit
            failures.append(error)
        for each in waiting:
            yield from _rest(each, failures)
        if failures:
            raise failures[-1]
    finally:
        stopped.set()
        for thread in threads:
            thread.shutdown()


def _rest(waiting: deque[Future[_T | None]], failures: list[Exception]) -> Iterator[_T]:
    """Wait for all results of a lane, and yield those that are there; note its failures."""
    while waiting:
        try:
            yield from _done(waiting, 1)
        except Exception as error:
            failures.append(error)


def _done(waiting: deque[Future[_T | None]], wait_for: int | None) -> Iterator[_T]:
    """Yield the results that are there; wait while as many as ``wait_for`` are not."""
    while waiting and (waiting[0].done() or (wait_for and len(waiting) >= wait_for)):
        found = waiting.popleft().result()
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
        self._alone.acquire()
        if not alone:
            self._alone.release()
        try:
            yield
        finally:
            if alone:
                self._alone.release()
