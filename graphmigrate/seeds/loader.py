"""Loading: each batch commits in one transaction with its progress, so it takes effect exactly once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from graphmigrate.database.failures import DriverFailure, code_of, message_of, position_of, worth_retrying
from graphmigrate.database.guard import needs_guard, why_refused
from graphmigrate.errors import SeedFailed
from graphmigrate.events import Listener, Notice, SeedLoaded, SeedProgress, SeedStarted, Warned, ignore
from graphmigrate.results import LoadedSeed
from graphmigrate.seeds.batches import Batch, Limits, Spread, batches, deal, spread_of
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.history import LOADED, LOADING, RESETTING, LaneRow
from graphmigrate.seeds.ledger import SeedSteps
from graphmigrate.seeds.program import BATCH, Rows, Statements
from graphmigrate.seeds.sessions import Outcome, RowUnmatched, Sessions, Turns, Unsendable, Work
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.decisions import Decision
    from graphmigrate.seeds.history import SeedRow
    from graphmigrate.seeds.program import Program, Query

MOST_BATCHES = 100_000
# After so many seconds a load asks its sources how many rows there are.
_LONG = 1.0


def load(
    database: Database, decisions: Sequence[Decision], *, strict: bool = False, listen: Listener = ignore
) -> tuple[LoadedSeed, ...]:
    """Load what is due, in order; the caller holds the lock. Raises SeedFailed or LockLost.

    However it ends, the same call continues after the last committed batch. ``strict`` makes rows for which a MATCH finds nothing
    an error, unless the seed says that they are to be ignored.
    """
    due = [_Load(database, decision, strict, listen) for decision in decisions]
    for each in reversed(due):  # a seed is removed before those that it depends on
        each.reset()
    loaded: list[LoadedSeed] = []
    for number, each in enumerate(due, 1):
        listen(SeedStarted(each.seed.name, number, len(due)))
        result = each.run()
        loaded.append(result)
        listen(SeedLoaded(result.name, result.seconds, result.rows, result.changes))
    return tuple(loaded)


class _BatchFailed(Exception):
    """A batch of a lane failed."""

    def __init__(self, lane: int, work: Work, error: Exception) -> None:
        super().__init__()
        self.lane = lane
        self.work = work
        self.error = error


class _RolledBack(Exception):
    """Ends a transaction that only tries something."""


class _Load:
    """The load of one seed.

    The seed's own node in the ledger tells the part and the number of the item where the load goes on. While several
    sessions load a row block, a node for each of its lanes tells that for the rows of the lane.
    """

    def __init__(self, database: Database, decision: Decision, strict: bool, listen: Listener) -> None:
        self.database = database
        self.settings = database.settings
        self.seed = decision.seed
        self.program = decision.seed.program
        self.unmatched = decision.seed.file.front.unmatched or "warn"
        self.strict = self.unmatched == "error" or (strict and self.unmatched == "warn")
        self.listen = listen
        self.resumed = decision.resume
        self.resetting = decision.reset or (self.resumed is not None and self.resumed.state == RESETTING)
        committed = self.resumed.commits if self.resumed else 0
        self.steps = SeedSteps(database, self.seed.name, decision.generation, committed)
        self.rows = self.resumed.committed if self.resumed else 0
        # An earlier load that was given up may have left its lanes.
        self.stale_lanes = decision.generation > 1 and self.resumed is None
        self.limits = Limits(self.settings.batch_rows, self.settings.batch_bytes)
        self.done = Outcome()
        self.meter = _Meter(self.seed.name, self.program, self.rows)

    def reset(self) -> None:
        """Remove what the seed made, or the rest of it, where that is due."""
        if not self.resetting:
            return
        changes = Counter[str]()
        for number in range(self.resumed.part if self.resumed else 0, len(self.seed.reset)):
            changes.update(self._remove(number, self.seed.reset[number]))
        self.resumed = None
        removed = ", ".join(
            f"{number:,} {name.replace('_', ' ')}" for name, number in changes.items() if number
        )
        self.listen(Notice(f"Reset {self.seed.name}: {removed or 'there was nothing to remove'}."))

    def _remove(self, number: int, query: Query) -> Counter[str]:
        """Run a statement of the reset; one that takes ``$batch`` is run until it changes nothing more."""
        changes = Counter[str]()
        repeated = BATCH in query.parameters
        if repeated:
            query = replace(query, parameters={**query.parameters, BATCH: self.settings.batch_rows})
        for turn in range(MOST_BATCHES):
            # Running it once more after its last change does no harm, so only the end of a statement is recorded.
            values = {"part": number if repeated else number + 1, "offset": turn, "rows": 0}
            work = Work(self.settings.ledger, Statements((query,)), Batch(number, [query], range(1), 0))
            try:
                outcome = self._commit({"state": RESETTING, **values}, work)
            except (*DriverFailure, Unsendable) as error:
                raise self._failed(work, error, None) from error
            changes.update(outcome.changes)
            if not repeated or not outcome.changes:
                return changes
        raise SeedFailed(
            f"This statement still changed something after {MOST_BATCHES:,} batches.",
            hint="A reset in batches ends when nothing is left that it changes: DELETE, or match what is not"
            " changed yet. SET counts as a change even where the value stays the same.",
            place=query.place,
            code="GM505",
        )

    def run(self) -> LoadedSeed:
        """Load the seed, or the rest of it."""
        begun = time.monotonic()
        self.meter = _Meter(self.seed.name, self.program, self.rows)
        resumed = self.resumed
        first = resumed.part if resumed else 0
        try:
            for number in range(first, len(self.program.parts)):
                self._part(number, resumed if number == first else None)
        except SeedFileError as error:
            raise self._unreadable(error) from error
        self._commit({"state": LOADED, "part": len(self.program.parts), "offset": 0, "rows": self.rows})
        seconds = time.monotonic() - begun
        done = self.done
        if self.unmatched == "ignore":
            return LoadedSeed(self.seed.name, seconds, done.rows, dict(done.changes))
        examples = tuple(self._example(*each) for each in done.examples)
        return LoadedSeed(self.seed.name, seconds, done.rows, dict(done.changes), done.unmatched, examples)

    def _example(self, part: Rows, number: int, row: Any) -> str:
        place = part.source.place(number)
        where = f"{place}" if place else f"row {number + 1:,} of {part.source.label}"
        return f"{where}: {part.shown(row)}"

    def _part(self, number: int, resumed: SeedRow | None) -> None:
        part = self.program.parts[number]
        offset = resumed.offset if resumed else 0
        if isinstance(part, Statements):
            found = batches(number, islice(part.queries, offset, None), self.limits, offset)
        elif resumed and resumed.lanes:
            self._lanes(number, part, Spread.parse(resumed.spread), resumed.lanes)
            return
        else:
            found = batches(number, part.rows(offset), self.limits, offset)
            # Sessions side by side would put back each other's progress.
            together = part.in_any_order and not needs_guard(part.query.text)
            if together and not offset and self.settings.seed_sessions > 1:
                ahead = list(islice(found, 2))
                if len(ahead) == 2:
                    self._open_lanes(number, part, [row for batch in ahead for row in batch.items])
                    return
                found = iter(ahead)
        for batch in found:
            self._batch(part, batch)

    def _batch(self, part: Statements | Rows, batch: Batch) -> None:
        rows = self.rows + (len(batch.items) if isinstance(part, Rows) else 0)
        values = {"state": LOADING, "part": batch.part, "offset": batch.end, "rows": rows}
        work = Work(self.settings.ledger, part, batch, strict=self.strict)
        try:
            self._tell(self._commit(values, work))
        except (*DriverFailure, Unsendable, RowUnmatched) as error:
            at, refusal = self._failing_row(work, error)
            if at:
                self._batch(part, batch.split(at)[0])
            raise self._failed(work, refusal, at) from error

    # ---- several sessions

    def _open_lanes(self, number: int, part: Rows, first: list[Any]) -> None:
        """Commit the nodes of the lanes, with what decides which rows each of them gets; then load them."""
        spread = spread_of(part.plain, first, part.columns, self.limits.items)
        count = self.settings.seed_sessions
        values = {"state": LOADING, "part": number, "offset": 0, "rows": self.rows, "spread": spread.text}
        self._commit(values, lanes=count)
        self._lanes(
            number, part, spread, [LaneRow(self.steps.lane_key(number, lane)) for lane in range(count)]
        )

    def _lanes(self, number: int, part: Rows, spread: Spread, lanes: Sequence[LaneRow]) -> None:
        """Load the rows that are not committed yet, in a session for each lane; then drop the lanes."""
        offsets = [lane.offset for lane in lanes]
        start = min(offsets)
        route = spread.route(part.columns, len(lanes))
        progress = [(lane.commits, lane.rows) for lane in lanes]
        turns = Turns()

        def read() -> Iterator[tuple[int, Batch]]:
            return deal(batches(number, part.rows(start), self.limits, start), route, offsets, self.limits)

        def commit(lane: int, batch: Batch) -> Outcome:
            commits, rows = progress[lane][0] + 1, progress[lane][1] + len(batch.items)
            work = Work(self.settings.ledger, part, batch, strict=self.strict)
            values = {"offset": batch.end, "rows": rows}
            try:
                outcome = self.steps.advance_lane(lanes[lane].key, commits, values, work, turns.turn)
            except (*DriverFailure, Unsendable, RowUnmatched) as error:
                raise _BatchFailed(lane, work, error) from error
            progress[lane] = commits, rows
            return cast("Outcome", outcome)

        try:
            for outcome in Sessions(len(lanes), read, commit).run():
                self._tell(outcome)
        except _BatchFailed as failed:
            at, refusal = self._failing_row(failed.work, failed.error)
            if at:
                self._tell(commit(failed.lane, failed.work.batch.split(at)[0]))
            raise self._failed(failed.work, refusal, at) from failed.error
        values = {"state": LOADING, "part": number + 1, "offset": 0, "rows": self.rows}
        self._commit(values, drop_lanes=True)

    # ---- the row that fails

    def _failing_row(self, work: Work, error: Exception) -> tuple[int | None, Exception]:
        """Return the position in its batch of the row that the server refuses, and why; None where it cannot be found.

        Halves of the batch are sent in transactions that are rolled back. The rows before that row are accepted.
        """
        if isinstance(error, RowUnmatched):
            return error.at, error
        part, accepted, refused = work.part, 0, len(work.batch.items)
        if not isinstance(part, Rows) or isinstance(error, Unsendable) or worth_retrying(error):
            return None, error
        while refused - accepted > 1:
            middle = (accepted + refused) // 2
            try:
                with self.database.transaction() as tx:
                    Work(self.settings.ledger, part, work.batch.split(middle)[0], strict=self.strict)(tx)
                    raise _RolledBack
            except _RolledBack:
                accepted = middle
            except RowUnmatched as found:
                return found.at, found
            except DriverFailure as found:
                if worth_retrying(found):
                    return None, error
                refused, error = middle, found
        return accepted, error

    # ---- one step

    def _commit(
        self, values: dict[str, Any], work: Work | None = None, *, lanes: int = 0, drop_lanes: bool = False
    ) -> Outcome:
        """Commit the seed's own next step with its work."""

        def whole(tx: neo4j.Transaction) -> Outcome:
            if self.stale_lanes or drop_lanes:
                self.steps.drop_lanes(tx)
            return work(tx) if work else Outcome()

        first = {"checksum": self.seed.checksum, "variables": self.seed.variables}
        outcome = self.steps.advance({"spread": None, **values}, whole, first, lanes)
        for warning in cast("Outcome", outcome).warnings:
            self.listen(Warned(warning))
        self.stale_lanes = False
        return cast("Outcome", outcome)

    def _tell(self, outcome: Outcome) -> None:
        self.done.add(outcome)
        self.rows += outcome.rows
        self.listen(self.meter.progress(self.rows))

    # ---- what is said

    def _kept(self) -> str:
        if not self.steps.committed:
            return "Nothing of this seed was kept. Fix it and run again."
        return (
            f"What came before it is kept ({self.rows:,} rows): run again, and the load continues there;"
            " if you change the seed or its data, add --force."
        )

    def _unreadable(self, error: SeedFileError) -> SeedFailed:
        """Return the error for a row that cannot be read."""
        hint = f"{error.hint} {self._kept()}" if error.hint else self._kept()
        return SeedFailed(error.message, hint=hint, place=error.place, code=error.error_code)

    def _failed(self, work: Work, error: Exception, at: int | None) -> SeedFailed:
        """Return the error for a batch that the server refused, or that the driver cannot send; ``at`` is its failing row."""
        if isinstance(error, Unsendable):
            return self._unsendable(work, error)
        reason = f"{error}" if isinstance(error, RowUnmatched) else f"{message_of(error)} [{code_of(error)}]"
        position = None if isinstance(error, RowUnmatched) else position_of(error)
        where, place = "", work.at.origin.place_of(*position) if position else work.at.place
        ours = why_refused(work.at.text, reason)
        hint = f"{ours} {self._kept()}" if ours else self._kept()
        if isinstance(work.part, Rows):
            source, numbers = work.part.source, work.batch.numbers
            where = f" for rows {numbers[0] + 1:,} to {work.batch.end:,} of {source.label}"
            if at is not None:
                where = (
                    f" at row {numbers[at] + 1:,} of {source.label}, {work.part.shown(work.batch.items[at])}"
                )
                hint = f"The statement stands at {place}. {hint}"
                place = source.place(numbers[at]) or place
        message = f"The seed {self.seed.name!r} failed{where}: {reason}"
        return SeedFailed(message, hint=hint, place=place)

    def _unsendable(self, work: Work, error: Unsendable) -> SeedFailed:
        place = work.at.place
        if isinstance(work.part, Rows):
            for number, row in zip(work.batch.numbers, work.batch.items, strict=True):
                try:
                    parameter(row)
                except SeedFileError as found:
                    source = work.part.source
                    message = f"Row {number + 1} of {source.label}: {found.message}"
                    return SeedFailed(
                        message, hint=found.hint, place=source.place(number) or place, code="GM553"
                    )
        return SeedFailed(
            f"A value here cannot be sent: {error}", hint=self._kept(), place=place, code="GM553"
        )


class _Meter:
    """Makes the progress events of one load; ``before`` are rows that a former run committed."""

    def __init__(self, name: str, program: Program, before: int) -> None:
        self._name = name
        self._program = program
        self._before = before
        self._begun = time.monotonic()
        self._about: int | None = None
        self._asked = False

    def progress(self, rows: int) -> SeedProgress:
        """Return the event for so many rows that are committed in all."""
        seconds = time.monotonic() - self._begun
        rate = max(rows - self._before, 0) / seconds if seconds else 0.0
        total = self._program.total_rows
        if total is None and seconds > _LONG and not self._asked:
            self._asked, self._about = True, self._program.about_rows
        expected = self._about if total is None else total
        left = max(expected - rows, 0) / rate if expected and rate else None
        return SeedProgress(self._name, rows, total, rate, left)
