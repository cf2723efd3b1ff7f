"""The nodes that the ledger keeps of seeds, and the way to commit a step of a load exactly once."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

from graphmigrate.database.failures import DriverFailure, code_of, message_of, position_of, worth_retrying
from graphmigrate.errors import LockLost
from graphmigrate.seeds.history import RESETTING, SeedRow, lanes_prefix, newest, seeds_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import neo4j

    from graphmigrate.database.connection import Database

# Whether another run has taken the ledger over. One that does so ends every open transaction of other runs, and what they begin
# later finds their lock lost; this tells the same once more, by the ledger itself.
_OTHER_RUN: LiteralString = """
  EXISTS { (l:__GraphMigrate {key: $ledger + '/ledger'}) WHERE l.run <> $run } AS lost"""

READ_SEEDS: LiteralString = """
MATCH (s:__GraphMigrateSeed) WHERE s.key STARTS WITH $seeds OR s.key STARTS WITH $lanes
RETURN s {.*} AS row"""

LOOK: LiteralString = (
    """
OPTIONAL MATCH (s:__GraphMigrate {key: $key})
RETURN s {.step, .run} AS row,"""
    + _OTHER_RUN
)

# Plain CREATE: the uniqueness of the key is the fence.
BEGIN: LiteralString = (
    """
CREATE (s:__GraphMigrate:__GraphMigrateSeed $row)
SET s.installed_on = datetime(),
    s.loaded_on = CASE WHEN $row.state = 'loaded' THEN datetime() END
RETURN s.step AS step,"""
    + _OTHER_RUN
)

# `SET s.step = s.step + 1` takes the write lock before it reads (Operations Manual, "Concurrent data
# access"), so a commit that is just landing is waited for and seen. The caller compares the step.
ADVANCE: LiteralString = (
    """
MATCH (s:__GraphMigrate {key: $key})
SET s.step = s.step + 1
SET s += $progress,
    s.loaded_on = CASE WHEN $progress.state = 'loaded' THEN datetime() END
RETURN s.step AS step,"""
    + _OTHER_RUN
)

# A row block's lanes have rows of their own, so that none waits for another's write lock.
OPEN_LANES: LiteralString = "UNWIND $lanes AS lane CREATE (s:__GraphMigrate:__GraphMigrateSeed) SET s = lane"
CLOSE_LANES: LiteralString = "MATCH (s:__GraphMigrate) WHERE s.key STARTS WITH $prefix DETACH DELETE s"


# ---- commits

RETRY_FOR = 60.0
_LONGEST_PAUSE = 5.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a load: number ``number`` brings the row of ``key`` to ``values``.

    ``first`` are the properties of a row that this step makes. ``name`` is the seed's, for messages.
    """

    key: str
    name: str
    number: int
    values: Mapping[str, Any]
    first: Mapping[str, Any] | None = None


class StepFailed(Exception):
    """The server refused a step and did not commit it; ``position`` (line, column) is in the query."""

    def __init__(self, code: str, message: str, position: tuple[int, int] | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position


class _StepTaken(Exception):
    """The row is not where this step starts: somebody, perhaps this very run, committed it already."""


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
        return self.loads()[0]

    def loads(self) -> tuple[dict[str, SeedRow], dict[str, SeedRow]]:
        """Give the newest load of each seed by name, and the newest one that began to make something; reads only."""
        ledger = self.database.settings.ledger
        records = self.database.read(READ_SEEDS, seeds=seeds_prefix(ledger), lanes=lanes_prefix(ledger))
        rows = [record["row"] for record in records]
        # A load whose reset is not done has made nothing yet; what it removes is an earlier one's.
        begun = [row for row in rows if row.get("state") != RESETTING]
        return newest(ledger, rows), newest(ledger, begun)

    def commit(
        self,
        step: Step,
        work: Callable[[neo4j.Transaction], _T],
    ) -> _T:
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
        progress = {"run": self.database.run, **step.values}
        if step.first is not None:
            row = {"key": step.key, "name": step.name, "step": step.number, **step.first, **progress}
            result = tx.run(BEGIN, row={**row, "installed_by": self.database.user}, **common)
        else:
            result = tx.run(ADVANCE, key=step.key, progress=progress, **common)
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
        return bool(taken)

    def _look(self, step: Step) -> Any:
        database = self.database
        found = database.read(LOOK, key=step.key, ledger=database.settings.ledger, run=database.run)
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


def open_lanes(tx: neo4j.Transaction, load: str, keys: list[str]) -> None:
    """Make the rows of a block's lanes, none of whose rows are committed."""
    fresh = {"load": load, "step": 0, "offset": 0, "rows": 0}
    tx.run(OPEN_LANES, lanes=[{"key": key, **fresh} for key in keys]).consume()


def close_lanes(tx: neo4j.Transaction, ledger: str, name: str) -> None:
    """Drop the rows of every lane of a seed: its own row says now that they are done, or given up."""
    tx.run(CLOSE_LANES, prefix=lanes_prefix(ledger, name)).consume()


def failure(error: Exception) -> StepFailed:
    """Put a driver's or server's error into words, with its code and position."""
    return StepFailed(code_of(error), message_of(error), position_of(error))
