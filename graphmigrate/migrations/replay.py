"""What a run that died had committed: its plan replayed against the history and the catalogue (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.model import Kind
from graphmigrate.database.history import SKIPPED
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch
from graphmigrate.migrations.segments import Segment, segments_of
from graphmigrate.schema.catalogue import FAILED, Catalogue
from graphmigrate.schema.compare import Fate, apply, fate, leaves_a_trace, made_by
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphmigrate.database.history import History, HistoryRow, RunRecord
    from graphmigrate.migrations.model import Migration
    from graphmigrate.schema.model import CatalogueEntry


class RecoveredMigration(Value):
    """A migration that is committed up to ``step`` of ``steps``, though its row says less (or is missing).

    ``segments`` are those from which its run went on; ``row`` is what the ledger has of it.
    """

    item: Mapping[str, Any]
    version: Version
    migration: Migration
    segments: tuple[Segment, ...]
    step: int
    row: HistoryRow | None = None

    @property
    def key(self) -> str:
        """Its key in the ledger."""
        return str(self.item["key"])

    @property
    def steps(self) -> int:
        """How many segments it has, with those that were committed before its run."""
        return int(self.item["first"]) - 1 + len(self.segments)

    @property
    def complete(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.step >= self.steps

    @property
    def statements(self) -> tuple[str, ...]:
        """The fingerprints of all statements that are committed."""
        done = self.step - self.item["first"] + 1
        new = [each for segment in self.segments[:done] for each in segment.fingerprints]
        before = self.migration.statements[: self.item["committed"]]
        return (*(each.fingerprint for each in before), *new)


RERUN, DONE = "rerun", "done"


def replay(
    record: RunRecord,
    history: History,
    now: Catalogue,
    read: Callable[[Mapping[str, Any]], Migration | None],
    verdicts: Mapping[Version, str],
) -> list[RecoveredMigration]:
    """Walk the dead run's plan in order, past what the ledger has, and read each schema segment's fate.

    A migration whose query did not hold was skipped, which its run wrote down at once. One that has a query and changed nothing
    counts only where something after it shows that the run went on: else it is not known whether the query was asked.

    ``read`` gives the migration of an item as its file stands, None where there is none. ``verdicts`` are a person's words
    for versions whose fate cannot be read: RERUN (nothing more took effect) or DONE (all of it did). Raises HistoryMismatch
    where something else changed the schema or the file since.
    """
    walk = _Walk(record, now, read, verdicts, Catalogue.from_json(record.catalogue))
    for item in record.plan:
        version = Version.parse(item["version"])
        if was_skipped(record, history, version):
            walk.came_to()
        elif not walk.passes(item, version, history.by_key.get(item["key"])):
            break
    return walk.found


@dataclass(slots=True)
class _Walk:
    """The way through the plan; ``expected`` is the catalogue as it must have been at the migration at hand.

    Nothing shows that the run came to the ``doubtful`` ones.
    """

    record: RunRecord
    now: Catalogue
    read: Callable[[Mapping[str, Any]], Migration | None]
    verdicts: Mapping[Version, str]
    expected: Catalogue
    found: list[RecoveredMigration] = field(default_factory=list)
    doubtful: list[RecoveredMigration] = field(default_factory=list)

    def passes(self, item: dict[str, Any], version: Version, row: HistoryRow | None) -> bool:
        """Judge one migration; False where the run cannot have come further."""
        if row and row.run == self.record.run:
            self.came_to()
        step = row.step if row else item["first"] - 1
        migration = self.read(item)
        unchanged = migration is not None and migration.file.checksum == item["checksum"]
        if row and row.complete:
            if migration and unchanged:
                self._expect(_segments(migration, item))
            return True
        verdict = self.verdicts.get(version)
        if verdict == RERUN:
            return False
        if verdict == DONE and migration is not None:
            segments = _segments(migration, item)
            steps = item["first"] - 1 + len(segments)
            self.came_to(RecoveredMigration(item, version, migration, segments, steps, row))
            self._expect(segments[step - item["first"] + 1 :])
            return True
        if migration is None or not unchanged:
            if _kind_of_step(item, step + 1) == Kind.SCHEMA:
                raise _file_changed(version, self.record, removed=migration is None)
            return False
        segments = _segments(migration, item)
        self._expect(segments[: step - item["first"] + 1])
        asks = row is None and bool(migration.header.queries)
        return self._judge(RecoveredMigration(item, version, migration, segments, step, row), asks=asks)

    def _judge(self, begun: RecoveredMigration, *, asks: bool) -> bool:
        committed, shown = _committed_up_to(begun, self.expected, self.now)
        recovered = [begun._replace(step=committed)] * (committed > begun.step)
        if shown or not (asks or self.doubtful):
            self.came_to(*recovered)
        else:
            self.doubtful += recovered
        self._expect(tuple(each for each in begun.segments if each.number > begun.step))
        return committed == begun.steps

    def came_to(self, *recovered: RecoveredMigration) -> None:
        self.found += [*self.doubtful, *recovered]
        self.doubtful = []

    def _expect(self, segments: tuple[Segment, ...]) -> None:
        self.expected = _apply_all(segments, self.expected)


def _segments(migration: Migration, item: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Return the segments that the dead run was to execute."""
    return segments_of(migration, item["committed"], item["first"] - 1)


def _kind_of_step(item: Mapping[str, Any], step: int) -> str | None:
    at = step - item["first"]
    return item["segments"][at][0] if 0 <= at < len(item["segments"]) else None


def failed_to_build(
    record: RunRecord, history: History, now: Catalogue, read: Callable[[Mapping[str, Any]], Migration | None]
) -> tuple[CatalogueEntry, ...]:
    """Return what the dead run's segment at hand made, where an index of it is FAILED: it is to be removed."""
    expected = Catalogue.from_json(record.catalogue)
    by_key = history.by_key
    for item in record.plan:
        version = Version.parse(item["version"])
        if was_skipped(record, history, version):
            continue
        migration = read(item)
        if migration is None:
            break
        segments, row = _segments(migration, item), by_key.get(item["key"])
        done = row.step - item["first"] + 1 if row else 0
        expected = _apply_all(segments[:done], expected)
        for segment in segments[done:]:
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


def _apply_all(segments: tuple[Segment, ...], catalogue: Catalogue) -> Catalogue:
    for segment in segments:
        catalogue = apply(segment.actions, catalogue)
    return catalogue


def _committed_up_to(begun: RecoveredMigration, expected: Catalogue, now: Catalogue) -> tuple[int, bool]:
    """Return the last segment that is committed, and whether the catalogue shows it of any."""
    step, shown = begun.step, False
    for segment in begun.segments[step - begun.item["first"] + 1 :]:
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
    done = "" if removed else f" or --done {version.name} (all of it did)"
    return HistoryMismatch(
        f"A run on {record.host} died while it applied {version.name}, and its file was changed or removed since; "
        "which of its schema statements took effect cannot be read any more.",
        hint=f"Put the file back as it was and run again; or say: graphmigrate repair --rerun {version.name} "
        f"(nothing of it took effect){done}.",
        code="GM607",
    )


def _schema_changed(version: Version, segment: Segment) -> HistoryMismatch:
    return HistoryMismatch(
        f"A run died while it applied {version.name}, and something else changed the schema since: "
        "part of what these statements do is there and part is not.",
        hint="Compare SHOW CONSTRAINTS and SHOW INDEXES with the statements; make the schema match, then say: "
        f"graphmigrate repair --rerun {version.name} or --done {version.name}.",
        place=segment.statements[0].place,
        code="GM607",
    )
