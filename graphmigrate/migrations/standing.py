"""How files and history stand: each version's state, and every place where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.database.history import SKIPPED
from graphmigrate.errors import Problem, Severity, UsageError
from graphmigrate.migrations.files import files_for
from graphmigrate.migrations.model import FileKind
from graphmigrate.results import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphmigrate.database.history import History, HistoryRow
    from graphmigrate.database.version import Version
    from graphmigrate.migrations.model import Condition, Header, MigrationFile, MigrationFolder
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import Target
    from graphmigrate.settings import Settings

UNFINISHED = (State.INTERRUPTED, State.FAILED)
"""The states of a migration of which a part is committed."""


class Entry(NamedTuple):
    """One version, as the files and the history know it."""

    version: Version
    state: State
    file: MigrationFile | None = None
    row: HistoryRow | None = None
    detail: str | None = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.version.name

    @property
    def begun(self) -> HistoryRow | None:
        """The row, where a part of it is committed and the rest is to follow."""
        return None if self.row is None or self.row.complete else self.row

    @property
    def changed(self) -> bool:
        """Whether it is a repeatable one that is to be applied again, because its file is another one now."""
        return self.row is not None and self.state in {State.PENDING, State.SKIPPED}

    @property
    def description(self) -> str:
        """From the file where there is one, else from the history."""
        return self.file.description if self.file else self.row.description if self.row else ""


def compare(files: Iterable[MigrationFile], history: History) -> tuple[Entry, ...]:
    """Return every version with its state, in order of version."""
    by_version = {file.version: file for file in files}
    versions = sorted(by_version.keys() | history.rows.keys())
    highest = history.highest
    return tuple(_entry(version, by_version.get(version), history, highest) for version in versions)


def _entry(version: Version, file: MigrationFile | None, history: History, highest: Version | None) -> Entry:
    row = history.rows.get(version)
    attempt = history.attempts.get(version.canonical) if history.attempts else None
    last = f"last attempt {attempt.outcome}: {attempt.reason}" if attempt else None
    if file is None:
        marker = row is not None and row.checksum is None
        return Entry(version, State.APPLIED if marker else State.MISSING, None, row)
    if row is not None and not row.complete:
        failed = attempt is not None and attempt.outcome == State.FAILED
        return Entry(version, State.FAILED if failed else State.INTERRUPTED, file, row, last)
    if row is not None and row.checksum in {None, file.checksum}:
        begun = "its undo is not finished" if history.undo_of(row) else None
        return Entry(version, State.APPLIED, file, row, begun)
    if row is not None and file.kind is not FileKind.REPEATABLE:
        return Entry(version, State.CHANGED, file, row)
    if attempt is not None and attempt.outcome == SKIPPED:
        return Entry(version, State.SKIPPED, file, row, attempt.reason)
    undo = history.undone.get(version)
    late = row is None and highest is not None and version < highest
    told = last or ("its file was edited, so it is applied again" if row else None)
    if undo:
        told = last or f"undone by {undo.installed_by}; graphmigrate migrate applies it again"
    state = State.UNDONE if undo else State.PENDING
    return Entry(version, State.OUT_OF_ORDER if late else state, file, row, told)


def entries_of(workspace: Workspace, files: MigrationFolder, history: History) -> tuple[Entry, ...]:
    """Return every version with the state that a run would find: what was skipped once is judged as file and server are now."""
    entries = compare(files_for(files, history), history)
    return tuple(_judged_anew(workspace, entry, history) for entry in entries)


def _judged_anew(workspace: Workspace, entry: Entry, history: History) -> Entry:
    if entry.file is None or entry.state not in {State.SKIPPED, *UNFINISHED}:
        return entry
    migration, _ = workspace.read(entry.file)
    if entry.state in UNFINISHED:
        return with_progress(entry, len(migration.statements))
    return judged_anew(entry, migration.header, history, workspace.target)


def with_progress(entry: Entry, total: int) -> Entry:
    """Return an unfinished migration's entry whose detail tells which of ``total`` statements are committed."""
    row = entry.row
    if row is None or row.complete:
        return entry
    done = row.committed
    told = [f"{statements(1, done)} of {total} {'is' if done == 1 else 'are'} committed"] if done else []
    if row.intent or row.batches:
        told.append(f"statement {done + 1} of {total} may have taken effect in part")
        done += 1
    left = total - done
    if left > 0:
        which = (
            statements(done + 1, total) if not told else str(total) if left == 1 else _span(done + 1, total)
        )
        told.append(f"{which} {'is' if left == 1 else 'are'} still to run")
    return entry._replace(detail="; ".join([*told, *([entry.detail] if entry.detail else [])]))


