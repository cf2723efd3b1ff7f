"""What one transaction of a load sends, and what is said where it fails."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.database.guard import check_not_erased, ledger_size
from graphmigrate.database.transactions import changes_of
from graphmigrate.errors import Place, SeedFailed
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.program import ROWS, Rows, Statements
from graphmigrate.seeds.units import rows_of
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import neo4j

    from graphmigrate.seeds.ledger import StepFailed
    from graphmigrate.seeds.program import Query


@dataclass(slots=True)
class Outcome:
    """What was committed: the server's counters, the rows sent, and those that a MATCH stopped."""

    changes: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    unmatched: int = 0

    def add(self, other: Outcome) -> None:
        """Count another one's with this."""
        self.changes.update(other.changes)
        self.rows += other.rows
        self.unmatched += other.unmatched


class Unsendable(Exception):
    """The driver cannot send a value."""


class Sending:
    """The work of one transaction: statements, or the rows of one block in one or more portions.

    ``start`` and ``end`` are the items' numbers in ``part`` (None: nothing is sent but the step itself).
    Called again for each attempt.
    """

    def __init__(
        self, part: Statements | Rows | None, start: int, end: int, portions: Iterable[Sequence[Any]]
    ) -> None:
        self.part = part
        self.start = start
        self.end = end
        self.portions = portions
        self.at: Query | None = None

    def __call__(self, tx: neo4j.Transaction) -> Outcome:
        """Send everything. Raises Unsendable, and GraphMigrateError where the ledger would be deleted."""
        part = self.part
        outcome = Outcome()
        # Counting costs a round trip: only where something could be deleted at all.
        before = ledger_size(tx) if self._may_delete() else None
        if isinstance(part, Rows):
            # Where one fails, the session that a query's rows come from is closed at once.
            with closing(portion for portion in self.portions) as portions:
                for portion in portions:
                    self._rows(tx, part, portion, outcome)
        else:
            for portion in self.portions:
                for query in portion:
                    self._run(tx, query, query.parameters, outcome)
        self.at = None
        if before is not None and outcome.changes["nodes_deleted"]:
            check_not_erased(tx, before)
        return outcome

    def _may_delete(self) -> bool:
        if isinstance(self.part, Rows):
            return self.part.query.may_delete
        return any(query.may_delete for portion in self.portions for query in portion)

    def _rows(self, tx: neo4j.Transaction, part: Rows, rows: Sequence[Any], outcome: Outcome) -> None:
        ended = self._run(tx, part.query, {**part.query.parameters, ROWS: rows}, outcome)
        outcome.rows += len(rows)
        if ended is not None:
            outcome.unmatched += len(rows) - ended

    def _run(
        self, tx: neo4j.Transaction, query: Query, parameters: dict[str, Any], outcome: Outcome
    ) -> int | None:
        self.at = query
        try:
            result = tx.run(query.text, parameters)
            ended = int(result.single(strict=True)[0]) if query.counted else None
            changes = changes_of(result.consume())
        except (ValueError, TypeError, OverflowError) as error:
            raise Unsendable(str(error)) from error
        outcome.changes.update(changes)
        if query.reach is not None:
            return changes.get("relationships_created", 0) // query.reach.relationships
        return ended

    @property
    def place(self) -> Place | None:
        """Where in the template the statement stands that was sent last, else the first one."""
        if self.at is not None:
            return self.at.place
        if isinstance(self.part, Statements):
            return self.part.queries[self.start].place
        return self.part.query.place if self.part else None


def refused(seed: str, sending: Sending | None, error: StepFailed, kept: str) -> SeedFailed:
    """Tell what the server refused, with the rows that it was sent."""
    where = ""
    place = None
    if sending is not None:
        if isinstance(sending.part, Rows):
            numbers = f"rows {sending.start + 1:,} to {sending.end:,}" if sending.end else "the rows"
            where = f" for {numbers} of {sending.part.source.label}"
        place = sending.place
        if sending.at is not None and error.position:
            place = sending.at.origin.place_of(*error.position)
    return SeedFailed(
        f"The seed {seed!r} failed{where}: {error.message} [{error.code}]", hint=kept, place=place
    )


def unsendable(sending: Sending, error: Unsendable, kept: str) -> SeedFailed:
    """Find the row that the driver could not send; reads the source again up to there."""
    part = sending.part
    if isinstance(part, Rows):
        rows = islice(rows_of(part, sending.start), sending.end - sending.start)
        for index, row in enumerate(rows, sending.start):
            try:
                parameter(row)
            except SeedFileError as found:
                place = part.source.place(index) or part.query.place
                message = f"Row {index + 1} of {part.source.label}: {found.message}"
                return SeedFailed(message, hint=found.hint, place=place, code="GM553")
    return SeedFailed(f"A value here cannot be sent: {error}", hint=kept, place=sending.place, code="GM553")


def unreadable(error: SeedFileError, kept: str) -> SeedFailed:
    """Tell a bad row of a source."""
    hint = f"{error.hint} {kept}" if error.hint else kept
    return SeedFailed(error.message, hint=hint, place=error.place, code=error.error_code)
