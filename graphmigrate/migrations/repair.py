"""Repair: deliberate changes of the history, for the versions that a person names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from graphmigrate.database import restore as damages
from graphmigrate.database.commit import Step, write_steps
from graphmigrate.database.first_use import missing_constraints, prepare_ledger
from graphmigrate.database.history import COMPLETE, name_in
from graphmigrate.database.ledger import read_nodes, refuse_other_format
from graphmigrate.database.records import item_of_row, record_change
from graphmigrate.database.restore import read_damage, ways
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch, UsageError
from graphmigrate.events import Listener, Notice, ignore
from graphmigrate.migrations import plan, standing
from graphmigrate.migrations.baseline import BASELINE, baseline
from graphmigrate.migrations.files import files_for
from graphmigrate.migrations.recovery import first_unfinished, recover, verdicts_of
from graphmigrate.results import RepairAction, RepairResult, State, version_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History, HistoryRow
    from graphmigrate.errors import Problem
    from graphmigrate.migrations.model import Migration, MigrationFile, MigrationFolder
    from graphmigrate.migrations.standing import Entry
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import BaselineResult

Reader: TypeAlias = "Callable[[MigrationFile], Migration]"

_RESOLUTIONS = {
    State.CHANGED: ("its file was edited after it was applied", "accept"),
    State.MISSING: ("its file is missing", "forget"),
}


class Change(NamedTuple):
    """What a person's word changes of one row; without ``values`` its node is deleted."""

    row: HistoryRow
    values: dict[str, Any]
    action: RepairAction


def findings(files: MigrationFolder, history: History, read: Reader) -> tuple[RepairAction, ...]:
    """Return every place where history and files differ that stops ``migrate``, with what resolves it."""
    entries = standing.compare(files_for(files, history), history)
    stranger = standing.lost_files(entries) or standing.other_project(entries)
    if stranger:
        first = next(entry for entry in entries if entry.row)
        return (_action(first, stranger.message, stranger.hint or ""),)
    renamed = standing.renames(entries)
    found = (_finding(entry, standing.mismatch(entry, history, renamed), renamed, read) for entry in entries)
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
    """Tell of a statement whose end is unknown; while a run has not ended, it may be at work inside it (``unfinished``)."""
    if history.record is None and entry.row is not None and entry.row.intent:
        resolution = f"graphmigrate repair --rerun {entry.name} or --done {entry.name}"
        return _action(entry, "interrupted inside a statement that commits by itself", resolution)
    return None


def _edited_part(entry: Entry, read: Reader) -> Problem | None:
    """Say what was edited of the part of an interrupted migration that took effect."""
    if entry.state not in standing.UNFINISHED or entry.row is None or entry.file is None:
        return None
    migration = read(entry.file)
    return plan.edited_part(plan.task_of(migration, entry.row.key, entry.row), entry.row)


def unfinished(version: Version) -> RepairAction:
    """Tell that a run is at work or died; ``version`` is the first that it has not completed."""
    return RepairAction(
        version.text,
        "",
        "a run that means to apply it is at work, or died",
        "graphmigrate migrate waits for it or completes its history; where that stops for GM606 or GM607, "
        "say --rerun or --done of the version it names",
    )


def _action(entry: Entry, finding: str, resolution: str, *, done: bool = False) -> RepairAction:
    return RepairAction(entry.version.text, entry.description, finding, resolution, done)


def show_damage(workspace: Workspace) -> tuple[RepairAction, ...]:
    """Name each node of the ledger that something else changed, with what leads out; nothing where all are sound."""
    nodes = read_nodes(workspace.database)
    refuse_other_format(nodes)
    found = ways(read_damage(workspace.database, nodes))
    return tuple(RepairAction(way.name.removeprefix("V"), "", way.finding, way.resolution) for way in found)


def show_constraints(workspace: Workspace) -> tuple[RepairAction, ...]:
    """Name each constraint on a sound ledger that something else dropped, with what makes it again."""
    missing = missing_constraints(workspace.database, workspace.history())
    resolution = f"graphmigrate repair --restore {damages.LEDGER}"
    return tuple(RepairAction(damages.LEDGER, "", each.message.rstrip("."), resolution) for each in missing)


def made_again(lost: Iterable[RepairAction]) -> tuple[RepairAction, ...]:
    """Tell that constraints were made again, as taking the lock does."""
    return tuple(each._replace(resolution="it was made again", done=True) for each in lost)


