"""What a run that died had committed: read from its record, the history and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.model import Kind
from graphmigrate.database.history import SKIPPED
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch
from graphmigrate.migrations.segments import Segment, segments_of
from graphmigrate.schema.catalogue import FAILED, Catalogue
from graphmigrate.schema.compare import Fate, apply, fate, leaves_a_trace, made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphmigrate.database.history import History, HistoryRow, RunRecord
    from graphmigrate.migrations.model import Migration
    from graphmigrate.schema.model import CatalogueEntry


@dataclass(frozen=True, slots=True)
class Settled:
    """Segments up to ``step`` of a migration are committed, though its row says less (or is missing)."""

    key: str
    version: Version
    migration: Migration
    segments: tuple[Segment, ...]
    step: int


RERUN, DONE = "rerun", "done"


def settle(
    record: RunRecord,
    history: History,
    now: Catalogue,
    read: Callable[[Version], Migration | None],
    verdicts: Mapping[Version, str],
) -> list[Settled]:
    """Walk the dead run's plan in order, past what the ledger has, and read each schema segment's fate.

    A migration whose query did not hold was skipped, which its run wrote down at once. One that has a query and changed nothing
    counts only where something after it shows that the run went on: else nobody knows whether the query was asked.

    ``read`` gives the migration of a version as its file stands, None where there is none. ``verdicts`` are a person's words
    for versions whose fate cannot be read: RERUN (nothing more took effect) or DONE (all of it did). Raises HistoryMismatch
    where somebody else changed the schema or the file since.
    """
    return _Walk(record, history, now, read, verdicts).found


class _Walk:
    """The way through the plan; ``expected`` is the catalogue as it must have been at the migration at hand."""

    def __init__(
        self,
        record: RunRecord,
        history: History,
        now: Catalogue,
        read: Callable[[Version], Migration | None],
        verdicts: Mapping[Version, str],
    ) -> None:
        self.record = record
        self.now = now
        self.read = read
        self.verdicts = verdicts
        self.expected = Catalogue.from_json(record.catalogue)
        self.found: list[Settled] = []
        self.doubtful: list[Settled] = []  # nothing shows that the run came to these
        by_key = {row.key: row for row in history.rows.values()}
        for item in record.plan:
            version = Version.parse(item["version"])
            if was_skipped(record, history, version):
                self._came_to()
            elif not self._passes(item, version, by_key.get(item["key"])):
                break

    def _passes(self, item: dict[str, Any], version: Version, row: HistoryRow | None) -> bool:
        """Judge one migration; False where the run cannot have come further."""
        if row and row.run == self.record.run:
            self._came_to()
        step = row.step if row else item["first"] - 1
        migration = self.read(version)
        unchanged = migration is not None and migration.file.checksum == item["checksum"]
        if row and row.complete:
            if migration and unchanged:
                self._expect(segments_of(migration), item["first"])
            return True
        verdict = self.verdicts.get(version)
        if verdict == RERUN:
            return False
        if verdict == DONE and migration is not None:
            segments = segments_of(migration)
            self._came_to(Settled(item["key"], version, migration, segments, len(segments)))
            self._expect(segments, step + 1)
            return True
        if migration is None or not unchanged:
            if item["schema"] and step + 1 in item["schema"]:
                raise _file_changed(version, self.record, removed=migration is None)
            return False
        segments = segments_of(migration)
        self.expected = _apply_all(segments[:step], item["first"], self.expected)
        asks = row is None and bool(migration.header.queries)
        return self._judge(Settled(item["key"], version, migration, segments, step), asks=asks)

    def _judge(self, begun: Settled, *, asks: bool) -> bool:
        committed, shown = _committed_up_to(begun, self.expected, self.now)
        settled = [replace(begun, step=committed)] * (committed > begun.step)
        if shown or not (asks or self.doubtful):
            self._came_to(*settled)
        else:
            self.doubtful += settled
        self._expect(begun.segments, begun.step + 1)
        return committed == len(begun.segments)

    def _came_to(self, *settled: Settled) -> None:
        self.found += [*self.doubtful, *settled]
        self.doubtful = []

    def _expect(self, segments: tuple[Segment, ...], first: int) -> None:
        self.expected = _apply_all(segments, first, self.expected)


def failed_to_build(
    record: RunRecord, history: History, now: Catalogue, read: Callable[[Version], Migration | None]
) -> tuple[CatalogueEntry, ...]:
    """Give what the dead run's segment at hand made, where an index of it is FAILED: it is to be as if it had not been."""
    expected = Catalogue.from_json(record.catalogue)
    by_key = {row.key: row for row in history.rows.values()}
    for item in record.plan:
        version = Version.parse(item["version"])
        if was_skipped(record, history, version):
            continue
        migration = read(version)
        if migration is None:
            break
        segments, row = segments_of(migration), by_key.get(item["key"])
        step = row.step if row else item["first"] - 1
        expected = _apply_all(segments[:step], item["first"], expected)
        for segment in segments[step:]:
            if segment.kind is not Kind.SCHEMA:
                return ()
            if not _stands(segment, now):
                return made_by(segment.actions, expected, now) if segment.creates_only else ()
            if fate(segment.actions, expected, now) is not Fate.COMMITTED:
                return ()
            expected = apply(segment.actions, expected)
    return ()


