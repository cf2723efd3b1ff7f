"""Files + history + facts about the server -> what a run would do, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.database.history import SKIPPED
from graphmigrate.errors import Problem, Severity
from graphmigrate.results import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.history import History, HistoryRow
    from graphmigrate.database.version import Version
    from graphmigrate.migrations.model import Condition, Header, Migration, MigrationFile
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.results import Target


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
        return f"V{self.version.text}"

    @property
    def description(self) -> str:
        """From the file where there is one, else from the history."""
        return self.file.description if self.file else self.row.description if self.row else ""


class Task(NamedTuple):
    """One migration to run under the ledger key ``key``: ``segments`` are those that are not committed."""

    migration: Migration
    segments: tuple[Segment, ...]
    key: str
    row: HistoryRow | None = None

    @property
    def first(self) -> int:
        """The first segment that is not committed (1-based)."""
        return self.row.step + 1 if self.row else 1

    @property
    def remaining(self) -> tuple[Segment, ...]:
        """The segments that this run executes."""
        return self.segments

    @property
    def steps(self) -> int:
        """How many segments there are, with those that are committed."""
        return self.first - 1 + len(self.segments)

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"V{self.migration.file.version.text}"


class Skip(NamedTuple):
    """A migration whose ``assume`` does not hold."""

    file: MigrationFile
    reason: str


class Plan(NamedTuple):
    """Tasks in order, the skipped ones, and every finding."""

    tasks: tuple[Task, ...] = ()
    skips: tuple[Skip, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The findings that stop a run."""
        return tuple(each for each in self.problems if each.severity is Severity.ERROR)


def compare(files: Iterable[MigrationFile], history: History) -> tuple[Entry, ...]:
    """Return every version with its state, in order of version."""
    by_version = {file.version: file for file in files}
    versions = sorted(by_version.keys() | history.rows.keys())
    highest = history.highest
    return tuple(_entry(version, by_version.get(version), history, highest) for version in versions)


def _entry(
    version: Version,
    file: MigrationFile | None,
    history: History,
    highest: Version | None,
) -> Entry:
    row = history.rows.get(version)
    attempt = history.attempts.get(version.canonical) if history.attempts else None
    last = f"last attempt {attempt.outcome}: {attempt.reason}" if attempt else None
    if file is None:
        marker = row is not None and row.checksum is None
        return Entry(version, State.APPLIED if marker else State.MISSING, None, row)
    if row is not None:
        if not row.complete:
            failed = attempt is not None and attempt.outcome == State.FAILED
            return Entry(version, State.FAILED if failed else State.INTERRUPTED, file, row, last)
        same = row.checksum in {None, file.checksum}
        return Entry(version, State.APPLIED if same else State.CHANGED, file, row)
    if attempt is not None and attempt.outcome == SKIPPED:
        return Entry(version, State.SKIPPED, file, None, attempt.reason)
    late = highest is not None and version < highest
    return Entry(version, State.OUT_OF_ORDER if late else State.PENDING, file, None, last)


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
    """Return a migration that was skipped once, in the state that a run would find it in; only a run itself asks queries.

    A late one stays skipped: no run looks at it by itself.
    """
    if _late(entry, history):
        return entry
    reason, unmet = entry.detail or "", _unmet(header, target)
    if unmet and unmet[0].mode == "assume":
        return entry._replace(detail=_reason(unmet[0], target))
    if any(each.mode == "assume" and reason.endswith(each.value) for each in header.queries):
        return entry._replace(detail=f"{reason} (looked at again by the next run)")
    return entry._replace(state=State.PENDING, detail=f"last attempt {SKIPPED}: {reason}")


