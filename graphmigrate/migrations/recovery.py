"""The run record: written before anything runs, closed at the end, and read by the next run where it never was."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.model import Kind
from graphmigrate.database import queries
from graphmigrate.database.catalogue import IndexFailed, await_indexes, drop_entries, read_catalogue
from graphmigrate.database.commit import Step, write_steps
from graphmigrate.database.history import UNDO, RunRecord, version_in
from graphmigrate.database.ledger import forget_attempts, ledger_key, progress, record_attempt
from graphmigrate.database.records import item_of, read_run_record
from graphmigrate.database.transactions import is_any_terminated
from graphmigrate.database.version import Version
from graphmigrate.errors import LockLost, MigrationFailed, UsageError
from graphmigrate.migrations.effects import Effects, Part, by_keys, effects_of
from graphmigrate.migrations.files import files_for
from graphmigrate.migrations.replay import (
    DONE,
    RERUN,
    RecoveredMigration,
    failed_to_build,
    replay,
    was_skipped,
)
from graphmigrate.migrations.run_state import first_row
from graphmigrate.migrations.segments import segments_of
from graphmigrate.migrations.undo import way_back
from graphmigrate.schema.catalogue import FAILED, ONLINE, Catalogue
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import Attempt, History
    from graphmigrate.events import Listener
    from graphmigrate.migrations.model import Migration, MigrationFile, MigrationFolder, Outcome
    from graphmigrate.migrations.plan import Plan, Task
    from graphmigrate.schema.model import CatalogueEntry, SchemaObject


_A_MOMENT = 2.0  # seconds


def open_record(database: Database, planned: Plan, catalogue: Catalogue, rank: int) -> RunRecord:
    """Commit what this run means to apply, ranked after ``rank``, and the catalogue before it.

    Raises LockLost where another run took over.
    """
    key = f"{database.settings.ledger}/run/{database.run}"
    plan = tuple(_item(task, database, number) for number, task in enumerate(planned.tasks, rank + 1))
    actions = (action for task in planned.tasks for each in task.segments for action in each.actions)
    written = catalogue.to_json({action.name or "" for action in actions if action.verb == "drop"})
    with database.transaction() as tx:
        found = list(
            tx.run(
                queries.OPEN_RUN,
                ledger=ledger_key(database.settings.ledger),
                key=key,
                run=database.run,
                host=database.host,
                user=database.user,
                plan=json.dumps(plan, ensure_ascii=False),
                catalogue=written,
            )
        )
        if not found:
            raise LockLost(
                "Another run took over before this one began; nothing was run.", hint="Run it again."
            )
    return RunRecord(key, database.run, database.host, database.user, None, plan, written)


def _item(task: Task, database: Database, rank: int) -> dict[str, Any]:
    """Return what the record keeps of a migration: enough to judge a run that died, and to restore the migration's node."""
    row = task.row
    lasting = first_row(task.migration, database, rank)
    lasting |= {"checksum": task.migration.file.checksum, "steps": task.steps}
    segments = [(segment.kind.value, segment.fingerprints) for segment in task.segments]
    before = row.statements[: row.committed] if row else ()
    return item_of(task.key, lasting, first=task.first, before=before, segments=segments)


def close_record(
    database: Database,
    record: RunRecord,
    history: History,
    outcome: Outcome,
    tasks: Sequence[Task],
    catalogue: Catalogue,
) -> None:
    """Commit that the run did all that it meant to do, with durations, and with what each migration did to the schema.

    ``catalogue`` is that before the run.
    """
    earlier = _earlier_effects(database, record)
    parts = [
        Part(
            task.key,
            task.row.committed if task.row else 0,
            task.segments,
            earlier.get(task.key) if task.first > 1 else Effects(),
        )
        for task in tasks
        if task.key in outcome.times and not task.undoes
    ]
    changes = any(segment.kind is Kind.SCHEMA for part in parts for segment in part.segments or ())
    effects = effects_of(parts, catalogue, read_catalogue(database) if changes else catalogue)
    with database.transaction() as tx:
        _end_run(tx, database, record, "done")
        _write_rows(tx, outcome, effects)
        forget_attempts(tx, database, history, map(version_in, outcome.times))


