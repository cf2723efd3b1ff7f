"""What the database remembers, as values: the rows of the ledger, read once for a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from graphmigrate.database.version import Version

COMPLETE = "applied"
STARTED = "started"
FORGOTTEN = "forgotten"


class HistoryRow(NamedTuple):
    """One ledger node of a migration. ``step`` segments of ``steps`` are committed.

    ``intent`` is the number of a segment that was announced and whose end is unknown (autocommit and system statements);
    ``language`` is the version of Cypher that it ran under;
    ``batches`` counts the committed batches of segment ``step + 1``; ``segments`` are the checksums of those that took effect.
    """

    key: str
    version: Version
    description: str
    type: str
    checksum: str | None
    state: str
    step: int
    steps: int
    installed_on: datetime | None = None
    installed_by: str | None = None
    execution_time: timedelta | None = None
    run: str | None = None
    intent: int | None = None
    batches: int = 0
    segments: tuple[str, ...] = ()
    rank: int = 0
    language: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every segment is committed."""
        return self.state == COMPLETE


class RunRecord(NamedTuple):
    """The durable intent of a run that has not said that it ended."""

    key: str
    run: str
    host: str
    user: str
    since: datetime | None
    plan: tuple[dict[str, Any], ...]
    catalogue: str


SKIPPED = "skipped"


class Attempt(NamedTuple):
    """The last time that a migration was not applied, and by which run: ``outcome`` is skipped, failed or interrupted."""

    outcome: str
    reason: str
    run: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The ledger at one moment: the current row of each version, newest re-application first chosen.

    ``initialised`` says whether the ledger node exists; ``attempts`` maps a canonical version to its last attempt that was
    skipped or failed;
    ``generations`` maps a canonical version to the highest ``n`` ever used in a key.
    """

    rows: dict[Version, HistoryRow] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)
    initialised: bool = False
    head: str | None = None
    record: str | None = None
    top_rank: int = 0

    @property
    def baseline(self) -> Version | None:
        """The highest version that was marked as already there."""
        return max((row.version for row in self.rows.values() if row.type == "baseline"), default=None)

    @property
    def highest(self) -> Version | None:
        """The highest version that took effect, wholly or in part."""
        return max(self.rows, default=None)

    @property
    def skips(self) -> dict[str, str]:
        """The reasons of skipped migrations by canonical version."""
        return {version: each.reason for version, each in self.attempts.items() if each.outcome == SKIPPED}

    def same_rows(self, other: History) -> bool:
        """Whether nothing happened between two readings that a plan depends on."""
        mine, others = (
            (each.rows, each.attempts, each.generations, each.record, each.top_rank) for each in (self, other)
        )
        return mine == others

    def next_key(self, ledger: str, version: Version) -> str:
        """Give the key that the next application of this version takes."""
        return migration_key(ledger, version, self.generations.get(version.canonical, 0) + 1)


def migration_key(ledger: str, version: Version, generation: int) -> str:
    """``<ledger>/migration/<canonical version>@<n>``: never null, so that uniqueness covers every row."""
    return f"{ledger}/migration/{version.canonical}@{generation}"


def history_of(rows: Iterable[HistoryRow], **more: Any) -> History:
    """Choose the current row of each version: the highest re-application that was not forgotten."""
    current: dict[Version, HistoryRow] = {}
    generations: dict[str, int] = {}
    top_rank = 0
    for row in rows:
        generation = int(row.key.rpartition("@")[2])
        if row.rank > top_rank:
            top_rank = row.rank
        name = row.version.canonical
        if generation > generations.get(name, 0):
            generations[name] = generation
            if row.state == FORGOTTEN:
                current.pop(row.version, None)
            else:
                current[row.version] = row
    return History(rows=current, generations=generations, top_rank=top_rank, **more)
