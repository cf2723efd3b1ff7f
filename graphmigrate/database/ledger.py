"""The ledger: first use, the history as values, and every row that a run writes."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from neo4j.exceptions import Neo4jError

from graphmigrate.database import queries
from graphmigrate.database.connection import PREPARE
from graphmigrate.database.failures import DriverFailure, code_of
from graphmigrate.database.history import (
    COMPLETE,
    STARTED,
    Attempt,
    History,
    HistoryRow,
    RunRecord,
    history_of,
)
from graphmigrate.database.transactions import await_no_work, is_any_terminated
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import neo4j

    from graphmigrate.database.catalogue import Key
    from graphmigrate.database.connection import Database

FORMAT = 2
_FIRST_USE_SECONDS = 60.0
_SURELY_LEFT_BEHIND = 10.0
_LOSSES = 3
_NEVER = (
    "Neo.ClientError.Security",
    "Neo.ClientError.Statement.SyntaxError",
    "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
    "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase",
)
_ROWS_AT_ONCE = 25
_NAMES = [
    *("key", "version", "description", "type", "checksum", "state", "step", "steps"),
    *("installed_by", "run", "intent", "batches", "segments", "rank"),
    *("format", "head", "record"),
    *("outcome", "reason"),
    "language",
]
_OF_OWNER, _OF_ATTEMPT, _RUN, _LANGUAGE = slice(14, 17), slice(17, 19), 9, 19


def prepare_ledger(database: Database) -> None:
    """Make the ledger's constraints where they are missing.

    Racing runners meet deadlocks and "already exists" of several codes, so the catalogue decides: no error code does, nor a
    COMMIT that succeeded, since the connection may have been closed (decision 0006). Raises HistoryMismatch (GM611) where
    another constraint has the name of one.
    """
    began = time.monotonic()
    deadline = began + database.settings.stale_after + _FIRST_USE_SECONDS
    missing, losses = _missing_constraints(database), 0
    while missing:
        try:
            with _impatiently(database):
                _make_constraints(database, missing)
            missing = _missing_constraints(database)
            _refuse_taken_names(database, missing)
        except DriverFailure as error:
            losses += not isinstance(error, Neo4jError) or code_of(error).endswith("NotALeader")
            of_no_use = losses > _LOSSES or code_of(error).startswith(_NEVER)
            if of_no_use or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.02, 0.25))  # noqa: S311 - jitter
            with suppress(*DriverFailure):  # others may end this, too, or be faster: it is judged anew
                if time.monotonic() > began + _SURELY_LEFT_BEHIND:
                    _drop_what_was_left_behind(database, missing)
                missing = _missing_constraints(database)


def _make_constraints(database: Database, names: Iterable[str]) -> None:
    with database.transaction(PREPARE) as tx:
        for name in names:
            tx.run(queries.LEDGER_CONSTRAINTS[name]).consume()


@contextmanager
def _impatiently(database: Database) -> Iterator[None]:
    """End what keeps others from making the constraints, once they waited ``stale_after`` seconds: a runner that was stopped.

    There is no lock yet by which it would be found, and Neo4j gives no time limit to a transaction that changes the schema.
    """
    done = Event()

    def watch() -> None:
        while not done.wait(database.settings.stale_after):
            with suppress(*DriverFailure):  # without the right to end it, waiting is all there is
                await_no_work(database, lambda metadata: metadata.get("run") != database.run, (PREPARE,))

    Thread(target=watch, name="graphmigrate-first-use", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _drop_what_was_left_behind(database: Database, missing: Iterable[str]) -> None:
    """Drop the indexes that a server killed inside CREATE CONSTRAINT left; a living runner's would be gone by now."""
    from graphmigrate.database.catalogue import drop_entries, read_catalogue

    if is_any_terminated(database):
        return
    indexes = read_catalogue(database).indexes.values()
    drop_entries(
        database, [each for each in indexes if each.name in set(missing) and not each.owner], PREPARE
    )