def restore(
    workspace: Workspace, names: Collection[str], forget: Collection[Version]
) -> tuple[RepairAction, ...]:
    """Restore what was named, and forget what cannot be restored; every name is checked before anything is committed.

    Raises UsageError (GM610) where a name has nothing to restore, or nothing proves it.
    """
    database = workspace.database
    damage = damages.read_damage(database, read_nodes(database))
    found = damages.ways(damage)
    wanted = {_canonical(name) for name in names}
    dropped = {_canonical(version.name) for version in forget}
    chosen = [way for way in found if _canonical(way.name) in wanted | dropped]
    for name in sorted(wanted - {_canonical(way.name) for way in found}):
        raise _nothing_to_restore(name, found)
    for way in chosen:
        if not way.proven and _canonical(way.name) in wanted:
            raise UsageError(
                f"--restore {way.name}: nothing proves what it was. Nothing was changed.",
                hint=f"{way.resolution}.",
                code="GM610",
            )
    kept = [
        way._replace(create=None, relabel=None) if _canonical(way.name) in dropped else way for way in chosen
    ]
    gone = [key for key in damage.missing if name_in(key) in dropped]
    damages.restore(database, damage, kept, gone)
    prepare_ledger(database, repairing=True)  # what was not named may still be there twice
    return tuple(
        RepairAction(
            way.name.removeprefix("V"), "", _RESTORED[_canonical(way.name) in dropped], "", done=True
        )
        for way in chosen
    )


_RESTORED = {False: "it was restored", True: "the history forgot it"}


def _canonical(name: str) -> str:
    return name if name == "ledger" else Version.parse(Version.parse(name).canonical).name


def _nothing_to_restore(name: str, found: Sequence[Any]) -> UsageError:
    known = ", ".join(sorted({way.name for way in found if way.proven}))
    return UsageError(
        f"--restore {name}: its node is as it must be, or there is none. Nothing was changed.",
        hint=f"What can be restored: {known}." if known else "graphmigrate repair shows what is wrong.",
        code="GM610",
    )


def clear_damage(workspace: Workspace) -> None:
    """Restore what can be proved, and remove the other damaged nodes: a baseline then says what is applied."""
    database = workspace.database
    damage = damages.read_damage(database, read_nodes(database))
    found = damages.ways(damage)
    if found:
        kept = {way.delete[0] for way in found if way.relabel}
        lost = [
            damages.Way(damages.LEDGER, "", "", (node.id,)) for node in damage.damaged if node.id not in kept
        ]
        damages.restore(database, damage, [*(way for way in found if way.proven), *lost])
        prepare_ledger(database)


def named(names: Iterable[str], history: Callable[[], History]) -> set[Version]:
    """Read versions; ``V1..V9`` are those of them that a baseline has marked."""
    found: set[Version] = set()
    for name in names:
        first, separator, last = name.partition("..")
        if separator:
            low, high = Version.parse(first), Version.parse(last)
            rows = history().rows.values()
            found.update(row.version for row in rows if row.type == BASELINE and low <= row.version <= high)
        else:
            found.add(Version.parse(name))
    return found


def refuse_two_words(wanted: Mapping[str, set[Version]]) -> None:
    """Raise UsageError (GM610) where one version is named with two words."""
    said: dict[Version, str] = {}
    for word, versions in wanted.items():
        for version in sorted(versions):
            if version in said:
                raise UsageError(
                    f"{version.name} is named with --{said[version]} and with --{word}. Nothing was changed.",
                    hint="Say one of them for each version.",
                    code="GM610",
                )
            said[version] = word


def changes(
    files: MigrationFolder, history: History, wanted: Mapping[str, set[Version]], read: Reader
) -> list[Change]:
    """Return what the words for these versions change.

    Raises UsageError (GM610) where one does not fit its version's state, HistoryMismatch (GM605) where the part to count as
    done is not in the file as it was.
    """
    entries = {entry.version: entry for entry in standing.compare(files_for(files, history), history)}
    found = []
    for word, versions in wanted.items():
        for version in sorted(versions):
            entry = entries.get(version)
            values = _CHANGES[word](entry, read) if entry is not None else None
            if entry is None or entry.row is None or values is None:
                raise _unfit(word, version, entry)
            found.append(Change(entry.row, values, _action(entry, _DONE[word], f"--{word}", done=True)))
    return found


def resolve(
    database: Database, history: History, chosen: Sequence[Change], listen: Listener = ignore
) -> tuple[RepairAction, ...]:
    """Commit what was chosen, all in one transaction."""
    actions = tuple(each.action for each in chosen)
    for action in actions:
        listen(Notice(f"{action.resolution} {version_name(action.version)}: {action.finding}."))
    if chosen:
        changed = [(each.row, each.values) for each in chosen if each.values]
        gone = [each.row.version for each in chosen if not each.values]
        forgotten = [key for version in gone for key in history.keys_of(database.settings.ledger, version)]
        steps = [Step(row.key, row.commits + 1, values, row.version.name) for row, values in changed]
        with database.transaction() as tx:
            write_steps(tx, steps, database.run)
            items = [
                item_of_row({**row._asdict(), "version": row.version.text, **values})
                for row, values in changed
            ]
            record_change(tx, database, "repair", items, forgotten)
    return actions


def recovered_action(version: Version, word: str) -> RepairAction:
    """Tell that a run that died was recovered by a person's word."""
    return RepairAction(version.text, "", _RECOVERED[word], f"--{word}", done=True)


def _accept(entry: Entry, read: Reader) -> dict[str, Any] | None:
    """Take an applied file as it is now; of a half-applied one what only leaves the bookkeeping nodes out."""
    if entry.file is None or entry.row is None:
        return None
    changed = {"checksum": entry.file.checksum}
    if entry.state in standing.UNFINISHED:
        statements = plan.with_ours_left_out(read(entry.file).statements, entry.row)
        return changed | {"statements": list(statements)} if statements else None
    return changed if entry.state is State.CHANGED or entry.changed else None