class Ending(Value):
    """How an unfinished run ended, and what is known only to itself: durations, and what it was at (canonical version)."""

    result: str = "recovered"
    outcome: Outcome | None = None
    version: str | None = None
    attempt: Attempt | None = None


def _earlier_effects(database: Database, record: RunRecord) -> dict[str, Effects]:
    """Return what migrations that a run went on with had done to the schema before it."""
    keys = [item["key"] for item in record.plan if item["first"] > 1]
    return by_keys(database.read(queries.EFFECTS, keys=keys)) if keys else {}


def _write_rows(tx: neo4j.Transaction, outcome: Outcome | None, effects: Mapping[str, Effects]) -> None:
    """Write what only the end of a run tells of its migrations."""
    rows: dict[str, dict[str, Any]] = {key: each.values for key, each in effects.items()}
    for key, time in outcome.times.items() if outcome else ():
        rows.setdefault(key, {})["execution_time"] = time
    if rows:
        tx.run(queries.PUT_ROWS, rows=[[key, values] for key, values in rows.items()]).consume()


def _end_run(tx: neo4j.Transaction, database: Database, record: RunRecord, outcome: str) -> None:
    """Close the record."""
    tx.run(
        queries.END_RUN,
        ledger=ledger_key(database.settings.ledger),
        run=database.run,
        key=record.key,
        planned=[item["key"] for item in record.plan],
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
) -> list[RecoveredMigration]:
    """Complete the history of a run that did not finish: write what it had committed, in one transaction with its end.

    Without ``ending`` it is a run that died, and indexes that it left populating are waited for. A run that ends itself leaves
    its record open then, for the next one. Raises HistoryMismatch where its fate cannot be read, MigrationFailed
    (GM506) where an index still populates after ``index_timeout`` seconds, UsageError (GM610) where a verdict is DONE and
    the run did not come so far.
    """
    record = read_run_record(database, history.record) if history.record else None
    if record is None:
        return []
    found = {item["key"]: _planned(item, database, history, files, read) for item in record.plan}

    def migration_of(item: Mapping[str, Any]) -> Migration | None:
        return found[item["key"]]

    # before the record is closed: a run that dies in between finds everything again
    catalogue = _catalogue_to_judge_by(database, record, history, migration_of, None if ending else listen)
    if catalogue is None:
        return []
    ending = ending or Ending()
    recovered = replay(record, history, catalogue, migration_of, verdicts)
    _refuse_unused(verdicts, recovered)
    parts = _parts(record, history, recovered, migration_of, _earlier_effects(database, record))
    effects = effects_of(parts, Catalogue.from_json(record.catalogue), catalogue)
    _write_down(database, history, record, recovered, ending, effects)
    return recovered


def _write_down(
    database: Database,
    history: History,
    record: RunRecord,
    recovered: Sequence[RecoveredMigration],
    ending: Ending,
    effects: Mapping[str, Effects],
) -> None:
    """Write what was recovered, and close the record, in one transaction."""
    applied = [*_finished(record, history), *(each.key for each in recovered if each.complete)]
    versions = [version_in(key) for key in applied]
    ranks = count(history.top_rank + 1)
    steps = [_step(each, record, database, ranks) for each in recovered]
    with database.transaction() as tx:
        write_steps(tx, steps, record.run)
        _end_run(tx, database, record, ending.result)
        _write_rows(tx, ending.outcome, effects)
        if ending.attempt and ending.version and ending.version not in versions:
            record_attempt(tx, database, ending.version, ending.attempt)
        forget_attempts(tx, database, history, versions)


def _planned(
    item: Mapping[str, Any],
    database: Database,
    history: History,
    files: MigrationFolder,
    read: Callable[[MigrationFile], Migration],
) -> Migration | None:
    """Return the migration of an item as its file stands, or the way back of it; None where it cannot be told any more."""
    version = Version.parse(item["version"])
    if item["type"] == UNDO:
        return way_back(database, history, item["key"], files, read)
    file = next((each for each in files_for(files, history) if each.version == version), None)
    return read(file) if file else None


