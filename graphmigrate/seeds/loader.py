"""Loading: each batch commits in one transaction with its progress, so it takes effect exactly once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from graphmigrate.database.failures import DriverFailure, code_of, message_of, position_of, worth_retrying
from graphmigrate.database.guard import is_exposed, needs_guard, why_refused
from graphmigrate.database.history import LOADED, LOADING, RESETTING
from graphmigrate.errors import SeedFailed
from graphmigrate.events import (
    Listener,
    Notice,
    SeedLoaded,
    SeedProgress,
    SeedSkipped,
    SeedStarted,
    Warned,
    ignore,
)
from graphmigrate.results import LoadedSeed
from graphmigrate.seeds.batches import (
    Batch,
    Limits,
    Outcome,
    RowUnmatched,
    Turns,
    Unsendable,
    Work,
    batches,
    deal,
    digest,
    mark_of,
    router,
    side_by_side,
    spread_of,
)
from graphmigrate.seeds.checks import Repeats, check_statements, checked_rows, hiding, row_shown
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.ledger import LaneRow, SeedSteps
from graphmigrate.seeds.program import BATCH, Rows, Statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.ledger import SeedRow
    from graphmigrate.seeds.plan import Decided, Decision
    from graphmigrate.seeds.program import Query

MOST_BATCHES = 100_000


def run(
    database: Database, decided: Decided, *, strict: bool = False, listen: Listener = ignore
) -> tuple[LoadedSeed, ...]:
    """Let the server check every statement, then load what is due, in order; the caller holds the lock, and decided under it.

    Raises PreflightError (GM201) before anything is loaded, SeedFailed or LockLost while loading; the same call continues after
    the last committed batch. ``strict`` makes rows for which a MATCH finds nothing, and rows that change again what an earlier
    one changed, an error, unless the seed says that they are to be ignored.
    """
    for skipped in decided.skipped:
        listen(SeedSkipped(skipped.name, skipped.reason))
    due = [_Load(database, each, strict, listen) for each in decided.decisions if each.skip is None]
    loaded: list[LoadedSeed] = []
    with hiding([each.seed for each in due]):
        for problem in check_statements(database, [each.seed for each in due]):
            listen(Warned(problem))
        for each in reversed(due):  # a seed is removed before those that it depends on
            each.reset()
        for number, each in enumerate(due, 1):
            listen(SeedStarted(each.seed.name, number, len(due)))
            result = each.run()
            loaded.append(result)
            listen(SeedLoaded(result.name, result.seconds, result.rows, result.changes))
    return tuple(loaded)


class _BatchFailed(Exception):
    """A batch failed; ``lane`` is the lane that it belongs to."""

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
        unmatched = decision.seed.file.front.unmatched or "warn"
        self.ignoring = unmatched == "ignore"
        self.strict = unmatched == "error" or (strict and unmatched == "warn")
        self.listen = listen
        resumed = self.resumed = decision.resume
        self.resetting = decision.reset or (resumed is not None and resumed.state == RESETTING)
        self.steps = SeedSteps(
            database, self.seed.name, decision.generation, resumed.commits if resumed else 0
        )
        self.rows = self.before = resumed.committed if resumed else 0
        self.digest = resumed.digest if resumed else 0
        # An earlier load that was given up may have left its lanes.
        self.stale_lanes = decision.generation > 1 and resumed is None
        self.limits = Limits(self.settings.batch_rows, self.settings.batch_bytes)
        self.done = Outcome()
        self.repeats = Repeats(strict=self.strict)

    def reset(self) -> None:
        """Remove what the seed made, or the rest of it, where that is due."""
        if not self.resetting:
            return
        changes = Counter[str]()
        for number in range(self.resumed.part if self.resumed else 0, len(self.seed.reset)):
            changes.update(self._remove(number, self.seed.reset[number]))
        self.resumed, self.digest = None, 0
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
        work = Work(self.settings.ledger, Statements((query,)), Batch(number, [query], range(1), [0], 0))
        for turn in range(MOST_BATCHES):
            # Running it once more after its last change does no harm, so only the end of a statement is recorded.
            part = number if repeated else number + 1
            try:
                outcome = self._advance(RESETTING, part, turn, work, rows=0)
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
        self.begun = time.monotonic()
        self.total = self.program.total_rows(about=True)
        resumed, name = self.resumed, self.seed.name
        first = resumed.part if resumed else 0
        if self.before:
            self.listen(self._progress())
        try:
            for number in range(first, len(self.program.parts)):
                self._part(number, resumed if number == first else None)
        except SeedFileError as error:
            hint = f"{error.hint} {self._kept()}" if error.hint else self._kept()
            raise SeedFailed(error.message, hint=hint, place=error.place, code=error.error_code) from error
        self._advance(LOADED, len(self.program.parts), 0)
        seconds, done, again = time.monotonic() - self.begun, self.done, self.repeats
        if self.ignoring:
            return LoadedSeed(name, seconds, done.rows, dict(done.changes))
        unmatched = (done.unmatched, tuple(row_shown(*each) for each in done.examples))
        return LoadedSeed(
            name, seconds, done.rows, dict(done.changes), *unmatched, again.count, tuple(again.examples)
        )

    def _part(self, number: int, resumed: SeedRow | None) -> None:
        part = self.program.parts[number]
        offset = resumed.offset if resumed else 0
        if isinstance(part, Statements):
            found = batches(number, islice(part.queries, offset, None), self.limits, offset)
        elif resumed and resumed.lanes:
            self._lanes(number, part, resumed.spread, resumed.lanes)
            return
        else:
            found = batches(number, part.rows(offset), self.limits, offset)
            # Sessions side by side would put back each other's progress.
            together = part.in_any_order and not needs_guard(part.query.text)
            if together and not offset and self.settings.seed_sessions > 1 and not self._is_exposed(part):
                ahead = list(islice(found, 2))
                if len(ahead) == 2:
                    self._open_lanes(number, part, [row for batch in ahead for row in batch.items])
                    return
                found = iter(ahead)
            found = self._watched(part, found)
        self._commit_all((self._own_batch(0, batch) for batch in found), self._own_batch)

    def _is_exposed(self, part: Rows) -> bool:
        with self.database.transaction() as tx:
            return is_exposed(tx, [part.query.text])

    def _watched(self, part: Rows, found: Iterator[Batch]) -> Iterator[Batch]:
        return found if self.ignoring else self.repeats.watch(part, found)

    def _commit_all(self, outcomes: Iterable[Outcome], commit: Callable[[int, Batch], Outcome]) -> None:
        """Tell what each commit returned; of a batch that fails, commit the rows before the failing one by ``commit``."""
        try:
            for outcome in outcomes:
                self._tell(outcome)
        except _BatchFailed as failed:
            at, refusal = self._failing_row(failed.work, failed.error)
            if at:
                before = [failed.work.batch.first(at)]
                self._commit_all((commit(failed.lane, each) for each in before), commit)
            raise self._failed(failed.work, refusal, at) from failed.error

    def _attempt(
        self, lane: int, batch: Batch, advance: Callable[[Work], Outcome], *, sole: bool = True
    ) -> Outcome:
        part = self.program.parts[batch.part]
        work = Work(self.settings.ledger, part, batch, strict=self.strict, sole=sole)
        try:
            return advance(work)
        except (*DriverFailure, Unsendable, RowUnmatched) as error:
            raise _BatchFailed(lane, work, error) from error

    def _own_batch(self, lane: int, batch: Batch) -> Outcome:
        """Commit a batch with the step of the seed's own node."""
        part, marks, added = self.program.parts[batch.part], batch.marks, 0
        if isinstance(part, Rows):
            added = len(batch.items)
            marks = [*marks, mark_of(part)] if not batch.numbers[0] else marks
        rows, found = self.rows + added, digest(self.digest, marks)

        def advance(work: Work) -> Outcome:
            return self._advance(LOADING, batch.part, batch.end, work, rows=rows, digest=found)

        outcome = self._attempt(lane, batch, advance)
        self.digest = found
        return outcome

    # ---- several sessions

    def _open_lanes(self, number: int, part: Rows, first: list[Any]) -> None:
        """Commit the nodes of the lanes, with what decides which rows each of them gets; then load them."""
        spread = spread_of(part.plain, first, part.columns, self.limits.items)
        count = self.settings.seed_sessions
        self.digest = digest(self.digest, [mark_of(part)])
        self._advance(LOADING, number, 0, spread=spread, lanes=count)
        lanes = [LaneRow(self.steps.lane_key(number, lane)) for lane in range(count)]
        self._lanes(number, part, spread, lanes)

    def _lanes(self, number: int, part: Rows, spread: str, lanes: Sequence[LaneRow]) -> None:
        """Load the rows that are not committed yet, in a session for each lane; then drop the lanes."""
        lanes = list(lanes)
        offsets = [lane.offset for lane in lanes]
        route = router(spread, part.columns, len(lanes))
        found = batches(number, part.rows(min(offsets)), self.limits, min(offsets))
        dealt = deal(self._watched(part, found), route, offsets, self.limits)
        turns = Turns()

        def commit(lane: int, batch: Batch) -> Outcome:
            old = lanes[lane]
            rows, marks = old.rows + len(batch.items), digest(old.digest, batch.marks)
            new = LaneRow(old.key, old.commits + 1, batch.end, rows, marks)
            outcome = self._attempt(
                lane, batch, lambda work: self.steps.advance_lane(new, work, turns.turn), sole=False
            )
            lanes[lane] = new
            return outcome

        self._commit_all(side_by_side(len(lanes), dealt, commit), commit)
        for lane in lanes:
            self.digest = None if lane.digest is None else digest(self.digest, [lane.digest])
        self._advance(LOADING, number + 1, 0, drop_lanes=True)

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
                    Work(self.settings.ledger, part, work.batch.first(middle), strict=self.strict)(tx)
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

    def _advance(
        self,
        state: str,
        part: int,
        offset: int,
        work: Work | None = None,
        *,
        lanes: int = 0,
        drop_lanes: bool = False,
        **more: Any,
    ) -> Outcome:
        """Commit the seed's own next step, which says how far the load is, with its work."""

        def whole(tx: neo4j.Transaction) -> Outcome:
            if self.stale_lanes or drop_lanes:
                self.steps.drop_lanes(tx, stale_alone=not drop_lanes)
            return work(tx) if work else Outcome()

        values = {"rows": self.rows, "digest": self.digest, "spread": None, **more}
        values |= {"state": state, "part": part, "offset": offset}
        if self.resumed and self.resumed.checksum != self.seed.checksum:
            values["checksum"] = self.seed.checksum  # only what comes later was changed
        first = {"checksum": self.seed.checksum, "variables": self.seed.variables}
        outcome = cast("Outcome", self.steps.advance(values, whole, first, lanes))
        for warning in outcome.warnings:
            self.listen(Warned(warning))
        self.stale_lanes = False
        return outcome

    def _tell(self, outcome: Outcome) -> None:
        self.done.add(outcome)
        self.rows += outcome.rows
        self.listen(self._progress())

    def _progress(self) -> SeedProgress:
        seconds = time.monotonic() - self.begun
        rate = (self.rows - self.before) / seconds if seconds else 0.0
        total = None if self.total is None else max(self.total, self.rows)
        left = (total - self.rows) / rate if total and rate else None
        return SeedProgress(self.seed.name, self.rows, total, rate, left)

    # ---- what is said

    def _kept(self) -> str:
        if not self.steps.committed:
            return "Nothing of this seed was kept. Fix it and run again."
        return (
            f"What came before it is kept ({self.rows:,} rows): run again, and the load continues there;"
            " a change of what is kept needs --force."
        )

    def _failed(self, work: Work, error: Exception, at: int | None) -> SeedFailed:
        """Return the error for a batch that the server refused, or that the driver cannot send; ``at`` is its failing row."""
        if isinstance(error, Unsendable):
            return self._unsendable(work, error)
        unmatched = isinstance(error, RowUnmatched)
        reason = f"{error}" if unmatched else f"{message_of(error)} [{code_of(error)}]"
        position = None if unmatched else position_of(error)
        where, place = "", work.at.place_of(*position) if position else work.at.place
        ours = why_refused(work.at.text, reason)
        hint = f"{ours} {self._kept()}" if ours else self._kept()
        if isinstance(work.part, Rows):
            source, numbers = work.part.source, work.batch.numbers
            where = f" for rows {numbers[0] + 1:,} to {work.batch.end:,} of {source.label}"
            if at is not None:
                shown = work.part.shown(work.batch.items[at])
                where = f" at row {numbers[at] + 1:,} of {source.label}, {shown}"
                hint = f"The statement stands at {place}. {hint}"
                place = source.place(numbers[at]) or place
        return SeedFailed(f"The seed {self.seed.name!r} failed{where}: {reason}", hint=hint, place=place)

    def _unsendable(self, work: Work, error: Unsendable) -> SeedFailed:
        message, hint, place = f"A value here cannot be sent: {error}", self._kept(), work.at.place
        if isinstance(work.part, Rows):
            try:
                for _ in checked_rows(work.part, zip(work.batch.numbers, work.batch.items, strict=True)):
                    pass
            except SeedFileError as found:
                message, hint, place = found.message, found.hint or hint, found.place or place
        return SeedFailed(message, hint=hint, place=place, code="GM553")