def _missing_constraints(database: Database) -> dict[str, Key]:
    """Return by name what is not kept unique; a constraint of another name will do, since a restored dump may have chosen it."""
    from graphmigrate.database.catalogue import unique_keys

    unique = unique_keys(database)
    wanted = {name: (label, frozenset({"key"})) for name, label in queries.LEDGER_LABELS.items()}
    return {name: key for name, key in wanted.items() if key not in unique}


def _refuse_taken_names(database: Database, missing: Mapping[str, Key]) -> None:
    """Say whose name is in the way: CREATE CONSTRAINT … IF NOT EXISTS does nothing then, and does not say so."""
    from graphmigrate.database.catalogue import made_unique, read_catalogue
    from graphmigrate.schema.render import describe

    constraints = read_catalogue(database).constraints if missing else {}
    for name in filter(constraints.__contains__, missing):
        taken = constraints[name].object
        if missing[name] not in made_unique(taken):  # else it was made just now
            raise HistoryMismatch(
                f"graphmigrate's own constraint {name} cannot be made: {describe(taken)} has this name.",
                hint=f"Nobody else needs such a name: DROP CONSTRAINT {name}, then run again.",
                code="GM611",
            )


@contextmanager
def asked_history(database: Database) -> Iterator[Callable[[], History]]:
    """Ask for the whole history in one round trip; what is yielded gives it, while the server collects it the block may work.

    It raises HistoryMismatch where a newer format is found.
    """
    ledger = database.settings.ledger
    with database.asking(queries.HISTORY, ledger=ledger, names=_NAMES) as result:
        yield lambda: _history(ledger, next(result)["rows"])


def read_history(database: Database) -> History:
    """Read the whole history. Raises HistoryMismatch where a newer format is found."""
    with asked_history(database) as answer:
        return answer()


def _history(ledger: str, rows: list[list[Any]]) -> History:
    prefix, attempts = f"{ledger}/migration/", attempt_key(ledger, "")
    owner = next((row for row in rows if row[0] == ledger_key(ledger)), None)
    form, head, record = owner[_OF_OWNER] if owner else (None, None, None)
    if (form or 0) > FORMAT:
        raise HistoryMismatch(
            f"This database's history was written by a newer graphmigrate (format {form}).",
            hint="Update graphmigrate: pip install --upgrade graphmigrate",
            code="GM609",
        )
    return history_of(
        (_history_row(row) for row in rows if row[0].startswith(prefix)),
        attempts={row[1]: _attempt(row) for row in rows if row[0].startswith(attempts)},
        initialised=owner is not None,
        head=head,
        record=record,
    )


def _attempt(row: list[Any]) -> Attempt:
    outcome, reason = row[_OF_ATTEMPT]
    return Attempt(outcome, reason, row[_RUN])


def _history_row(row: list[Any]) -> HistoryRow:
    key, version, description, kind, checksum, state, step, steps = row[:8]
    by, run, intent, batches, segments, rank = row[8:14]
    moment, took = row[-2:]
    return HistoryRow(
        key,
        Version.parse(version),
        description,
        kind,
        checksum,
        state,
        step,
        steps,
        None if moment is None else datetime.fromtimestamp(moment / 1000, UTC),
        by,
        None if took is None else timedelta(microseconds=took),
        run,
        intent,
        batches or 0,
        tuple(segments or ()),
        rank or 0,
        row[_LANGUAGE],
    )


def read_run_record(database: Database, key: str) -> RunRecord | None:
    """Read the record of a run that has not ended."""
    import json

    for record in database.read(queries.RUN_RECORD, key=key):
        since = record["since"].to_native() if record["since"] else None
        plan = tuple(json.loads(record["plan"]))
        return RunRecord(
            record["key"], record["run"], record["host"], record["user"], since, plan, record["catalogue"]
        )
    return None


class RowWrite(NamedTuple):
    """One pending write of a row: a CREATE (``step`` None) or an advance from ``step`` and ``batches``."""

    key: str
    step: int | None
    batches: int
    values: dict[str, Any]


