"""The run record: written before anything runs, closed at the end, and read by the next run where it never was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.model import Kind
from graphmigrate.database import queries
from graphmigrate.database.catalogue import IndexFailed, await_indexes, drop_entries, read_catalogue
from graphmigrate.database.ledger import (
    forget_attempts,
    ledger_key,
    new_row,
    progress,
    read_run_record,
    record_attempt,
)
from graphmigrate.database.transactions import is_any_terminated
from graphmigrate.database.version import Version
from graphmigrate.errors import LockLost, MigrationFailed, UsageError
from graphmigrate.migrations.segments import segments_of
from graphmigrate.migrations.settling import DONE, RERUN, Settled, failed_to_build, settle, was_skipped
from graphmigrate.schema.catalogue import FAILED, ONLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import Attempt, History, RunRecord
    from graphmigrate.events import Listener
    from graphmigrate.migrations.model import Migration, MigrationFile, MigrationFolder
    from graphmigrate.migrations.outcome import Outcome
    from graphmigrate.migrations.plan import Plan, Task
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import CatalogueEntry, SchemaObject


_A_MOMENT = 2.0  # seconds


def open_record(database: Database, planned: Plan, catalogue: Catalogue) -> str:
    """Commit what this run means to apply and the catalogue before it. Raises LockLost where another run took over."""
    key = f"{database.settings.ledger}/run/{database.run}"
    with database.transaction() as tx:
        found = list(
            tx.run(
                queries.OPEN_RUN,
                ledger=ledger_key(database.settings.ledger),
                key=key,
                run=database.run,
                host=database.host,
                user=database.user,
                plan=json.dumps([_item(task) for task in planned.tasks]),
                catalogue=catalogue.to_json(),
            )
        )
        if not found:
            raise LockLost(
                "Another run took over before this one began; nothing was run.", hint="Run it again."
            )
    return key


def _item(task: Task) -> dict[str, Any]:
    return {
        "key": task.key,
        "version": task.migration.file.version.text,
        "checksum": task.migration.file.checksum,
        "first": task.first,
        "schema": [segment.number for segment in task.segments if segment.kind is Kind.SCHEMA],
    }


def close_record(database: Database, record: str, history: History, outcome: Outcome) -> None:
    """Commit that the run did all that it meant to do, with durations."""
    head = outcome.keys[-1] if outcome.keys else history.head
    with database.transaction() as tx:
        _end_run(tx, database, record, head, "done")
        _write_times(tx, outcome)
        forget_attempts(tx, database, history, map(_version_in, outcome.keys))


@dataclass(frozen=True, slots=True)
class Ending:
    """How an unfinished run ended, and what is known only to itself: durations, and what it was at (canonical version)."""

    result: str = "settled"
    outcome: Outcome | None = None
    version: str | None = None
    attempt: Attempt | None = None


def _write_times(tx: neo4j.Transaction, outcome: Outcome) -> None:
    if outcome.times:
        tx.run(queries.TIMES, times=[list(each) for each in outcome.times]).consume()


def _version_in(key: str) -> str:
    """Give the canonical version that a key of the ledger names."""
    return key.rpartition("/")[2].partition("@")[0]


def _end_run(tx: neo4j.Transaction, database: Database, record: str, head: str | None, outcome: str) -> None:
    """Close the record and show, at the ledger node, the last migration that was applied."""
    tx.run(
        queries.END_RUN,
        ledger=ledger_key(database.settings.ledger),
        run=database.run,
        key=record,
        head=head,
        version=_version_in(head) if head else None,
        outcome=outcome,
    ).consume()


def recover(
    database: Database,
    history: History,
    files: MigrationFolder,
    read: Callable[[MigrationFile], Migration],
    verdicts: Mapping[Version, str],
    ending: Ending | None = None,
    listen: Listener = lambda _: None,
) -> list[Settled]:
    """Settle a run that did not finish: write the rows of what it had committed, in one transaction with its end.

    Without ``ending`` it is a run that died, and indexes that it left populating are waited for. A run that ends itself leaves
    its record open then, for the next one. Raises HistoryMismatch where its fate cannot be read, MigrationFailed
    (GM506) where an index still populates after ``index_timeout`` seconds, UsageError (GM610) where a verdict is DONE and
    the run did not come so far.
    """
    record = read_run_record(database, history.record) if history.record else None
    if record is None:
        return []
    by_version = {file.version: file for file in files.files}

    @cache  # read for what is left behind, and again to settle
    def migration_of(version: Any) -> Migration | None:
        file = by_version.get(version)
        return read(file) if file else None

    # before the record is closed: a run that dies in between finds everything again
    catalogue = _catalogue_to_judge_by(database, record, history, migration_of, None if ending else listen)
    if catalogue is None:
        return []
    ending = ending or Ending()
    settled = settle(record, history, catalogue, migration_of, verdicts)
    _refuse_unused(verdicts, settled)
    planned = {item["key"] for item in record.plan}
    finished = [row for row in history.rows.values() if row.key in planned and row.complete]
    chain = [row.key for row in sorted(finished, key=lambda row: (row.rank, row.version))]
    with database.transaction() as tx:
        known = {row.key for row in history.rows.values()}
        ranks = count(history.top_rank + 1)
        for each in settled:
            tx_write(tx, database, each, None if each.key in known else next(ranks), record.run)
            if each.step >= len(each.segments):
                chain.append(each.key)
        _end_run(tx, database, record.key, chain[-1] if chain else history.head, ending.result)
        if ending.outcome:
            _write_times(tx, ending.outcome)
        if ending.attempt and ending.version and ending.version not in map(_version_in, chain):
            record_attempt(tx, database, ending.version, ending.attempt)
        forget_attempts(tx, database, history, map(_version_in, chain))
    return settled


def _refuse_unused(verdicts: Mapping[Version, str], settled: Iterable[Settled]) -> None:
    """RERUN is true wherever the run stopped, DONE only where the walk came to that version."""
    came_to = {each.version for each in settled}
    for version in sorted(verdicts):
        if verdicts[version] == DONE and version not in came_to:
            raise UsageError(
                f"--done V{version.text}: nothing shows that the run that died came to it. Nothing was changed.",
                hint="Leave it out, and graphmigrate migrate applies it; or, if it is complete, "
                "say --done for the versions before it too.",
                code="GM610",
            )


def first_unsettled(database: Database, history: History) -> Version | None:
    """Give the first version that a run without an end has not completed; None where every run ended."""
    record = read_run_record(database, history.record) if history.record else None
    if record is None:
        return None
    planned = [Version.parse(item["version"]) for item in record.plan]
    unsure = (each for each in planned if each not in history.rows or not history.rows[each].complete)
    return next(unsure, planned[-1])


def verdicts_of(
    database: Database, history: History, wanted: Mapping[str, set[Version]]
) -> dict[Version, str]:
    """Choose, of the versions a person named, those that belong to a run that died and were not announced singly."""
    record = read_run_record(database, history.record) if history.record else None
    planned = {Version.parse(item["version"]) for item in record.plan} if record else set()
    planned = {version for version in planned if record and not was_skipped(record, history, version)}
    announced = {version for version, row in history.rows.items() if row.intent or row.complete}
    open_ones = planned - announced
    return {version: word for word in (RERUN, DONE) for version in sorted(wanted[word] & open_ones)}


def tx_write(tx: Any, database: Database, settled: Settled, rank: int | None, run: str) -> None:
    """Write the row of one settled migration; without a ``rank`` it has one already."""
    file = settled.migration.file
    checksums = [each.checksum for each in settled.segments]
    changes = progress(file.checksum, settled.step, checksums, run, touched=settled.step)
    if rank is None:
        tx.run(queries.PUT_ROW, key=settled.key, changes=changes).consume()
    else:
        row = new_row(
            settled.key,
            file.version,
            description=file.description,
            source=file.name,
            user=database.user,
            rank=rank,
            language=settled.migration.header.options.cypher or database.language,
        )
        tx.run(queries.CREATE_ROW, row=row | changes).consume()


def _without_ownerless_indexes(database: Database, targets: Iterable[SchemaObject]) -> Catalogue:
    """Drop what a server killed inside CREATE CONSTRAINT can leave; gives the catalogue without it.

    It is an index of the constraint's name, without owner, that never comes ONLINE. Where a transaction that could own it is
    still to be rolled back, it is left.
    """
    catalogue = read_catalogue(database)
    orphans = [orphan for target in targets for orphan in [catalogue.orphan_of(target)] if orphan]
    if not orphans or is_any_terminated(database):
        return catalogue
    drop_entries(database, dict.fromkeys(orphans))
    return read_catalogue(database)


def _catalogue_to_judge_by(
    database: Database,
    record: RunRecord,
    history: History,
    read: Callable[[Any], Migration | None],
    listen: Listener | None,
) -> Catalogue | None:
    """Give the catalogue when every index is decided, without what cannot stay; None where that takes too long to wait.

    A run that ends itself does not listen, and waits a moment only. A FAILED index's segment was not recorded: it goes.
    """
    targets = _targets(record.plan, read)
    catalogue = _without_ownerless_indexes(database, targets)
    populating = [each for each in targets if _populates(catalogue.find(each))]
    if populating:
        try:
            await_indexes(database, listen or (lambda _: None), populating, None if listen else _A_MOMENT)
        except IndexFailed:
            pass
        except MigrationFailed:
            if listen is None:
                return None
            raise
        catalogue = read_catalogue(database)
    failed = failed_to_build(record, history, catalogue, read)
    drop_entries(database, failed)
    return read_catalogue(database) if failed else catalogue


def _populates(entry: CatalogueEntry | None) -> bool:
    return entry is not None and entry.state not in {None, ONLINE, FAILED}


def _targets(plan: tuple[dict[str, Any], ...], read: Callable[[Any], Migration | None]) -> list[SchemaObject]:
    """Give everything that the planned migrations create."""
    migrations = (read(Version.parse(item["version"])) for item in plan)
    segments = (segment for migration in migrations if migration for segment in segments_of(migration))
    return [action.target for segment in segments for action in segment.actions if action.target]
