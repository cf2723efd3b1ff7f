"""Loading one row block: a thread reads ahead, and each lane commits its rows in a thread of its own."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from graphmigrate.seeds.ledger import Step
from graphmigrate.seeds.parallel.lanes import Inbox, Pace, Piece, Stopped, Turns
from graphmigrate.seeds.parallel.spreading import splitter
from graphmigrate.seeds.sending import Outcome, Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from graphmigrate.seeds.ledger import SeedLedger
    from graphmigrate.seeds.program import Rows
    from graphmigrate.seeds.seed_history import LaneRow
    from graphmigrate.seeds.units import RowBlock
    from graphmigrate.settings import Settings

_T = TypeVar("_T")
# Rows of a block's first batches, until it is known how long they take.
_FIRST_BATCH = 5_000


def meanwhile(work: Callable[[], _T]) -> Callable[[], _T]:
    """Do ``work`` in a thread that an interrupted load does not wait for; what is given waits, and gives or raises its end."""
    ended: Future[_T] = Future()

    def run() -> None:
        try:
            ended.set_result(work())
        except BaseException as error:  # whatever it is, who asks gets it
            ended.set_exception(error)

    threading.Thread(target=run, name="graphmigrate-ahead", daemon=True).start()
    return ended.result


@dataclass(slots=True)
class LaneFailed(Exception):
    """A batch of a lane failed; ``sending`` is what it sent."""

    sending: Sending
    error: Exception


class BlockLoad:
    """The load of one row block over its lanes, whose rows are in the ledger already."""

    def __init__(
        self, ledger: SeedLedger, settings: Settings, name: str, part: Rows, block: RowBlock
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._part = part
        self._block = block
        self._lanes = block.lanes
        self._inbox = Inbox(len(block.lanes), settings.batch_bytes)
        most = settings.batch_rows if not block.spread.in_order else 1
        self._pace = Pace(_FIRST_BATCH, most, settings.batch_seconds)
        self._turns = Turns()
        self._told: SimpleQueue[Outcome | Exception | None] = SimpleQueue()

    def run(self) -> Iterator[Outcome]:
        """Load it all, giving each committed batch. Raises LaneFailed, SeedFileError or LockLost.

        Rows before a bad one are committed before it is raised. Ends its threads, whatever happens.
        """
        threads = [threading.Thread(target=self._tell, args=(self._read,), name="graphmigrate-reader")]
        threads += [
            threading.Thread(target=self._tell, args=(self._load, lane), name=f"graphmigrate-lane-{number}")
            for number, lane in enumerate(self._lanes)
        ]
        for each in threads:
            each.daemon = True
            each.start()
        failures: list[Exception] = []
        running = len(threads)
        try:
            while running:
                told = self._told.get()
                if isinstance(told, Outcome):
                    yield told
                elif told is None:
                    running -= 1
                else:
                    failures.append(told)
        finally:
            self._inbox.stop()
            for each in threads:
                each.join()
        if failures:
            # What a lane met happened to rows before the one that could not be read.
            raise min(failures, key=lambda each: not isinstance(each, LaneFailed))

    def _tell(self, work: Callable[..., None], *arguments: LaneRow) -> None:
        try:
            work(*arguments)
        except Stopped:
            pass
        except Exception as error:  # whatever it is, the main thread raises it
            self._told.put(error)
            if work == self._load:
                self._inbox.stop()
        finally:
            self._told.put(None)

    def _read(self) -> None:
        split = splitter(self._block.spread, self._part.columns, len(self._lanes))
        try:
            for block in self._block.blocks:
                for lane, rows in split(block):
                    # Borders do not move, so a lane has all of its rows of a block, or none.
                    if block.end > self._lanes[lane].offset:
                        weight = block.weight * len(rows) // len(block.items)
                        self._inbox.put(lane, Piece(rows, block.number, block.start, block.end, weight))
        finally:
            self._inbox.finish()

    def _load(self, lane: LaneRow) -> None:
        number = self._lanes.index(lane)
        step, rows = lane.step, lane.rows
        while pieces := self._inbox.take(number, self._pace.rows):
            step += 1
            sent = [row for piece in pieces for row in piece.rows] if len(pieces) > 1 else pieces[0].rows
            rows += len(sent)
            self._commit(lane.key, step, rows, pieces, sent)

    def _commit(self, key: str, step: int, rows: int, pieces: Sequence[Piece], sent: list[object]) -> None:
        last = pieces[-1]
        values = {"offset": last.end, "blocks": last.number + 1, "rows": rows}
        sending = Sending(self._part, pieces[0].start, last.end, [sent])
        begun = time.monotonic()
        try:
            outcome = self._ledger.commit(Step(key, self._name, step, values), sending, self._turns.turn)
        except Exception as error:
            raise LaneFailed(sending, error) from error
        self._pace.took(len(sent), time.monotonic() - begun)
        self._told.put(outcome)
