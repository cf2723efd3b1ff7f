"""Clean: what this ledger's migrations made of the schema goes, and the ledger; on demand the data too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.database import queries
from graphmigrate.database.catalogue import drop_entries, read_catalogue
from graphmigrate.database.commit import until_known
from graphmigrate.database.connection import PREPARE
from graphmigrate.database.history import UNDO
from graphmigrate.database.transactions import transactions
from graphmigrate.errors import Problem, Severity, UsageError
from graphmigrate.migrations.apply import recover
from graphmigrate.migrations.effects import by_keys
from graphmigrate.migrations.model import Outcome
from graphmigrate.results import CleanResult
from graphmigrate.schema.reader import read_ddl

if TYPE_CHECKING:
    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.schema.model import CatalogueEntry, SchemaObject


def clean(workspace: Workspace, *, all_data: bool, dry_run: bool) -> CleanResult:
    """Drop and delete; or only return what would go. A clean that died is ended by the next one."""
    if workspace.settings.protected:
        raise UsageError(
            "This target is marked as protected in the configuration: it is not cleaned.",
            hint="If you mean it, take `protected` out of the configuration first.",
            code="GM530",
        )
    if dry_run:
        return _found(workspace, all_data=all_data, done=False)[0]
    database = workspace.database
    with workspace.locked(None, repairing=True) as lock:
        if workspace.history().record is not None:  # what a run that died made is to go too
            recover(workspace, lock, workspace.files(may_be_empty=True), Outcome())
        result, entries = _found(workspace, all_data=all_data, done=True)
        lock.doing("cleaning")
        for query in (queries.DELETE_RELATIONSHIPS, queries.DELETE_DATA) if all_data else ():
            while _delete(database, query):
                pass
        drop_entries(database, entries)
        _delete(database, queries.DELETE_LEDGER)
    _drop_own_constraints(database)
    return result


def _found(workspace: Workspace, *, all_data: bool, done: bool) -> tuple[CleanResult, list[CatalogueEntry]]:
    database, history = workspace.database, workspace.history()
    target, catalogue = workspace.target, read_catalogue(database)
    made, unknown = _made(database, history)
    there = ((each, catalogue.find(each)) for each in made)
    entries = [entry for each, entry in there if entry and entry.name == each.name]
    names = [(each.name, each.object.type.is_constraint) for each in entries]
    counts = database.read(queries.COUNT_CLEAN, prefix=f"{database.settings.ledger}/")[0]
    problems = tuple(
        Problem(
            "GM610",
            f"What {name} made of the schema was not recorded; it stays.",
            "Look at SHOW CONSTRAINTS and SHOW INDEXES, and drop what is not wanted.",
            severity=Severity.WARNING,
        )
        for name in unknown
    )
    result = CleanResult(
        target,
        tuple(name for name, is_constraint in names if is_constraint),
        tuple(name for name, is_constraint in names if not is_constraint),
        counts["records"],
        counts["nodes"] if all_data else None,
        counts["relationships"] if all_data else None,
        done,
        problems,
    )
    return result, entries


def _made(database: Database, history: History) -> tuple[list[SchemaObject], list[str]]:
    """Return what the applied migrations made and left there, and which of them recorded nothing."""
    undone = {row.key.replace("/migration-undo/", "/migration/") for row in history.undone.values()}
    rows = sorted(
        (
            row
            for row in history.by_key.values()
            if row.type not in {UNDO, "baseline"} and row.key not in undone
        ),
        key=lambda row: row.rank,
    )
    effects = by_keys(database.read(queries.EFFECTS, keys=[row.key for row in rows]))
    made: dict[str, SchemaObject] = {}
    for row in rows:
        for create in effects[row.key].dropped if row.key in effects else ():
            action = read_ddl(create)
            made.pop((action and action.name) or "", None)
        for each in effects[row.key].made if row.key in effects else ():
            made[each.object.name or ""] = each.object
    return list(made.values()), [row.version.name for row in rows if row.key not in effects]


def _delete(database: Database, query: str) -> int:
    """Delete one batch; return how many there were."""
    found = [0]

    def attempt() -> None:
        with database.transaction() as tx:
            found[0] = tx.run(query, ledger=database.settings.ledger).single(strict=True)["deleted"]

    until_known(database, attempt)
    return found[0]


def _drop_own_constraints(database: Database) -> None:
    """Drop our constraints where nothing is left that needs them: no node of ours, and no run that began meanwhile."""
    others = [each for each in transactions(database) if each["metadata"].get("run") != database.run]
    if others or database.read(queries.ANY_OURS):
        return
    catalogue = read_catalogue(database)
    names = filter(catalogue.constraints.__contains__, queries.LEDGER_CONSTRAINTS)
    drop_entries(database, [catalogue.constraints[name] for name in names], PREPARE)