def statements(first: int, last: int) -> str:
    """Name some statements of a file, as messages do.

    >>> statements(1, 1), statements(1, 2), statements(1, 3)
    ('statement 1', 'statements 1 and 2', 'statements 1 to 3')
    """
    return f"statement {first}" if first == last else f"statements {_span(first, last)}"


def _span(first: int, last: int) -> str:
    return f"{first} and {last}" if last == first + 1 else f"{first} to {last}"


def judged_anew(entry: Entry, header: Header, history: History, target: Target) -> Entry:
    """Return a migration that was skipped once with the state that a run would find; only a run itself asks queries.

    A late one stays skipped: no run looks at it by itself.
    """
    if is_late(entry, history):
        return entry
    reason, unmet = entry.detail or "", unmet_conditions(header, target)
    if unmet and unmet[0].mode == "assume":
        return entry._replace(detail=reason_of(unmet[0], target))
    if any(each.mode == "assume" and reason.endswith(each.value) for each in header.queries):
        return entry._replace(detail=f"{reason} (looked at again by the next run)")
    return entry._replace(state=State.PENDING, detail=f"last attempt {SKIPPED}: {reason}")


def mismatches(
    entries: Iterable[Entry], history: History, *, allow_out_of_order: bool = False
) -> list[Problem]:
    """Return every place where history and files differ, each with the command that resolves it."""
    entries = tuple(entries)
    stranger = lost_files(entries) or other_project(entries)
    if stranger:
        return [stranger]
    renamed = renames(entries)
    found = [mismatch(entry, history, renamed) or half_undone(entry, history) for entry in entries]
    return [each for each in found if each and not (allow_out_of_order and each.code == "GM604")]


def told_mismatches(files: MigrationFolder, entries: Sequence[Entry], history: History) -> list[Problem]:
    """Return every difference; where the folder is wrong, that comes first: a file that was not read is not missing."""
    found = [*mismatches(entries, history), *of_history(history)]
    if all(each.severity is not Severity.ERROR for each in files.problems):
        return found
    hint = "Fix what is wrong with the migrations folder first: that may be the cause."
    return [each._replace(hint=hint) if each.code in {"GM602", "GM603"} else each for each in found]


def of_history(history: History) -> list[Problem]:
    """Return what the history alone gives reason to warn of."""
    return [*([] if history.record is None else [_UNFINISHED_RUN]), *history.warnings]


_UNFINISHED_RUN = Problem(
    "GM211",
    "Another run is at work here, or one died: what it left is not taken into account.",
    "The next `graphmigrate migrate` waits for it, or completes its history first.",
    severity=Severity.WARNING,
)


def half_undone(entry: Entry, history: History) -> Problem | None:
    """Return that a migration is taken back in part: it is neither applied nor not."""
    undo = history.undo_of(entry.row) if entry.row else None
    if undo is None or history.record is not None:
        return None
    return Problem(
        "GM610",
        f"{entry.name} is undone in part.",
        "Finish that with graphmigrate undo; then graphmigrate migrate can apply it again.",
    )