def mismatches(
    entries: Iterable[Entry], history: History, *, allow_out_of_order: bool = False
) -> list[Problem]:
    """Name every disagreement of history and files, each with the command that resolves it."""
    entries = tuple(entries)
    stranger = lost_files(entries) or other_project(entries)
    if stranger:
        return [stranger]
    renamed = renames(entries)
    found = [mismatch(entry, history, renamed) for entry in entries]
    return [each for each in found if each and not (allow_out_of_order and each.code == "GM604")]


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
    waiting = {State.PENDING, State.SKIPPED, State.OUT_OF_ORDER} if missing else set()
    files = {entry.file.checksum: entry.file for entry in entries if entry.file and entry.state in waiting}
    return {
        each.version: files[each.row.checksum] for each in missing if each.row and each.row.checksum in files
    }


def mismatch(entry: Entry, history: History, renamed: Mapping[Version, MigrationFile]) -> Problem | None:
    """Name the disagreement of history and files about one version; ``renamed`` are the files of missing ones."""
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
    later = [row for version, row in history.rows.items() if version > file.version]
    unfinished = min((row.version for row in later if not row.complete), default=None)
    highest = max(row.version for row in later)
    if unfinished is None or any(row.complete for row in later):
        state, before = f"V{highest.text}, a later version, is applied already", "apply it late"
    else:
        state = f"V{unfinished.text}, a later version, is applied in part"
        before = f"apply it before V{unfinished.text} goes on"
    return Problem(
        "GM604",
        f"{file.name} is new, but {state}.",
        f"Run graphmigrate migrate --allow-out-of-order to {before}, or give it a version above V{highest.text}.",
    )


def _renamed(entry: Entry, file: MigrationFile) -> Problem:
    return Problem(
        "GM603",
        f"{entry.name} ({entry.description}) is in the history, and its file looks renamed: "
        f"{file.name} has the text that was applied.",
        f"Give the file its version {entry.name} back. After graphmigrate repair --forget {entry.name}, "
        f"its statements would run again as V{file.version.text}.",
    )


def candidates(entries: Iterable[Entry], *, target: Version | None, allow_out_of_order: bool) -> list[Entry]:
    """Choose the entries that a run looks at, in order."""
    wanted = {State.PENDING, *UNFINISHED, State.SKIPPED}
    if allow_out_of_order:
        wanted.add(State.OUT_OF_ORDER)
    return [each for each in entries if each.state in wanted and (target is None or each.version <= target)]


def build(
    chosen: Sequence[tuple[Entry, Migration]],
    history: History,
    target: Target,
    ledger: str,
    *,
    allow_out_of_order: bool,
) -> Plan:
    """Judge the conditions on edition and version, cut into segments, and find where an interrupted one goes on."""
    tasks: list[Task] = []
    skips: list[Skip] = []
    problems: list[Problem] = []
    for entry, migration in chosen:
        if entry.row is None:
            unmet = _unmet(migration.header, target)
            if unmet and unmet[0].mode == "assume":  # the first decides, as with queries
                skips.append(Skip(migration.file, _reason(unmet[0], target)))
                continue
            problems.extend(_assertion(each, target) for each in unmet if each.mode == "assert")
            if _late(entry, history) and not allow_out_of_order:
                problems.append(_late_skip(entry))
                skips.append(Skip(migration.file, entry.detail or ""))
                continue
        key = entry.row.key if entry.row else history.next_key(ledger, entry.version)
        task = task_of(migration, key, entry.row)
        problems.extend(_resumable(task, settled=history.record is None))
        tasks.append(task)
    return Plan(tuple(tasks), tuple(skips), tuple(problems))


def other_language(planned: Plan, history: History, language: str) -> list[Problem]:
    """Warn where files that name no version of Cypher would run under another one than those before them."""
    earlier = {row.language for row in history.rows.values() if row.language}
    silent = [task for task in planned.tasks if task.migration.header.options.cypher is None]
    if not earlier or language in earlier or not silent:
        return []
    others = f" The same is true of {len(silent) - 1} other files." if len(silent) > 1 else ""
    return [
        Problem(
            "GM133",
            f"This file would run under Cypher {language}, the database's default; earlier ones ran under Cypher "
            f"{' and '.join(sorted(earlier))}.{others}",
            f"Name the one it is written in at its top, for example: // graphmigrate: cypher {language}",
            silent[0].migration.statements[0].place,
            Severity.WARNING,
        )
    ]


