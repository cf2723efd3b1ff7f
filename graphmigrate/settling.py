"""What a run that died had committed: read from its record, the history and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.cypher.model import Kind
from graphmigrate.errors import HistoryMismatch
from graphmigrate.project.versions import Version
from graphmigrate.schema.catalogue import FAILED, Catalogue
from graphmigrate.schema.compare import Fate, apply, fate, made_by
from graphmigrate.segments import Segment, segments_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphmigrate.history import History, RunRecord
    from graphmigrate.project.model import Migration
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

    ``read`` gives the migration of a version as its file stands, None where there is none. ``verdicts`` are a person's words
    for versions whose fate cannot be read: RERUN (nothing more took effect) or DONE (all of it did). Raises HistoryMismatch
    where somebody else changed the schema or the file since.
    """
    expected = Catalogue.from_json(record.catalogue)
    found: list[Settled] = []
    by_key = {row.key: row for row in history.rows.values()}
    for item in record.plan:
        version = Version.parse(item["version"])
        row = by_key.get(item["key"])
        step = row.step if row else item["first"] - 1
        migration = read(version)
        if row and row.complete:
            if migration and migration.file.checksum == item["checksum"]:
                expected = _apply_all(segments_of(migration), item["first"], expected)
            continue
        verdict = verdicts.get(version)
        if verdict == RERUN:
            return found
        if verdict == DONE and migration is not None:
            segments = segments_of(migration)
            found.append(Settled(item["key"], version, migration, segments, len(segments)))
            expected = _apply_all(segments, step + 1, expected)
            continue
        if migration is None or migration.file.checksum != item["checksum"]:
            if item["schema"] and step + 1 in item["schema"]:
                raise _file_changed(version, record)
            return found
        segments = segments_of(migration)
        expected = _apply_all(segments[:step], item["first"], expected)
        committed = _committed_up_to(segments, step, expected, now, version)
        if committed > step:
            found.append(Settled(item["key"], version, migration, segments, committed))
        if committed < len(segments):
            return found
        expected = _apply_all(segments, step + 1, expected)
    return found


def failed_to_build(
    record: RunRecord, history: History, now: Catalogue, read: Callable[[Version], Migration | None]
) -> tuple[CatalogueEntry, ...]:
    """Give what the dead run's segment at hand made, where an index of it is FAILED: it is to be as if it had not been."""
    expected = Catalogue.from_json(record.catalogue)
    by_key = {row.key: row for row in history.rows.values()}
    for item in record.plan:
        migration = read(Version.parse(item["version"]))
        if migration is None:
            break
        segments, row = segments_of(migration), by_key.get(item["key"])
        step = row.step if row else item["first"] - 1
        expected = _apply_all(segments[:step], item["first"], expected)
        for segment in segments[step:]:
            made = made_by(segment.actions, expected, now)
            if segment.kind is not Kind.SCHEMA or not made:
                return ()
            if any(entry.state == FAILED for entry in made):
                return made if segment.creates_only else ()
            expected = apply(segment.actions, expected)
    return ()


def _apply_all(segments: tuple[Segment, ...], first: int, catalogue: Catalogue) -> Catalogue:
    for segment in segments[first - 1 :]:
        catalogue = apply(segment.actions, catalogue)
    return catalogue


def _committed_up_to(
    segments: tuple[Segment, ...], step: int, expected: Catalogue, now: Catalogue, version: Version
) -> int:
    for segment in segments[step:]:
        if segment.kind is not Kind.SCHEMA:
            return step  # its row commits with it, and there is none
        verdict = fate(segment.actions, expected, now)
        if verdict in {Fate.MIXED, Fate.UNDECIDABLE}:
            raise _schema_changed(version, segment)
        if verdict is not Fate.COMMITTED:
            return step
        expected = apply(segment.actions, expected)
        step = segment.number
    return step


def _file_changed(version: Version, record: RunRecord) -> HistoryMismatch:
    return HistoryMismatch(
        f"A run on {record.host} died while it applied V{version.text}, and its file was changed or removed since; "
        "which of its schema statements took effect cannot be read any more.",
        hint=f"Put the file back as it was and run again; or say: graphmigrate repair --rerun V{version.text} "
        f"(nothing of it took effect) or --done V{version.text} (all of it did).",
        code="GM607",
    )


def _schema_changed(version: Version, segment: Segment) -> HistoryMismatch:
    return HistoryMismatch(
        f"A run died while it applied V{version.text}, and somebody else changed the schema since: "
        "part of this segment's outcome is there and part is not.",
        hint="Compare SHOW CONSTRAINTS and SHOW INDEXES with the statements; make the schema match, then say: "
        f"graphmigrate repair --rerun V{version.text} or --done V{version.text}.",
        place=segment.statements[0].place,
        code="GM608",
    )
