"""What the database remembers, as values: the rows of the ledger, read once for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database.version import Version
from graphmigrate.value import NOTHING, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from graphmigrate.errors import Problem

COMPLETE = "applied"
STARTED = "started"
LOADING, LOADED, RESETTING = "loading", "loaded", "resetting"  # of a seed
UNDO = "undo"


class HistoryRow(NamedTuple):
    """One ledger node of a migration. ``step`` segments of ``steps`` are committed, in ``commits`` transactions.

    ``language`` is the version of Cypher that it ran under.
    ``intent`` is the number of a segment that was announced and whose end is unknown (autocommit and system statements);
    ``batches`` counts the committed batches of segment ``step + 1``. ``statements`` are the fingerprints of what is committed,
    in order, and of the statement at hand where one was announced or has committed batches.
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
    statements: tuple[str, ...] = ()
    rank: int = 0
    commits: int = 1
    source: str | None = None
    language: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every segment is committed."""
        return self.state == COMPLETE

    @property
    def committed(self) -> int:
        """How many statements are committed wholly."""
        return len(self.statements) - bool(self.intent or self.batches)


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


class History(Value):
    """The ledger at one moment: the current row of each version, that of its newest application.

    ``initialised`` says whether the ledger node exists; ``attempts`` maps a canonical version to its last attempt that was
    skipped or failed; ``generations`` maps a canonical version to the highest ``n`` ever used in a key; ``record`` is the key of
    a run that has not said that it ended; ``unended`` says that the last one that did had died, failed or was interrupted;
    ``warnings`` tell what is not ours on our nodes. ``by_key`` has every row, also of former applications and of undos;
    ``undone`` are the undos by which versions that were applied are not any more.
    """

    rows: Mapping[Version, HistoryRow] = NOTHING
    attempts: Mapping[str, Attempt] = NOTHING
    generations: Mapping[str, int] = NOTHING
    initialised: bool = False
    record: str | None = None
    unended: bool = False
    top_rank: int = 0
    warnings: tuple[Problem, ...] = ()
    by_key: Mapping[str, HistoryRow] = NOTHING
    undone: Mapping[Version, HistoryRow] = NOTHING

    @property
    def highest(self) -> Version | None:
        """The highest version that took effect, wholly or in part."""
        return max((version for version in self.rows if not version.is_named), default=None)

    @property
    def skips(self) -> dict[str, str]:
        """The reasons of skipped migrations by canonical version."""
        return {version: each.reason for version, each in self.attempts.items() if each.outcome == SKIPPED}

    def same_rows(self, other: History) -> bool:
        """Whether nothing happened between two readings that a plan depends on."""
        mine, others = (
            (each.by_key, each.attempts, each.generations, each.record, each.top_rank)
            for each in (self, other)
        )
        return mine == others

    def keys_of(self, ledger: str, version: Version) -> list[str]:
        """Return the keys of every application of this version."""
        last = self.generations.get(version.canonical, 0)
        return [migration_key(ledger, version, number) for number in range(1, last + 1)]

    def undo_of(self, row: HistoryRow) -> HistoryRow | None:
        """Return the row of the undo of an application, where one was begun."""
        return self.by_key.get(undo_key(row.key))

    def next_key(self, ledger: str, version: Version) -> str:
        """Return the key that the next application of this version takes."""
        return migration_key(ledger, version, self.generations.get(version.canonical, 0) + 1)


def migration_key(ledger: str, version: Version, generation: int) -> str:
    """``<ledger>/migration/<canonical version>@<n>``: never null, so that uniqueness covers every row."""
    return f"{ledger}/migration/{version.canonical}@{generation}"


def undo_key(key: str) -> str:
    """Return the key of the undo of the application that has this key."""
    return key.replace("/migration/", "/migration-undo/", 1)


def version_in(key: str) -> str:
    """Return the canonical version that the key of a migration names."""
    return key.rpartition("/")[2].rpartition("@")[0]


def name_in(key: str) -> str:
    """Return how messages call the migration that a key names."""
    return Version.parse(version_in(key)).name


def history_of(rows: Iterable[HistoryRow], used: Iterable[str] = (), **more: Any) -> History:
    """Choose the current row of each version; ``used`` are keys of rows that are there no more."""
    current: dict[Version, HistoryRow] = {}
    generations: dict[str, int] = {}
    top_rank = 0
    for key in used:
        _count(generations, key)
    by_key = {row.key: row for row in rows}
    for row in by_key.values():
        top_rank = max(top_rank, row.rank)
        _count(generations, row.key)
        if row.type == UNDO:
            continue
        other = current.get(row.version)
        if other is None or _generation(other.key) < _generation(row.key):
            current[row.version] = row
    undos = {
        row.version: by_key[undo_key(row.key)] for row in current.values() if undo_key(row.key) in by_key
    }
    undone = {version: row for version, row in undos.items() if row.complete}
    there = {version: row for version, row in current.items() if version not in undone}
    return History(
        rows=there, undone=undone, generations=generations, top_rank=top_rank, by_key=by_key, **more
    )


def _count(generations: dict[str, int], key: str) -> None:
    version = version_in(key)
    generations[version] = max(generations.get(version, 0), _generation(key))


def _generation(key: str) -> int:
    return int(key.rpartition("@")[2])