def _parts(
    record: RunRecord,
    history: History,
    recovered: Iterable[RecoveredMigration],
    read: Callable[[Mapping[str, Any]], Migration | None],
    earlier: Mapping[str, Effects],
) -> Iterator[Part]:
    """Yield what a run without an end committed of each migration, its row or the catalogue being the witness."""
    steps = {row.key: row.step for row in history.by_key.values() if row.run == record.run}
    steps |= {each.key: each.step for each in recovered}
    for item in record.plan:
        key, first = item["key"], item["first"]
        if key in steps and item["type"] != UNDO:
            migration = read(item)
            same = migration is not None and migration.file.checksum == item["checksum"]
            segments = segments_of(migration, item["committed"], first - 1) if migration and same else None
            done = segments and segments[: max(0, steps[key] - first + 1)]
            yield Part(key, item["committed"], done, earlier.get(key) if first > 1 else Effects())


def _finished(record: RunRecord, history: History) -> list[str]:
    """Return the keys that a run had brought to their end, in their order."""
    planned = {item["key"] for item in record.plan}
    found = [row for row in history.by_key.values() if row.key in planned and row.complete]
    return [row.key for row in sorted(found, key=lambda row: (row.rank, row.version))]


def _step(recovered: RecoveredMigration, record: RunRecord, database: Database, ranks: Iterator[int]) -> Step:
    """Return the commit that writes what a migration has come to."""
    row = recovered.row
    changes = progress(
        recovered.migration.file.checksum, recovered.step, recovered.steps, recovered.statements, record.run
    )
    number, name = (row.commits + 1 if row else 1), recovered.version.name
    if row is None:
        changes |= first_row(recovered.migration, database, next(ranks))
    return Step(recovered.key, number, changes, name)


def _refuse_unused(verdicts: Mapping[Version, str], recovered: Iterable[RecoveredMigration]) -> None:
    """RERUN is true wherever the run stopped, DONE only where the walk came to that version."""
    came_to = {each.version for each in recovered}
    for version in sorted(verdicts):
        if verdicts[version] == DONE and version not in came_to:
            raise UsageError(
                f"--done {version.name}: nothing shows that the run that died came to it. Nothing was changed.",
                hint="Leave it out, and graphmigrate migrate applies it; or, if it is complete, "
                "say --done for the versions before it too.",
                code="GM610",
            )


def first_unfinished(database: Database, history: History) -> Version | None:
    """Return the first version that a run without an end has not completed; None where every run ended."""
    record = read_run_record(database, history.record) if history.record else None
    if record is None:
        return None
    done = {row.key for row in history.by_key.values() if row.complete}
    planned = [Version.parse(item["version"]) for item in record.plan]
    unsure = (Version.parse(item["version"]) for item in record.plan if item["key"] not in done)
    return next(unsure, planned[-1])


def verdicts_of(
    database: Database, history: History, wanted: Mapping[str, set[Version]]
) -> dict[Version, str]:
    """Choose, of the versions a person named, those that belong to a run that died and were not announced singly."""
    record = read_run_record(database, history.record) if history.record else None
    items = {Version.parse(item["version"]): item["key"] for item in record.plan} if record else {}
    planned = {version for version in items if record and not was_skipped(record, history, version)}
    announced = {
        version
        for version, row in history.rows.items()
        if (row.intent or row.complete) and row.key == items.get(version)
    }
    open_ones = planned - announced
    return {version: word for word in (RERUN, DONE) for version in sorted(wanted[word] & open_ones)}


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
    read: Callable[[Mapping[str, Any]], Migration | None],
    listen: Listener | None,
) -> Catalogue | None:
    """Return the catalogue when every index is decided, without what cannot stay; None where that takes too long to wait.

    A run that ends itself does not listen, and waits a moment only. What made a FAILED index was not recorded: it goes.
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


def _targets(
    plan: tuple[dict[str, Any], ...], read: Callable[[Mapping[str, Any]], Migration | None]
) -> list[SchemaObject]:
    """Return everything that the planned migrations create."""
    migrations = map(read, plan)
    segments = (segment for migration in migrations if migration for segment in segments_of(migration))
    return [action.target for segment in segments for action in segment.actions if action.target]
