"""The ledger's rows of seeds, and the one way to commit a step of a load exactly once."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from graphmigrate.database import seed_queries as queries
from graphmigrate.database.failures import DriverFailure, code_of, message_of, position_of, worth_retrying
from graphmigrate.errors import LockLost

if TYPE_CHECKING:
    from collections.abc import Callable

    import neo4j

    from graphmigrate.database.connection import Database

LOADING = "loading"
LOADED = "loaded"
RETRY_FOR = 60.0
_LONGEST_PAUSE = 5.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SeedRow:
    """What the ledger knows of one load: ``part`` parts and ``offset`` items of the next are committed."""

    key: str
    name: str
    checksum: str
    variables: str
    state: str
    step: int
    part: int
    offset: int
    rows: int
    run: str

    @property
    def generation(self) -> int:
        """The ``n`` of the key: 1 for the first load, one more with each deliberate reload."""
        return int(self.key.rpartition("@")[2])


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a load: number ``number`` brings the row of ``key`` to this progress."""

    key: str
    name: str
    checksum: str
    variables: str
    number: int
    part: int
    offset: int
    rows: int
    last: bool


class StepFailed(Exception):
    """The server refused a step and did not commit it; ``position`` (line, column) is in the query."""

    def __init__(self, code: str, message: str, position: tuple[int, int] | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position


class _StepTaken(Exception):
    """The row is not where this step starts: somebody, perhaps this very run, committed it already."""


def seed_key(ledger: str, name: str, generation: int) -> str:
    """``<ledger>/seed/<name>@<n>``: never null, so that uniqueness covers every row."""
    return f"{ledger}/seed/{name}@{generation}"


class SeedLedger:
    """Reads and advances the rows of seeds; nothing else in seeding touches them."""

    def __init__(
        self, database: Database, *, retry_for: float = RETRY_FOR, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.database = database
        self._retry_for = retry_for
        self._pause = pause

    def newest(self) -> dict[str, SeedRow]:
        """Give the newest load of each seed by name; reads only."""
        found: dict[str, SeedRow] = {}
        prefix = f"{self.database.settings.ledger}/seed/"
        for record in self.database.read(queries.READ_SEEDS, prefix=prefix):
            row = _row(record["row"])
            known = found.get(row.name)
            if known is None or known.generation < row.generation:
                found[row.name] = row
        return found

    def commit(self, step: Step, work: Callable[[neo4j.Transaction], _T]) -> _T:
        """Do ``work`` in one transaction with its step, so that it takes effect exactly once.

        After any error the ledger is read before anything is judged: a commit whose answer was lost may have
        landed, or may land seconds later, and then makes the retry fail on the step. Transient errors are
        retried for a minute. Raises StepFailed, or LockLost where another run took over.
        """
        deadline = time.monotonic() + self._retry_for
        attempt = 0
        done: list[_T] = []
        while True:
            try:
                with self.database.transaction() as tx:
                    self._fence(tx, step)
                    done[:] = [work(tx)]
                return done[0]
            except (*DriverFailure, _StepTaken) as error:
                if self._landed(step, deadline) and done:
                    return done[0]
                if isinstance(error, _StepTaken):
                    raise self._lost(step) from error
                if not worth_retrying(error) or time.monotonic() > deadline:
                    raise failure(error) from error
            attempt += 1
            self._wait(attempt)

    def _fence(self, tx: neo4j.Transaction, step: Step) -> None:
        settings = self.database.settings
        common: dict[str, Any] = {"ledger": settings.ledger, "run": self.database.run}
        progress = {
            "run": self.database.run,
            "state": LOADED if step.last else LOADING,
            "part": step.part,
            "offset": step.offset,
            "rows": step.rows,
            "steps": step.number if step.last else None,
        }
        if step.number == 1:
            row = {
                "key": step.key,
                "name": step.name,
                "checksum": step.checksum,
                "variables": step.variables,
                "step": 1,
                "installed_by": self.database.user,
                **progress,
            }
            result = tx.run(queries.BEGIN, row=row, **common)
        else:
            result = tx.run(queries.ADVANCE, key=step.key, progress=progress, **common)
        record = result.single()
        if record is not None and record["lost"]:
            raise self._lost(step)
        if record is None or record["step"] != step.number:
            raise _StepTaken

    def _landed(self, step: Step, deadline: float) -> bool:
        """Read afresh whether this run's step is committed; LockLost where another run committed it."""
        attempt = 0
        while True:
            try:
                record = self._look(step)
                break
            except DriverFailure as error:
                if not worth_retrying(error) or time.monotonic() > deadline:
                    raise failure(error) from error
                attempt += 1
                self._wait(attempt)
        row = record["row"]
        taken = row is not None and row["step"] >= step.number
        if record["lost"] or (taken and row["run"] != self.database.run):
            raise self._lost(step)
        return bool(taken and row["checksum"] == step.checksum and row["variables"] == step.variables)

    def _look(self, step: Step) -> Any:
        database = self.database
        found = database.read(queries.LOOK, key=step.key, ledger=database.settings.ledger, run=database.run)
        return found[0]

    def _wait(self, attempt: int) -> None:
        longest = min(0.05 * 2**attempt, _LONGEST_PAUSE)
        self._pause(longest * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret

    @staticmethod
    def _lost(step: Step) -> LockLost:
        return LockLost(
            f"Another run took over while the seed {step.name!r} was loading; this one committed no more.",
            hint="Let the other run finish, then run the command again: it continues or finds nothing to do.",
        )


def _row(row: dict[str, Any]) -> SeedRow:
    return SeedRow(
        key=row["key"],
        name=row["name"],
        checksum=row["checksum"],
        variables=row["variables"],
        state=row["state"],
        step=row["step"],
        part=row["part"],
        offset=row["offset"],
        rows=row["rows"],
        run=row["run"],
    )


def failure(error: Exception) -> StepFailed:
    """Put a driver's or server's error into words, with its code and position."""
    return StepFailed(code_of(error), message_of(error), position_of(error))


_COUNTED = (
    "nodes_created",
    "nodes_deleted",
    "relationships_created",
    "relationships_deleted",
    "properties_set",
    "labels_added",
    "labels_removed",
)


def changes_of(summary: neo4j.ResultSummary) -> dict[str, int]:
    """Give the server's counters that are not zero, by the driver's names."""
    counters = summary.counters
    return {name: getattr(counters, name) for name in _COUNTED if getattr(counters, name)}