def lost_files(entries: Sequence[Entry]) -> Problem | None:
    """Return in one finding that the history has migrations and the folder has none at all."""
    missing = [entry for entry in entries if entry.state is State.MISSING]
    if not missing or any(entry.file for entry in entries):
        return None
    return Problem(
        "GM603",
        f"The history has {_first_to_last(missing)}, and there is no migration file at all.",
        "Is the folder mounted? Name the right one with --migrations, or bring the files back.",
    )


def other_project(entries: Sequence[Entry]) -> Problem | None:
    """Return in one finding that no applied migration has its name or its text in the folder."""
    applied = [entry for entry in entries if entry.row and entry.row.checksum]
    strangers = [entry for entry in applied if _is_stranger(entry)]
    known = [entry for entry in applied if entry.file and not _is_stranger(entry)]
    if not strangers or known or renames(entries):
        return None
    accept = " ".join(f"--accept {each.name}" for each in strangers)
    return Problem(
        "GM602",
        f"These files are not those that were applied here: of {_first_to_last(applied)} in the history, none has its name or "
        f"its text in the folder ({strangers[0].name} was {strangers[0].row.description!r} "  # type: ignore[union-attr]
        f"and is {strangers[0].description!r}).",
        "Is this another project's database or folder? Check --uri, --database and --migrations; projects that share a "
        "database need a ledger of their own each (the setting ledger). Where these files do stand for what was applied: "
        f"graphmigrate repair {accept}",
    )


def _is_stranger(entry: Entry) -> bool:
    """Whether the file of an applied version has another name and another text."""
    row, file = entry.row, entry.file
    if entry.state is not State.CHANGED or row is None or file is None:
        return False
    return row.description != file.description


def _first_to_last(entries: Sequence[Entry]) -> str:
    return entries[0].name if len(entries) == 1 else f"{entries[0].name} to {entries[-1].name}"


def renames(entries: Iterable[Entry]) -> dict[Version, MigrationFile]:
    """Find the file of a missing version under another one: it has no row, and the text that was applied."""
    entries = tuple(entries)
    missing = [entry for entry in entries if entry.state is State.MISSING]
    waiting = {State.PENDING, State.UNDONE, State.SKIPPED, State.OUT_OF_ORDER} if missing else set()
    files = {entry.file.checksum: entry.file for entry in entries if entry.file and entry.state in waiting}
    return {
        each.version: files[each.row.checksum] for each in missing if each.row and each.row.checksum in files
    }


def mismatch(entry: Entry, history: History, renamed: Mapping[Version, MigrationFile]) -> Problem | None:
    """Return where history and files differ about one version; ``renamed`` are the files of missing ones."""
    if _is_stranger(entry) and entry.row and entry.file:
        return Problem(
            "GM602",
            f"{entry.file.name} has another name and another text than what was applied as {entry.name} "
            f"({entry.row.description}).",
            f"Did another branch take this version? Give this file a version of its own, and bring that of {entry.name} back. "
            f"Where it does stand for what was applied: graphmigrate repair --accept {entry.name}",
        )
    if entry.state is State.CHANGED and entry.file:
        return Problem(
            "GM602",
            f"{entry.file.name} was edited after it was applied as {entry.name}.",
            f"Put the file back as it was, or accept the new text: graphmigrate repair --accept {entry.name}",
        )
    if entry.state is State.MISSING and entry.version in renamed:
        return _renamed(entry, renamed[entry.version])
    if entry.state is State.MISSING:
        return Problem(
            "GM603",
            f"{entry.name} ({entry.description}) is in the history, but its file is missing.",
            f"Bring the file back, or forget that it was applied: graphmigrate repair --forget {entry.name}",
        )
    if entry.state is State.OUT_OF_ORDER and entry.file and history.highest:
        return _late_version(entry.file, history)
    return None


