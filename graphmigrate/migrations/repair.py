"""Baseline and repair: deliberate changes of the history, for the versions that a person names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from graphmigrate.database.history import COMPLETE, FORGOTTEN
from graphmigrate.errors import HistoryMismatch, UsageError
from graphmigrate.events import Listener, Notice, ignore
from graphmigrate.migrations import plan
from graphmigrate.migrations.segments import segments_of
from graphmigrate.results import BaselineResult, RepairAction, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History
    from graphmigrate.database.version import Version
    from graphmigrate.errors import Problem
    from graphmigrate.migrations.model import Migration, MigrationFile, MigrationFolder
    from graphmigrate.migrations.plan import Entry

Reader: TypeAlias = "Callable[[MigrationFile], Migration]"

_RESOLUTIONS = {
    State.CHANGED: ("its file was edited after it was applied", "accept"),
    State.MISSING: ("its file is missing", "forget"),
}


class Change(NamedTuple):
    """What a person's word changes of one row."""

    key: str
    values: dict[str, Any]
    action: RepairAction


def findings(files: MigrationFolder, history: History, read: Reader) -> tuple[RepairAction, ...]:
    """Name every disagreement of history and files that stops ``migrate``, with what resolves it."""
    entries = plan.compare(files.files, history)
    lost = plan.lost_files(entries)
    if lost:
        first = next(entry for entry in entries if entry.state is State.MISSING)
        return (_action(first, lost.message, lost.hint or ""),)
    renamed = plan.renames(entries)
    found = (_finding(entry, plan.mismatch(entry, history, renamed), renamed, read) for entry in entries)
    told = (each or _announced(entry, history) for each, entry in zip(found, entries, strict=True))
    return tuple(each for each in told if each)


def _finding(
    entry: Entry, problem: Problem | None, renamed: Mapping[Version, MigrationFile], read: Reader
) -> RepairAction | None:
    if entry.state in _RESOLUTIONS and entry.version not in renamed:
        finding, word = _RESOLUTIONS[entry.state]
        return _action(entry, finding, f"graphmigrate repair --{word} {entry.name}")
    problem = problem or _edited_part(entry, read)
    if problem:
        return _action(entry, problem.message, problem.hint or "")
    return None


def _announced(entry: Entry, history: History) -> RepairAction | None:
    """Tell of a statement whose end is unknown; while a run has not ended, it may be at work inside it (``unsettled``)."""
    if history.record is None and entry.row is not None and entry.row.intent:
        resolution = f"graphmigrate repair --rerun {entry.name} or --done {entry.name}"
        return _action(entry, "interrupted inside a statement that commits by itself", resolution)
    return None


def _edited_part(entry: Entry, read: Reader) -> Problem | None:
    """Say what was edited of the part of an interrupted migration that took effect."""
    if entry.state is not State.INTERRUPTED or entry.row is None or entry.file is None:
        return None
    migration = read(entry.file)
    return plan.edited_part(plan.Task(migration, segments_of(migration), entry.row.key, entry.row), entry.row)


def unsettled(version: Version) -> RepairAction:
    """Tell that a run is at work or died; ``version`` is the first that it has not completed."""
    return RepairAction(
        version.text,
        "",
        "a run that means to apply it is at work, or died and is not settled",
        "graphmigrate migrate waits for it or completes its history; where that stops for GM606 or GM607, "
        "say --rerun or --done of the version it names",
    )


def _action(entry: Entry, finding: str, resolution: str, *, done: bool = False) -> RepairAction:
    return RepairAction(entry.version.text, entry.description, finding, resolution, done)


def refuse_two_words(wanted: Mapping[str, set[Version]]) -> None:
    """Raise UsageError (GM610) where one version is named with two words."""
    said: dict[Version, str] = {}
    for word, versions in wanted.items():
        for version in sorted(versions):
            if version in said:
                raise UsageError(
                    f"V{version.text} is named with --{said[version]} and with --{word}. Nothing was changed.",
                    hint="Say one of them for each version.",
                    code="GM610",
                )
            said[version] = word


def changes(
    files: MigrationFolder, history: History, wanted: Mapping[str, set[Version]], read: Reader
) -> list[Change]:
    """Give what the words for these versions change.

    Raises UsageError (GM610) where one does not fit its version's state, HistoryMismatch (GM605) where the part to count as
    done is not in the file as it was.
    """
    entries = {entry.version: entry for entry in plan.compare(files.files, history)}
    found = []
    for word, versions in wanted.items():
        for version in sorted(versions):
            entry = entries.get(version)
            values = _CHANGES[word](entry, read) if entry is not None else None
            if entry is None or entry.row is None or values is None:
                raise _unfit(word, version, entry)
            found.append(Change(entry.row.key, values, _action(entry, _DONE[word], f"--{word}", done=True)))
    return found


def resolve(
    database: Database, chosen: Sequence[Change], listen: Listener = ignore
) -> tuple[RepairAction, ...]:
    """Commit what was chosen, all in one transaction."""
    from graphmigrate.database import queries

    actions = tuple(each.action for each in chosen)
    for action in actions:
        listen(Notice(f"{action.resolution} V{action.version}: {action.finding}."))
    if chosen:
        with database.transaction() as tx:
            for key, values, _ in chosen:
                tx.run(queries.PUT_ROW, key=key, changes=values).consume()
    return actions


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
    edited = _edited_part(entry, read)
    if edited:
        raise HistoryMismatch.of(edited)
    segments = segments_of(read(entry.file))
    step = entry.row.intent
    checksums = [each.checksum for each in segments[:step]]
    # what follows may have been edited or removed since
    complete = (
        {"state": COMPLETE, "steps": step, "checksum": entry.file.checksum} if step == len(segments) else {}
    )
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
