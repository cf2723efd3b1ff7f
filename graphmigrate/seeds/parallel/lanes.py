"""The sessions that load one row block: reading ahead, batches that fit, and taking turns after a deadlock."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# A deadlock costs both sides time: after several of them the sessions take turns for so many batches.
_CONFLICT = 4
_CROWDED = 12
_TURNS = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows that one lane has of the block with number ``number``, which begins and ends at these rows."""

    rows: list[Any]
    number: int
    start: int
    end: int
    weight: int


class Stopped(Exception):
    """The load ends early: nothing is read or sent any more."""


class Inbox:
    """Rows that were read and wait for their lane; the reader waits where a lane has twice what it will take."""

    def __init__(self, lanes: int, most_bytes: int) -> None:
        self._waiting: list[deque[Piece]] = [deque() for _ in range(lanes)]
        self._rows = [0] * lanes
        self._bytes = [0] * lanes
        self._most_bytes = most_bytes
        self._wanted = 1
        self._finished = self._stopped = False
        self._changed = threading.Condition()

    def put(self, lane: int, piece: Piece) -> None:
        """Hand a piece to its lane; raises Stopped."""
        with self._changed:
            while not self._stopped and self._full(lane):
                self._changed.wait()
            if self._stopped:
                raise Stopped
            self._waiting[lane].append(piece)
            self._rows[lane] += len(piece.rows)
            self._bytes[lane] += piece.weight
            self._changed.notify_all()

    def _full(self, lane: int) -> bool:
        return self._rows[lane] >= 2 * self._wanted or self._bytes[lane] >= self._most_bytes

    def take(self, lane: int, rows: int) -> list[Piece]:
        """Give pieces of about so many rows, at least one; none where all were taken. Raises Stopped."""
        with self._changed:
            self._wanted = rows
            self._changed.notify_all()
            while not (self._stopped or self._finished or self._rows[lane] >= rows or self._full(lane)):
                self._changed.wait()
            if self._stopped:
                raise Stopped
            taken: list[Piece] = []
            number = heavy = 0
            waiting = self._waiting[lane]
            while waiting and (
                not taken
                or (number + len(waiting[0].rows) <= rows and heavy + waiting[0].weight <= self._most_bytes)
            ):
                taken.append(waiting.popleft())
                number += len(taken[-1].rows)
                heavy += taken[-1].weight
            self._rows[lane] -= number
            self._bytes[lane] -= heavy
            self._changed.notify_all()
            return taken

    def finish(self) -> None:
        """Say that everything was read."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Let everyone who waits here go."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


class Pace:
    """How many rows a batch takes: so many that a transaction lasts about ``seconds``, within limits."""

    def __init__(self, first: int, most: int, seconds: float) -> None:
        self._rows = float(min(first, most))
        self._most = most
        self._seconds = seconds
        self._mutex = threading.Lock()

    @property
    def rows(self) -> int:
        """How many rows the next batch should have."""
        return max(1, int(self._rows))

    def took(self, rows: int, seconds: float) -> None:
        """Learn from a batch: at most doubled or halved at a time, since one transaction says little."""
        fitting = rows * self._seconds / max(seconds, 0.001)
        with self._mutex:
            if rows < self._rows / 2 and fitting > rows:
                return  # a last or a heavy batch says nothing about larger ones
            bounded = min(max(fitting, self._rows / 2), self._rows * 2)
            self._rows = min(max((self._rows + bounded) / 2, 1.0), float(self._most))


class Turns:
    """Lets batches run at once, but a batch that met a deadlock alone, so that it cannot meet the same again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._alone = False
        self._score = 0
        self._crowded = 0
        self.conflicts = 0

    @contextmanager
    def turn(self, attempt: int) -> Iterator[None]:
        """Run one attempt (numbered from 0) of a batch."""
        alone = self._begin(attempt)
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._alone = self._alone and not alone
                self._changed.notify_all()

    def _begin(self, attempt: int) -> bool:
        with self._changed:
            self._judge(attempt)
            alone = attempt > 0 or self._crowded > 0
            while self._alone:
                self._changed.wait()
            self._alone = alone  # from now on nobody else begins
            while alone and self._running:
                self._changed.wait()
            self._running += 1
            return alone

    def _judge(self, attempt: int) -> None:
        if attempt:
            self.conflicts += 1
            self._score += _CONFLICT
        else:
            self._score = max(0, self._score - 1)
            self._crowded = max(0, self._crowded - 1)
        if self._score > _CROWDED:
            self._score, self._crowded = 0, _TURNS