@dataclass(slots=True)
class Journal:
    """Collects the rows of schema segments until a transaction that may write takes them along.

    A schema transaction cannot write data (Cypher Manual, "Constraints"), so its row follows it: in the next data
    transaction, or in one of their own. Writes of one row are folded into one.
    """

    database: Database
    pending: dict[str, RowWrite] = field(default_factory=dict)

    def stage(self, write: RowWrite) -> None:
        """Keep a write for the next transaction."""
        self.pending[write.key] = self.folded(write)

    def folded(self, write: RowWrite) -> RowWrite:
        """Join a write with the pending one of the same row."""
        before = self.pending.get(write.key)
        return write if before is None else before._replace(values=before.values | write.values)

    def write(self, tx: neo4j.Transaction, own: RowWrite | None = None) -> None:
        """Write everything pending and ``own``. Raises StepTaken where a row is not where it should be."""
        writes = self.pending | ({own.key: self.folded(own)} if own else {})
        created = [write.values for write in writes.values() if write.step is None]
        for first in range(0, len(created), _ROWS_AT_ONCE):
            rows = {f"row{number}": row for number, row in enumerate(created[first : first + _ROWS_AT_ONCE])}
            tx.run(queries.create_rows(rows), rows).consume()
        for write in writes.values():
            if write.step is not None:
                _advance(tx, write)


class StepTaken(Exception):
    """A row is not at the step where this write starts: somebody, perhaps this run itself, committed it already."""


def _advance(tx: neo4j.Transaction, write: RowWrite) -> None:
    found = list(
        tx.run(queries.ADVANCE, key=write.key, step=write.step, batches=write.batches, changes=write.values)
    )
    if len(found) != 1:
        raise StepTaken(write.key)


def new_row(
    key: str, version: Version, *, description: str, source: str, user: str, rank: int, language: str
) -> dict[str, Any]:
    """Return the properties that a row keeps from its first step on."""
    return {
        "key": key,
        "version": version.text,
        "description": description,
        "type": "cypher",
        "source": source,
        "installed_by": user,
        "language": language,
        "rank": rank,
    }


def progress(checksum: str, step: int, segments: Sequence[str], run: str, *, touched: int) -> dict[str, Any]:
    """Give the properties of a row at ``step``; ``segments`` are all checksums, of which ``touched`` took effect."""
    done = step >= len(segments)
    changes = {
        "step": step,
        "steps": len(segments),
        "state": COMPLETE if done else STARTED,
        "checksum": checksum,
        "batches": 0,
        "run": run,
        "installed_on": now(),
    }
    several = len(segments) > 1 or not done
    return changes | ({"segments": list(segments[:touched])} if several else {})


def now() -> datetime:
    """Give the moment, with its zone, as it is stored."""
    return datetime.now(UTC)


def ledger_key(ledger: str) -> str:
    """``<ledger>/ledger``: the node that says which run owns the ledger."""
    return f"{ledger}/ledger"


def attempt_key(ledger: str, version: str) -> str:
    """``<ledger>/attempt/<canonical version>``: only the last attempt that was skipped or failed is kept."""
    return f"{ledger}/attempt/{version}"


def record_attempt(tx: neo4j.Transaction, database: Database, version: str, attempt: Attempt) -> None:
    """Remember why a migration was not applied; it informs people, and decides nothing."""
    tx.run(
        queries.ATTEMPT,
        key=attempt_key(database.settings.ledger, version),
        version=version,
        outcome=attempt.outcome,
        reason=attempt.reason,
        run=database.run,
    ).consume()


def forget_attempts(
    tx: neo4j.Transaction, database: Database, history: History, versions: Iterable[str]
) -> None:
    """Delete what is known of former attempts at migrations that are applied now."""
    gone = sorted(history.attempts.keys() & set(versions))
    if gone:
        keys = [attempt_key(database.settings.ledger, version) for version in gone]
        tx.run(queries.FORGET_ATTEMPTS, keys=keys).consume()
