"""What one transaction of a load sends, and several sessions that send batches of one row block side by side."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

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

    ``strict`` makes a row for which a MATCH finds nothing an error.
    """

    def __init__(self, ledger: str, part: Statements | Rows, batch: Batch, *, strict: bool = False) -> None:
        self.ledger = ledger
        self.part = part
        self.batch = batch
        self.strict = strict
        self.at: Query = part.query if isinstance(part, Rows) else batch.items[0]

    def __call__(self, tx: neo4j.Transaction) -> Outcome:
        """Send the batch, and put the bookkeeping nodes back. Raises Unsendable."""
        outcome = Outcome()
        queries = [self.part.query] if isinstance(self.part, Rows) else self.batch.items
        texts = [query.text for query in queries]
        with guarded(tx, self.ledger, texts) as guard:
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
            place = next(query.place for query in queries if needs_guard(query.text))
            outcome.warnings = (was_put_back(guard.put_back, texts, place),)
        return outcome

    def _unmatched(self, part: Rows, arrived: set[int], outcome: Outcome) -> None:
        missing = [at for at in range(len(self.batch.items)) if at not in arrived]
        if self.strict:
            raise RowUnmatched(missing[0])
        outcome.unmatched += len(missing)
        outcome.examples += [
            (part, self.batch.numbers[at], self.batch.items[at]) for at in missing[:EXAMPLES]
        ]

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


class Sessions(Generic[_T]):
    """A thread reads the batches that ``read`` yields with their lane; each lane commits its own in a thread, by ``commit``."""

    def __init__(
        self,
        lanes: int,
        read: Callable[[], Iterable[tuple[int, Batch]]],
        commit: Callable[[int, Batch], _T],
    ) -> None:
        self._waiting: list[Queue[Batch | None]] = [Queue(_AHEAD) for _ in range(lanes)]
        self._read = read
        self._commit = commit
        self._stopped = threading.Event()
        self._told: Queue[_T | BaseException | None] = Queue()

    def run(self) -> Iterator[_T]:
        """Yield what each commit returned; ends its threads whatever happens.

        Rows before a bad one are committed before its error is raised; the error of a commit is raised first.
        """
        works = [self._fill, *(lambda lane=lane: self._load(lane) for lane in range(len(self._waiting)))]
        threads = [threading.Thread(target=self._tell, args=(work,), daemon=True) for work in works]
        for each in threads:
            each.start()
        running, failures = len(threads), list[BaseException]()
        try:
            while running:
                told = self._told.get()
                if isinstance(told, BaseException):
                    failures.append(told)
                elif told is None:
                    running -= 1
                else:
                    yield told
        finally:
            self._stopped.set()
            for each in threads:
                each.join()
        if failures:
            raise min(failures, key=lambda each: each is self._unread)

    _unread: BaseException | None = None

    def _tell(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # the main thread raises it
            self._told.put(error)
        finally:
            self._told.put(None)

    def _fill(self) -> None:
        """Read every batch and hand it to its lane. A lane takes what waits even after a stop, so this never hangs."""
        try:
            for lane, batch in self._read():
                if self._stopped.is_set():
                    break
                self._waiting[lane].put(batch)
        except BaseException as error:
            self._unread = error
            raise
        finally:
            for each in self._waiting:
                each.put(None)

    def _load(self, lane: int) -> None:
        waiting = self._waiting[lane]
        batch = waiting.get()
        try:
            while batch is not None:
                if not self._stopped.is_set():
                    self._told.put(self._commit(lane, batch))
                batch = waiting.get()
        except BaseException:
            self._stopped.set()
            while batch is not None:
                batch = waiting.get()
            raise


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
