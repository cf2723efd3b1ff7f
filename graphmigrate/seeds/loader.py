"""Loading: each batch commits in one transaction with its progress, so it takes effect exactly once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphmigrate.events import Listener, Notice, SeedLoaded, SeedStarted, ignore
from graphmigrate.results import LoadedSeed
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.ledger import SeedLedger, Step, StepFailed, close_lanes, open_lanes
from graphmigrate.seeds.meter import Meter
from graphmigrate.seeds.parallel.parallel import BlockLoad, LaneFailed, meanwhile
from graphmigrate.seeds.program import Rows
from graphmigrate.seeds.resetting import reset
from graphmigrate.seeds.seed_history import LOADED, LOADING, RESETTING, LaneRow, lane_key, seed_key
from graphmigrate.seeds.sending import Outcome, Sending, Unsendable, refused, unreadable, unsendable
from graphmigrate.seeds.units import Batch, RowBlock, Unit, units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.decision import Decision


def load(
    database: Database, decisions: Sequence[Decision], *, listen: Listener = ignore
) -> tuple[LoadedSeed, ...]:
    """Load what is due, in order. The caller holds the lock. Raises SeedFailed or LockLost.

    Whatever ends it, whenever: the same call continues after the last committed batch.
    """
    due = [_Load(database, decision, listen) for decision in decisions]
    for each in reversed(due):  # what depends on others is removed before them
        each.reset()
    loaded: list[LoadedSeed] = []
    for number, each in enumerate(due, 1):
        listen(SeedStarted(each.seed.name, number, len(due)))
        result = each.run()
        loaded.append(result)
        listen(SeedLoaded(result.name, result.seconds, result.rows, result.changes))
    return tuple(loaded)


class _Load:
    """The load of one seed.

    The seed's own row in the ledger says which parts are committed; while a row block loads, rows of its lanes
    say how far each of them is, and are dropped in the transaction that follows the block.
    """

    def __init__(self, database: Database, decision: Decision, listen: Listener) -> None:
        self.database = database
        self.settings = database.settings
        self.ledger = SeedLedger(database)
        self.seed = decision.seed
        self.program = decision.seed.program
        self.listen = listen
        self.generation = decision.generation
        self.key = seed_key(self.settings.ledger, self.seed.name, decision.generation)
        self.resumed = decision.resume
        self.resetting = decision.reset or (self.resumed is not None and self.resumed.state == RESETTING)
        self.step = self.resumed.step if self.resumed else 0
        self.before = self.resumed.committed if self.resumed else 0
        self.rows = self.before
        # Lanes to drop with the next step: of a block that is done, or of an earlier load that was given up.
        self.lanes_left = decision.generation > 1 and self.resumed is None
        self.done = Outcome()
        self.meter = Meter(self.seed.name, self.program, self.before)

    def reset(self) -> None:
        """Remove what the seed made, or the rest of it, where that is due."""
        if not self.resetting:
            return
        first = self.resumed.part if self.resumed else 0
        changes = reset(self.seed.reset, first, self.settings.batch_rows, self._checked)
        self.resumed = None
        removed = ", ".join(
            f"{number:,} {name.replace('_', ' ')}" for name, number in changes.items() if number
        )
        self.listen(Notice(f"Reset {self.seed.name}: {removed or 'there was nothing to remove'}."))

    def run(self) -> LoadedSeed:
        """Load the seed, or the rest of it."""
        begun = time.monotonic()
        self.meter = Meter(self.seed.name, self.program, self.before)
        found = units(self.program, self.settings, self.resumed)
        unit = self._next(found)
        if unit is None:
            self._advance(None, None)
        while unit is not None:
            if isinstance(unit, RowBlock):
                reading = meanwhile(lambda: next(found, None))  # the first rows of the next part
                self._block(unit)
                following = self._given(reading)
                if following is None:  # else the next step tells that the block is done
                    self._advance(None, None)
            else:
                # One unit ahead, so that the last one carries the state 'loaded' in its own transaction.
                following = self._next(found)
                self._advance(unit, following)
            unit = following
        seconds = time.monotonic() - begun
        done = self.done
        return LoadedSeed(self.seed.name, seconds, done.rows, dict(done.changes), done.unmatched)

    def _next(self, found: Iterator[Unit]) -> Unit | None:
        return self._given(lambda: next(found, None))

    def _given(self, give: Callable[[], Unit | None]) -> Unit | None:
        try:
            return give()
        except SeedFileError as error:
            raise unreadable(error, self._kept()) from error

    def _advance(self, unit: Batch | None, following: Unit | None) -> None:
        """Commit a unit with the progress it makes; the last one ends the load."""
        sending = self._sending(unit)
        rows = self.rows
        if isinstance(unit, Batch) and isinstance(self.program.parts[unit.part], Rows):
            rows += len(unit.items)
        values = {"state": LOADED if following is None else LOADING, "rows": rows}
        if following is None:
            values |= {"part": len(self.program.parts), "offset": 0, "steps": self.step + 1}
        else:
            values |= {"part": following.part, "offset": following.start}
        self._tell(self._checked(values, sending))

    def _checked(self, values: dict[str, Any], sending: Sending) -> Outcome:
        """Commit a step; what goes wrong is told at its place."""
        try:
            return self._commit(values, sending)
        except StepFailed as error:
            raise refused(self.seed.name, sending, error, self._kept()) from error
        except Unsendable as error:
            raise unsendable(sending, error, self._kept()) from error

    def _sending(self, unit: Batch | None) -> Sending:
        if isinstance(unit, Batch):
            end = unit.start + len(unit.items)
            return Sending(self.program.parts[unit.part], unit.start, end, [unit.items])
        return Sending(None, 0, 0, [])

    def _commit(self, values: dict[str, Any], work: Callable[[neo4j.Transaction], Outcome]) -> Outcome:
        """Commit the seed's own next step."""
        number = self.step + 1
        first = None
        if number == 1:
            first = {"checksum": self.seed.checksum, "variables": self.seed.variables}

        def whole(tx: neo4j.Transaction) -> Outcome:
            if self.lanes_left:
                close_lanes(tx, self.settings.ledger, self.seed.name)
            return work(tx)

        cleared = {"block": None, "block_bytes": None, "spread": None}
        step = Step(self.key, self.seed.name, number, cleared | values, first)
        outcome = self.ledger.commit(step, whole)
        self.step = number
        self.lanes_left = False
        return outcome

    def _tell(self, outcome: Outcome) -> None:
        self.done.add(outcome)
        self.rows += outcome.rows
        self.listen(self.meter.progress(self.rows))

    # ---- row blocks

    def _block(self, unit: RowBlock) -> None:
        part = self.program.parts[unit.part]
        assert isinstance(part, Rows)  # noqa: S101 - what a RowBlock is made of
        if not unit.lanes:
            unit = self._opened(unit)
        try:
            for outcome in BlockLoad(self.ledger, self.settings, self.seed.name, part, unit).run():
                self._tell(outcome)
        except LaneFailed as failed:
            raise self._lane_failed(failed) from failed.error
        except SeedFileError as error:
            raise unreadable(error, self._kept()) from error
        self.lanes_left = True

    def _opened(self, unit: RowBlock) -> RowBlock:
        """Commit the rows of the block's lanes, and what decides which rows each of them gets."""
        count = 1 if unit.spread.in_order else max(1, self.settings.seed_sessions)
        name, ledger = self.seed.name, self.settings.ledger
        keys = [lane_key(ledger, name, self.generation, unit.part, lane) for lane in range(count)]
        values = {
            "state": LOADING,
            "part": unit.part,
            "offset": 0,
            "rows": self.rows,
            "block": unit.limits.rows,
            "block_bytes": unit.limits.size,
            "spread": unit.spread.text,
        }

        def open_them(tx: neo4j.Transaction) -> Outcome:
            open_lanes(tx, self.key, keys)
            return Outcome()

        try:
            self._commit(values, open_them)
        except StepFailed as error:
            raise refused(self.seed.name, None, error, self._kept()) from error
        return replace(unit, lanes=tuple(LaneRow(key) for key in keys))

    def _lane_failed(self, failed: LaneFailed) -> Exception:
        if isinstance(failed.error, StepFailed):
            return refused(self.seed.name, failed.sending, failed.error, self._kept())
        if isinstance(failed.error, Unsendable):
            return unsendable(failed.sending, failed.error, self._kept())
        return failed.error

    def _kept(self) -> str:
        if not self.step:
            return "Nothing of this seed was kept. Mend it and run again."
        return (
            f"What came before it is kept ({self.rows:,} rows): run again, and the load continues there;"
            " if you change the seed or its data, add --force."
        )