def _late_version(file: MigrationFile, history: History) -> Problem:
    """Return that a file is new below what is applied, or below what is applied in part."""
    rows = history.rows.items()
    later = [row for version, row in rows if version > file.version and not version.is_named]
    unfinished = min((row.version for row in later if not row.complete), default=None)
    highest = max(row.version for row in later)
    if unfinished is None or any(row.complete for row in later):
        state, before = f"{highest.name}, a later version, is applied already", "apply it late"
    else:
        state = f"{unfinished.name}, a later version, is applied in part"
        before = f"apply it before {unfinished.name} goes on"
    return Problem(
        "GM604",
        f"{file.name} is new, but {state}.",
        f"Run graphmigrate migrate --allow-out-of-order to {before}, or give it a version above {highest.name}.",
    )


def _renamed(entry: Entry, file: MigrationFile) -> Problem:
    return Problem(
        "GM603",
        f"{entry.name} ({entry.description}) is in the history, and its file looks renamed: "
        f"{file.name} has the text that was applied.",
        f"Give the file its version {entry.name} back. After graphmigrate repair --forget {entry.name}, "
        f"its statements would run again as {file.version.name}.",
    )


def refuse_pending(workspace: Workspace) -> None:
    """Raise UsageError (GM213) while migrations are pending: seeds go into an up-to-date schema only."""
    history = workspace.history()
    workspace.warn(history.warnings)
    entries = entries_of(workspace, workspace.files(may_be_empty=True), history)
    waiting = [each for each in entries if each.state in {State.PENDING, State.UNDONE, *UNFINISHED}]
    if waiting:
        names = ", ".join(each.name for each in waiting[:5])
        raise UsageError(
            f"Migrations are pending ({names}); seeds are loaded into an up-to-date schema only.",
            hint="Run first: graphmigrate migrate",
            code="GM213",
        )


def refuse_protected(settings: Settings, profile: str | None, *, yes: bool) -> None:
    """Raise UsageError (GM530) where the target is marked protected, unless the profile is named and confirmed."""
    if settings.protected and not (profile and yes):
        raise UsageError(
            "This target is marked as protected in the configuration: no seeds are loaded into it by accident.",
            hint="If you mean it, name the profile and confirm: graphmigrate seed --profile NAME --yes",
            code="GM530",
        )


def is_late(entry: Entry, history: History) -> bool:
    """Whether a later version is applied, wholly or in part."""
    return entry.row is None and history.highest is not None and entry.version < history.highest


def unmet_conditions(header: Header, target: Target) -> list[Condition]:
    """Return the conditions on edition and version that do not hold for this server."""
    return [each for each in header.conditions if not _holds(each, target)]


def _holds(condition: Condition, target: Target) -> bool:
    if condition.subject == "edition":
        return target.edition.lower() == condition.value.lower()
    if condition.subject == "version":
        actual = _numbers(target.version)
        return any(_fits(actual, condition.operator, _numbers(each)) for each in condition.versions)
    return True  # a query is looked at just before its own migration


def _fits(actual: tuple[int, ...], operator: str, wanted: tuple[int, ...]) -> bool:
    """Compare versions, where a part that the server does not tell is zero; ``is`` looks at the wanted parts only."""
    actual += (0,) * (len(wanted) - len(actual))
    if operator == "is":
        return actual[: len(wanted)] == wanted
    return actual >= wanted if operator == "ge" else actual < wanted


def _numbers(version: str) -> tuple[int, ...]:
    """``2026.05.0`` as (2026, 5, 0); a suffix such as ``-aura`` is left out."""
    digits = version.split("-")[0].split("+")[0].split(".")
    return tuple(int(each) for each in digits if each.isdigit())


def reason_of(condition: Condition, target: Target) -> str:
    """Return what an unmet condition wants and what there is."""
    actual = target.edition if condition.subject == "edition" else target.version
    operator = {"is": "is", "ge": "is at least", "lt": "is below"}[condition.operator]
    return f"assumes that {condition.subject} {operator} {condition.value}; it is {actual}"