def _forget(entry: Entry, _: Reader) -> dict[str, Any] | None:
    """Forget what has no file, and a baseline that was given by mistake: it marked what was never run."""
    marked = entry.row is not None and entry.row.type == BASELINE
    return {} if marked or entry.state is State.MISSING else None


def _rerun(entry: Entry, _: Reader) -> dict[str, Any] | None:
    """Let the statement at hand begin anew: one that commits by itself, or one that runs in batches."""
    if entry.row is None or not (entry.row.intent or entry.row.batches):
        return None
    return {"intent": None, "batches": 0, "statements": list(entry.row.statements[: entry.row.committed])}


def _done(entry: Entry, read: Reader) -> dict[str, Any] | None:
    if entry.row is None or not entry.row.intent or entry.file is None:
        return None
    edited = _edited_part(entry, read)
    if edited:
        raise HistoryMismatch.of(edited)
    task = plan.task_of(read(entry.file), entry.row.key, entry.row)
    step = entry.row.intent
    # what follows may have been edited or removed since
    complete = (
        {"state": COMPLETE, "steps": step, "checksum": entry.file.checksum} if step == task.steps else {}
    )
    return {"intent": None, "step": step, "batches": 0} | complete


_CHANGES = {"accept": _accept, "forget": _forget, "rerun": _rerun, "done": _done}
_DONE = {
    "accept": "the file's new text was accepted",
    "forget": "the history forgot it",
    "rerun": "the interrupted statement will run again",
    "done": "the interrupted statement counts as complete",
}
_RECOVERED = {
    "rerun": "what the run that died left of it counts as not applied; the next migrate runs it",
    "done": "what the run that died left of it counts as complete",
}
_FITS = {
    "accept": "an applied migration whose file was edited (a repeatable one then does not run again), or "
    "a half-applied one to which only the clause WHERE NOT n:__GraphMigrate was added",
    "forget": "a version in the history that has no file, or that a baseline marked",
    "rerun": "a migration interrupted inside a statement that commits by itself, or between its batches",
    "done": "a migration interrupted inside a statement that commits by itself",
}


def _unfit(word: str, version: Version, entry: Entry | None) -> UsageError:
    state = f"it is {entry.state.value}" if entry else "there is no such version"
    return UsageError(
        f"--{word} {version.name}: that is for {_FITS[word]}; {state}. Nothing was changed.",
        hint="graphmigrate repair, without versions, lists what can be resolved and how.",
        code="GM610",
    )


def repair_named(
    workspace: Workspace, files: MigrationFolder, wanted: dict[str, set[Version]]
) -> tuple[RepairAction, ...]:
    """Do what a person said of the named versions; every word is checked before anything is committed."""
    history = workspace.history()
    verdicts = verdicts_of(workspace.database, history, wanted)
    others = {word: versions - verdicts.keys() for word, versions in wanted.items()}
    chosen = changes(files, history, others, workspace.read_one)
    if verdicts:  # for those of a run that died whose fate cannot be read
        recover(workspace.database, history, files, workspace.read_one, verdicts)
    recovered = tuple(recovered_action(version, word) for version, word in verdicts.items())
    return (*recovered, *resolve(workspace.database, history, chosen, workspace.listen))


def show_repairs(workspace: Workspace, files: MigrationFolder) -> tuple[RepairAction, ...]:
    """Name what stops ``migrate`` and what resolves it; changes nothing."""
    history = workspace.history()
    version = first_unfinished(workspace.database, history)
    at_work = [unfinished(version)] if version else []
    return (*at_work, *findings(files, history, workspace.read_one))


def repair(workspace: Workspace, words: Mapping[str, Sequence[str]], restored: Sequence[str]) -> RepairResult:
    """Show what is wrong, or do what a person said: ``words`` hold the versions named for each, ``restored`` those to restore."""
    files = workspace.files(may_be_empty=True)
    wanted = {word: named(names, workspace.history) for word, names in words.items()}
    refuse_two_words(wanted)
    damaged = show_damage(workspace)
    if not any(wanted.values()) and not restored:
        return RepairResult(damaged or (*show_constraints(workspace), *show_repairs(workspace, files)))
    lost = () if damaged or set(restored) != {damages.LEDGER} else show_constraints(workspace)
    with workspace.locked(None, repairing=bool(damaged)):
        if lost and not any(wanted.values()):
            return RepairResult(made_again(lost))
        if restored or (damaged and wanted["forget"]):
            return RepairResult(restore(workspace, restored, wanted["forget"]))
        return RepairResult(repair_named(workspace, files, wanted))


def mark_up_to(workspace: Workspace, limit: Version, *, without_files: bool) -> BaselineResult:
    """Mark the versions up to ``limit`` as there already; what is damaged in the history is cleared first."""
    files = workspace.files(may_be_empty=True)
    with workspace.locked(None, repairing=True):
        clear_damage(workspace)
        return baseline(workspace.database, files, workspace.history(), limit, without_files=without_files)