def was_skipped(record: RunRecord, history: History, version: Version) -> bool:
    """Whether that very run wrote down that it skipped this version."""
    attempt = history.attempts.get(version.canonical)
    return attempt is not None and (attempt.outcome, attempt.run) == (SKIPPED, record.run)


def _apply_all(segments: tuple[Segment, ...], first: int, catalogue: Catalogue) -> Catalogue:
    for segment in segments[first - 1 :]:
        catalogue = apply(segment.actions, catalogue)
    return catalogue


def _committed_up_to(begun: Settled, expected: Catalogue, now: Catalogue) -> tuple[int, bool]:
    """Give the last segment that is committed, and whether the catalogue shows it of any."""
    step, shown = begun.step, False
    for segment in begun.segments[step:]:
        if segment.kind is not Kind.SCHEMA:
            break  # its row commits with it, and there is none
        verdict = fate(segment.actions, expected, now)
        if verdict in {Fate.MIXED, Fate.UNDECIDABLE}:
            raise _schema_changed(begun.version, segment)
        shows = leaves_a_trace(segment.actions, expected, now)
        if verdict is not Fate.COMMITTED or not (shows or _stands(segment, now)):
            break  # what was there and FAILED before does not count as made
        shown = shown or shows
        expected = apply(segment.actions, expected)
        step = segment.number
    return step, shown


def _stands(segment: Segment, now: Catalogue) -> bool:
    """Whether nothing that a segment wants is FAILED."""
    found = (now.find(action.target) for action in segment.actions if action.target)
    return all(entry is None or entry.state != FAILED for entry in found)


def _file_changed(version: Version, record: RunRecord, *, removed: bool) -> HistoryMismatch:
    done = "" if removed else f" or --done V{version.text} (all of it did)"
    return HistoryMismatch(
        f"A run on {record.host} died while it applied V{version.text}, and its file was changed or removed since; "
        "which of its schema statements took effect cannot be read any more.",
        hint=f"Put the file back as it was and run again; or say: graphmigrate repair --rerun V{version.text} "
        f"(nothing of it took effect){done}.",
        code="GM607",
    )


def _schema_changed(version: Version, segment: Segment) -> HistoryMismatch:
    return HistoryMismatch(
        f"A run died while it applied V{version.text}, and somebody else changed the schema since: "
        "part of this segment's outcome is there and part is not.",
        hint="Compare SHOW CONSTRAINTS and SHOW INDEXES with the statements; make the schema match, then say: "
        f"graphmigrate repair --rerun V{version.text} or --done V{version.text}.",
        place=segment.statements[0].place,
        code="GM607",
    )
