"""First use: the constraints on the bookkeeping nodes, made by whichever runner comes first."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from neo4j.exceptions import Neo4jError

from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.catalogue import drop_entries, made_unique, read_catalogue, unique_keys
from graphmigrate.database.connection import PREPARE
from graphmigrate.database.failures import DriverFailure, code_of
from graphmigrate.database.records import DAMAGE_HINT
from graphmigrate.database.transactions import await_no_work, is_any_terminated
from graphmigrate.errors import HistoryMismatch, Problem, Severity
from graphmigrate.schema.model import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphmigrate.database.catalogue import Key
    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History

_FIRST_USE_SECONDS = 60.0
_SURELY_LEFT_BEHIND = 10.0
_LOSSES = 3
_NEVER = (
    "Neo.ClientError.Security",
    "Neo.ClientError.Statement.SyntaxError",
    "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
    "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase",
)


def prepare_ledger(database: Database, *, repairing: bool = False) -> None:
    """Make the ledger's constraints where they are missing.

    Racing runners meet deadlocks and "already exists" of several codes, so the catalogue decides: no error code does, nor a
    COMMIT that succeeded, since the connection may have been closed (decision 0006). Raises HistoryMismatch (GM611) where
    another constraint has the name of one.
    """
    backoff = Backoff(longest=0.4, seconds=database.settings.stale_after + _FIRST_USE_SECONDS)
    missing, losses = constraints_to_make(database), 0
    while missing:
        try:
            with _impatiently(database):
                _make_constraints(database, missing)
            missing = constraints_to_make(database)
            _refuse_taken_names(database, missing)
        except DriverFailure as error:
            if _hold_duplicates(database, missing):
                if repairing and queries.LOCK not in {label for label, _ in missing.values()}:
                    return  # what repairs them makes the constraint afterwards
                if not repairing:
                    raise _duplicated(database) from error
            losses += not isinstance(error, Neo4jError) or code_of(error).endswith("NotALeader")
            of_no_use = losses > _LOSSES or code_of(error).startswith(_NEVER)
            if of_no_use or not backoff.pause():
                raise
            with suppress(*DriverFailure):  # others may end this, too, or be faster: it is judged anew
                if backoff.waited > _SURELY_LEFT_BEHIND:
                    _drop_what_was_left_behind(database, missing)
                missing = constraints_to_make(database)


def missing_constraints(database: Database, history: History) -> list[Problem]:
    """Warn of each constraint of ours that something else has dropped from a ledger that is in use.

    Who may not see constraints is not warned.
    """
    if not history.initialised:
        return []
    try:
        missing = constraints_to_make(database)
    except DriverFailure as error:
        if code_of(error).startswith("Neo.ClientError.Security"):
            return []
        raise
    return [
        Problem(
            "GM612",
            f"The constraint {name} is missing: graphmigrate's own nodes could be there twice.",
            "The next run that has something to do makes it again. To make it now: graphmigrate repair --restore ledger",
            severity=Severity.WARNING,
        )
        for name in missing
    ]


def _make_constraints(database: Database, names: Iterable[str]) -> None:
    """Make them together; where two nodes of ours have one key, at least the lock's."""
    try:
        with database.transaction(PREPARE) as tx:
            for name in names:
                tx.run(queries.LEDGER_CONSTRAINTS[name]).consume()
    except DriverFailure as error:
        if not code_of(error).endswith("ConstraintCreationFailed"):
            raise
        with database.transaction(PREPARE) as tx:
            tx.run(queries.LEDGER_CONSTRAINTS["__graphmigrate_lock_key"]).consume()
        raise


def _hold_duplicates(database: Database, missing: Mapping[str, Key]) -> bool:
    return any(label == queries.OWN for label, _ in missing.values()) and bool(
        database.read(queries.DUPLICATES)
    )


def _duplicated(database: Database) -> HistoryMismatch:
    found = database.read(queries.DUPLICATES)
    keys = ", ".join(f"{record['key']!r} ({record['times']} nodes)" for record in found[:5])
    return HistoryMismatch(
        f"The constraint on graphmigrate's nodes was dropped, and since then nodes were doubled: {keys}.",
        hint=DAMAGE_HINT,
        code="GM612",
    )


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
    if is_any_terminated(database):
        return
    indexes = read_catalogue(database).indexes.values()
    drop_entries(
        database, [each for each in indexes if each.name in set(missing) and not each.owner], PREPARE
    )


def constraints_to_make(database: Database) -> dict[str, Key]:
    """Return by name what is not kept unique; a constraint of another name will do, since a restored dump may have chosen it."""
    unique = unique_keys(database)
    wanted = {name: (label, frozenset({"key"})) for name, label in queries.LEDGER_LABELS.items()}
    return {name: key for name, key in wanted.items() if key not in unique}


def _refuse_taken_names(database: Database, missing: Mapping[str, Key]) -> None:
    """Say whose name is in the way: CREATE CONSTRAINT … IF NOT EXISTS does nothing then, and does not say so."""
    constraints = read_catalogue(database).constraints if missing else {}
    for name in filter(constraints.__contains__, missing):
        taken = constraints[name].object
        if missing[name] not in made_unique(taken):  # else it was made just now
            raise HistoryMismatch(
                f"graphmigrate's own constraint {name} cannot be made: {describe(taken)} has this name.",
                hint=f"Nobody else needs such a name: DROP CONSTRAINT {name}, then run again.",
                code="GM611",
            )
