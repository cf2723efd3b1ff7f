"""Loading: each batch commits in one transaction with its progress, so it takes effect exactly once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.database.guard import check_not_erased, ledger_size
from graphmigrate.database.seed_ledger import SeedLedger, Step, StepFailed, changes_of, seed_key
from graphmigrate.errors import Place, SeedFailed
from graphmigrate.events import Listener, SeedLoaded, SeedProgress, SeedStarted, ignore
from graphmigrate.results import LoadedSeed
from graphmigrate.seeding.problems import SeedFileError
from graphmigrate.seeding.program import ROWS, Program, Query, Rows, Statements
from graphmigrate.seeding.values import parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.seeding.decision import Decision


@dataclass(frozen=True, slots=True)
class Batch:
    """Neighbouring items (statements or rows) of one part, from number ``start`` (0-based) on."""

    part: int
    start: int
    items: Sequence[Any]


def batches(program: Program, size: int, part: int = 0, offset: int = 0) -> Iterator[Batch]:
    """Cut the program into batches from item ``offset`` of ``part`` on; rows are read as they are needed."""
    for number in range(part, len(program.parts)):
        here = program.parts[number]
        start = offset if number == part else 0
        items = _items(here, start)
        while found := list(islice(items, size)):
            yield Batch(number, start, found)
            start += len(found)


def _items(part: Statements | Rows, start: int) -> Iterator[Any]:
    if isinstance(part, Statements):
        return islice(part.queries, start, None)
    if part.columns is None:
        return part.source.values(start)
    return part.source.lists(part.columns, start)


def load(
    database: Database, decisions: Sequence[Decision], *, listen: Listener = ignore
) -> tuple[LoadedSeed, ...]:
    """Load what was decided, in order. The caller holds the lock. Raises SeedFailed or LockLost.

    Whatever ends it, whenever: the same call continues after the last committed batch.
    """
    due = [decision for decision in decisions if decision.skip is None]
    loaded: list[LoadedSeed] = []
    for number, decision in enumerate(due, 1):
        listen(SeedStarted(decision.seed.name, number, len(due)))
        result = _Load(database, decision, listen).run()
        loaded.append(result)
        listen(SeedLoaded(result.name, result.seconds, result.rows, result.changes))
    return tuple(loaded)


class _Load:
    """The load of one seed."""

    def __init__(self, database: Database, decision: Decision, listen: Listener) -> None:
        self.ledger = SeedLedger(database)
        self.seed = decision.seed
        self.program = decision.seed.program
        self.size = max(1, database.settings.batch_rows)
        self.listen = listen
        self.key = seed_key(database.settings.ledger, self.seed.name, decision.generation)
        resumed = decision.resume
        self.step = resumed.step if resumed else 0
        self.part = resumed.part if resumed else 0
        self.offset = resumed.offset if resumed else 0
        self.done_before = resumed.rows if resumed else 0
        self.rows = self.done_before
        self.changes: Counter[str] = Counter()
        self.at: Query | None = None

    def run(self) -> LoadedSeed:
        begun = time.monotonic()
        found = batches(self.program, self.size, self.part, self.offset)
        batch = self._next(found)
        while True:
            # One batch ahead, so that the last one carries the state 'loaded' in its own transaction.
            following = self._next(found) if batch else None
            self._commit(batch, following)
            if following is None:
                break
            batch = following
        seconds = time.monotonic() - begun
        return LoadedSeed(self.seed.name, seconds, self.rows - self.done_before, dict(self.changes))

    def _next(self, found: Iterator[Batch]) -> Batch | None:
        try:
            return next(found, None)
        except SeedFileError as error:
            hint = f"{error.hint} {self._kept()}" if error.hint else self._kept()
            raise SeedFailed(error.message, hint=hint, place=error.place, code=error.error_code) from error

    def _commit(self, batch: Batch | None, following: Batch | None) -> None:
        part, offset = len(self.program.parts), 0
        if following is not None:
            part, offset = following.part, following.start
        step = Step(
            key=self.key,
            name=self.seed.name,
            checksum=self.seed.checksum,
            variables=self.seed.variables,
            number=self.step + 1,
            part=part,
            offset=offset,
            rows=self.rows + self._rows_in(batch),
            last=following is None,
        )
        try:
            changes = self.ledger.commit(step, lambda tx: self._work(tx, batch))
        except StepFailed as error:
            raise self._failed(error, batch) from error
        self.step, self.rows = step.number, step.rows
        self.changes.update(changes)
        self.listen(SeedProgress(self.seed.name, self.rows, self.program.total_rows))

    def _rows_in(self, batch: Batch | None) -> int:
        return len(batch.items) if batch and isinstance(self.program.parts[batch.part], Rows) else 0

    def _work(self, tx: neo4j.Transaction, batch: Batch | None) -> Counter[str]:
        changes: Counter[str] = Counter()
        if batch is None:
            return changes
        part = self.program.parts[batch.part]
        queries = batch.items if isinstance(part, Statements) else [part.query]
        # Counting costs a round trip: only where something could be deleted at all.
        before = ledger_size(tx) if any(query.may_delete for query in queries) else None
        for query in queries:
            self.at = query
            parameters = query.parameters
            if isinstance(part, Rows):
                parameters = {**parameters, ROWS: batch.items}
            try:
                changes.update(changes_of(tx.run(query.text, parameters).consume()))
            except (ValueError, TypeError, OverflowError) as error:
                raise self._unsendable(batch, error) from error
        self.at = None
        if before is not None and changes["nodes_deleted"]:
            check_not_erased(tx, before)
        return changes

    def _unsendable(self, batch: Batch, error: Exception) -> SeedFailed:
        """Find the row that the driver could not send."""
        part = self.program.parts[batch.part]
        if isinstance(part, Rows):
            for index, row in enumerate(batch.items):
                try:
                    parameter(row)
                except SeedFileError as found:
                    place = part.source.place(batch.start + index) or part.query.place
                    message = f"Row {batch.start + index + 1} of {part.source.label}: {found.message}"
                    return SeedFailed(message, hint=found.hint, place=place, code="GM553")
        return SeedFailed(
            f"A value here cannot be sent: {error}", hint=self._kept(), place=self._place(batch), code="GM553"
        )

    def _failed(self, error: StepFailed, batch: Batch | None) -> SeedFailed:
        where = ""
        if batch is not None and isinstance(part := self.program.parts[batch.part], Rows):
            where = (
                f" for rows {batch.start + 1:,} to {batch.start + len(batch.items):,} of {part.source.label}"
            )
        place = self._place(batch)
        if self.at is not None and error.position:
            place = self.at.origin.place_of(*error.position)
        return SeedFailed(
            f"The seed {self.seed.name!r} failed{where}: {error.message} [{error.code}]",
            hint=self._kept(),
            place=place,
        )

    def _place(self, batch: Batch | None) -> Place | None:
        if self.at is not None:
            return self.at.place
        if batch is None:
            return None
        part = self.program.parts[batch.part]
        return (part.queries[batch.start] if isinstance(part, Statements) else part.query).place

    def _kept(self) -> str:
        if not self.step:
            return "Nothing of this seed was kept. Mend it and run again."
        return (
            f"What came before it is kept ({self.rows:,} rows): run again, and the load continues there;"
            " if you change the seed or its data, add --force."
        )
