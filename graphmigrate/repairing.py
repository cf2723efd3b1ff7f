"""Baseline and repair: deliberate changes of the history, for the versions that a person names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from graphmigrate import plan
from graphmigrate.errors import UsageError
from graphmigrate.events import Listener, Notice, ignore
from graphmigrate.history import COMPLETE, FORGOTTEN
from graphmigrate.results import BaselineResult, RepairAction, State
from graphmigrate.segments import segments_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphmigrate.database.connection import Database
    from graphmigrate.history import History
    from graphmigrate.plan import Entry
    from graphmigrate.project.model import Migration, MigrationFile, MigrationFolder
    from graphmigrate.project.versions import Version

Reader: TypeAlias = "Callable[[MigrationFile], Migration]"

_RESOLUTIONS = {
    State.CHANGED: ("its file was edited after it was applied", "accept"),
    State.MISSING: ("its file is missing", "forget"),
}


def findings(files: MigrationFolder, history: History) -> tuple[RepairAction, ...]:
    """Name every disagreement that ``repair`` can resolve."""
    actions = []
    for entry in plan.compare(files.files, history):
        if entry.state in _RESOLUTIONS:
            finding, word = _RESOLUTIONS[entry.state]
            actions.append(_action(entry, finding, f"graphmigrate repair --{word} {entry.name}"))
        elif entry.row is not None and entry.row.intent:
            resolution = f"graphmigrate repair --rerun {entry.name} or --done {entry.name}"
            actions.append(
                _action(entry, "interrupted inside a statement that commits by itself", resolution)
            )
    return tuple(actions)


def _action(entry: Entry, finding: str, resolution: str, *, done: bool = False) -> RepairAction:
    return RepairAction(entry.version.text, entry.description, finding, resolution, done)


def resolve(
    database: Database,
    files: MigrationFolder,
    history: History,
    wanted: Mapping[str, set[Version]],
    read: Reader,
    listen: Listener = ignore,
) -> tuple[RepairAction, ...]:
    """Resolve the named versions, all in one transaction; raises UsageError where a name does not fit its state."""
    from graphmigrate.database import queries

    entries = {entry.version: entry for entry in plan.compare(files.files, history)}
    changes: list[tuple[str, dict[str, Any]]] = []
    actions: list[RepairAction] = []
    for word, versions in wanted.items():
        for version in sorted(versions):
            entry = entries.get(version)
            change = _CHANGES[word](entry, read) if entry is not None else None
            if entry is None or entry.row is None or change is None:
                raise _unfit(word, version, entry)
            changes.append((entry.row.key, change))
            actions.append(_action(entry, _DONE[word], f"--{word}", done=True))
    for action in actions:
        listen(Notice(f"{action.resolution} V{action.version}: {action.finding}."))
    with database.transaction() as tx:
        for key, change in changes:
            tx.run(queries.PUT_ROW, key=key, changes=change).consume()
    return tuple(actions)


def settled_action(version: Version, word: str) -> RepairAction:
    """Tell that a run that died was settled by a person's word."""
    return RepairAction(version.text, "", _SETTLED[word], f"--{word}", done=True)


def _accept(entry: Entry, _: Reader) -> dict[str, Any] | None:
    return {"checksum": entry.file.checksum} if entry.state is State.CHANGED and entry.file else None


def _forget(entry: Entry, _: Reader) -> dict[str, Any] | None:
    """Forget what has no file: also a baseline given by mistake, which would cover every version up to it."""
    marker = entry.file is None and entry.row is not None and entry.row.checksum is None
    return {"state": FORGOTTEN} if marker or entry.state is State.MISSING else None


def _rerun(entry: Entry, _: Reader) -> dict[str, Any] | None:
    return {"intent": None} if entry.row and entry.row.intent else None


def _done(entry: Entry, read: Reader) -> dict[str, Any] | None:
    if entry.row is None or not entry.row.intent or entry.file is None:
        return None
    segments = segments_of(read(entry.file))
    step = entry.row.intent
    checksums = [each.checksum for each in segments[:step]]
    complete = {"state": COMPLETE} if step >= len(segments) else {}
    return {"intent": None, "step": step, "batches": 0, "segments": checksums} | complete


_CHANGES = {"accept": _accept, "forget": _forget, "rerun": _rerun, "done": _done}
_DONE = {
    "accept": "the file's new text was accepted",
    "forget": "the history forgot it",
    "rerun": "the interrupted statement will run again",
    "done": "the interrupted statement counts as complete",
}
_SETTLED = {
    "rerun": "what the run that died left of it counts as not applied; the next migrate runs it",
    "done": "what the run that died left of it counts as complete",
}
_FITS = {
    "accept": "an applied migration whose file was edited",
    "forget": "a version in the history that has no file",
    "rerun": "a migration interrupted inside a statement that commits by itself",
    "done": "a migration interrupted inside a statement that commits by itself",
}


def _unfit(word: str, version: Version, entry: Entry | None) -> UsageError:
    state = f"it is {entry.state.value}" if entry else "there is no such version"
    return UsageError(
        f"--{word} V{version.text}: that is for {_FITS[word]}; {state}. Nothing was changed.",
        hint="graphmigrate repair, without versions, lists what can be resolved and how.",
        code="GM610",
    )


def baseline(database: Database, files: MigrationFolder, history: History, limit: Version) -> BaselineResult:
    """Commit a row for every version up to ``limit`` that has none, files or not, without running anything."""
    entries = [
        entry
        for entry in plan.compare(files.files, history)
        if entry.file and entry.row is None and entry.version <= limit and entry.state is not State.APPLIED
    ]
    rows = [
        _baseline_row(entry.version, database, history, rank, entry.file)
        for rank, entry in enumerate(entries, 1)
    ]
    if limit not in history.rows and all(entry.version != limit for entry in entries):
        rows.append(_baseline_row(limit, database, history, len(rows) + 1, None))
    _write_rows(database, rows)
    return BaselineResult(tuple(row["version"] for row in rows))


def _baseline_row(
    version: Version, database: Database, history: History, number: int, file: MigrationFile | None
) -> dict[str, Any]:
    """Give the row of a version that is marked as there already; without a file all up to it count as applied."""
    from graphmigrate.database.ledger import now

    return {
        "key": history.next_key(database.settings.ledger, version),
        "version": version.text,
        "type": "baseline",
        "description": file.description if file else "baseline",
        "checksum": file.checksum if file else None,
        "source": file.name if file else None,
        "state": COMPLETE,
        "step": 1,
        "steps": 1,
        "batches": 0,
        "installed_on": now(),
        "installed_by": database.user,
        "run": database.run,
        "rank": history.top_rank + number,
    }


def _write_rows(database: Database, rows: list[dict[str, Any]]) -> None:
    """Commit new rows together."""
    from graphmigrate.database import queries

    if rows:
        with database.transaction() as tx:
            tx.run(queries.CREATE_ROWS, rows=rows).consume()