def task_of(migration: Migration, key: str, row: HistoryRow | None) -> Task:
    """Cut what is left to do of a migration into segments."""
    from graphmigrate.migrations.segments import segments_of

    segments = segments_of(migration, row.committed, row.step) if row else segments_of(migration)
    return Task(migration, segments, key, row)


def _late(entry: Entry, history: History) -> bool:
    return history.highest is not None and entry.version < history.highest


def _late_skip(entry: Entry) -> Problem:
    return Problem(
        "GM210",
        f"{entry.name} was skipped before, and a later version is applied already: it is not looked at again by itself.",
        "If what it assumes holds now, apply it late with: graphmigrate migrate --allow-out-of-order",
        severity=Severity.WARNING,
    )


def _unmet(header: Header, target: Target) -> list[Condition]:
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


def _reason(condition: Condition, target: Target) -> str:
    actual = target.edition if condition.subject == "edition" else target.version
    operator = {"is": "is", "ge": "is at least", "lt": "is below"}[condition.operator]
    return f"assumes that {condition.subject} {operator} {condition.value}; it is {actual}"


def _assertion(condition: Condition, target: Target) -> Problem:
    reason = _reason(condition, target).replace("assumes", "This migration asserts", 1)
    hint = "Run it against such a server, or write `assume` to skip it on others."
    return Problem("GM503", f"{reason}.", hint, condition.place)


def _resumable(task: Task, *, settled: bool) -> list[Problem]:
    """Say what stands in the way of going on with an interrupted migration.

    Before a run that has not ended is ``settled``, it may still be at work inside the statement that it announced.
    """
    row = task.row
    if row is None:
        return []
    edited = edited_part(task, row)
    if edited:
        return [edited]
    if settled and row.intent and not task.migration.header.options.repeatable:
        segment = task.segments[0]
        return [
            Problem(
                "GM606",
                f"{task.name} was interrupted inside a statement that commits by itself; "
                "how much of it took effect is unknown.",
                f"Look at the data, then say which: graphmigrate repair --rerun {task.name} (run it again), or "
                f"graphmigrate repair --done {task.name} (it is complete).",
                segment.statements[0].place,
            )
        ]
    return []


def edited_part(task: Task, row: HistoryRow) -> Problem | None:
    """Find the first statement that took effect, wholly or in part, and is not in the file as it was."""
    from graphmigrate.cypher.lexer import fingerprint

    file, now = task.migration.file, task.migration.statements
    for number, committed in enumerate(row.statements, 1):
        statement = now[number - 1] if number <= len(now) else None
        if statement is None or fingerprint(statement.text) != committed:
            return _edited_statement(task, statement, number, row)
    if row.batches and not (task.segments and task.segments[0].batched):
        place = now[row.committed].place
        message = f"{task.name} has committed {row.batches} batches of a statement that is not run in batches any more."
        return Problem("GM605", message, f"Put the batch line of {file.name} back.", place)
    return None


def _edited_statement(task: Task, statement: Statement | None, number: int, row: HistoryRow) -> Problem:
    what = "is another one now" if statement else "is gone from the file"
    effect = "is committed" if number <= row.committed else "may have taken effect in part"
    upto = statements(1, len(row.statements))
    anew = f"; or let that statement run as it is now: graphmigrate repair --rerun {task.name}"
    return Problem(
        "GM605",
        f"{task.name} is applied in part: statement {number} {effect}, and {what}.",
        f"Put {upto} of {task.migration.file.name} back; what follows may be changed freely"
        f"{anew if number > row.committed else ''}.",
        statement.place if statement else None,
    )
