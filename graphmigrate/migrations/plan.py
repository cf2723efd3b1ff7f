"""What a run would do, as data: from the files, the history and facts about the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.database.guard import only_leaves_ours_out
from graphmigrate.database.version import Version
from graphmigrate.errors import (
    HistoryMismatch,
    MigrationFailed,
    Problem,
    ProjectError,
    Severity,
    UsageError,
    raise_all,
)
from graphmigrate.migrations.files import files_for
from graphmigrate.migrations.model import FileKind
from graphmigrate.migrations.segments import segments_of
from graphmigrate.migrations.standing import (
    UNFINISHED,
    Entry,
    compare,
    is_late,
    mismatches,
    reason_of,
    statements,
    unmet_conditions,
)
from graphmigrate.results import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.history import History, HistoryRow
    from graphmigrate.migrations.model import Condition, Migration, MigrationFile, MigrationFolder
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import Target

_DIFFER = "History and files differ in {count} places; nothing was run."


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
    def steps(self) -> int:
        """How many segments there are, with those that are committed."""
        return self.first - 1 + len(self.segments)

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.migration.file.version.name

    @property
    def undoes(self) -> bool:
        """Whether it takes the migration back."""
        return self.migration.file.kind is FileKind.UNDO

    @property
    def application(self) -> int:
        """Which application of its version it is, counted from 1."""
        return int(self.key.rpartition("@")[2])


class Skip(NamedTuple):
    """A migration whose ``assume`` does not hold."""

    file: MigrationFile
    reason: str


class Plan(NamedTuple):
    """Tasks in order, the skipped ones, and every finding; ``before`` and ``after`` them run callbacks, without a row."""

    tasks: tuple[Task, ...] = ()
    skips: tuple[Skip, ...] = ()
    problems: tuple[Problem, ...] = ()
    before: tuple[Task, ...] = ()
    after: tuple[Task, ...] = ()

    @property
    def everything(self) -> tuple[Task, ...]:
        """All that runs, in order."""
        return (*self.before, *self.tasks, *self.after)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The findings that stop no run."""
        return tuple(each for each in self.problems if each.severity is Severity.WARNING)

    def rank_before(self, history: History) -> int:
        """Return the rank after which those of the tasks follow: what was worked at last keeps its rank when it goes on."""
        row = self.tasks[0].row if self.tasks else None
        return history.top_rank - (row is not None and row.rank == history.top_rank)


def make_plan(
    workspace: Workspace,
    files: MigrationFolder,
    history: History,
    target: str | None,
    allow_out_of_order: bool,
    *,
    strict: bool = True,
    judge: bool = True,
    reapply: bool = True,
) -> Plan:
    """Decide what to run; ``strict`` raises what would stop a run, of the history only where it is to be judged.

    Without ``reapply``, a version that was undone stops it.
    """
    entries = compare(files_for(files, history), history)
    limit = _limit(target, entries)
    found = mismatches(entries, history, allow_out_of_order=allow_out_of_order)
    if strict and judge:
        raise_all(found, HistoryMismatch, _DIFFER)
    chosen = candidates(entries, target=limit, allow_out_of_order=allow_out_of_order)
    undone = [each.name for each in chosen if each.state is State.UNDONE]
    if undone and not reapply:
        raise HistoryMismatch(
            f"{', '.join(undone)} {'was' if len(undone) == 1 else 'were'} undone in this database; nothing was run.",
            hint="Start a version of the program that has no such file; or let it be applied again, with --reapply.",
            code="GM610",
        )
    pairs, problems = _read_all(workspace, chosen, strict=strict)
    planned = build(
        pairs, history, workspace.target, workspace.settings.ledger, allow_out_of_order=allow_out_of_order
    )
    if strict and judge:
        _raise_planned(planned)
    planned = planned._replace(problems=(*found, *problems, *planned.problems))
    return with_callbacks(workspace, files, history, planned, strict=strict)


def with_callbacks(
    workspace: Workspace, files: MigrationFolder, history: History, planned: Plan, *, strict: bool = False
) -> Plan:
    """Add the callbacks of a plan that has something to do; what follows a run is also due where the last one did not end."""
    tasks: dict[str, list[Task]] = {"beforeFirstUse": [], "beforeMigrate": [], "afterMigrate": []}
    problems: list[Problem] = []
    unended = history.record is not None or history.unended
    for file in files.callbacks if planned.tasks or unended else ():
        task, found, _ = unrecorded_task(workspace, file)
        problems += found
        tasks[file.name.partition(".")[0].partition("__")[0]] += [task] if task else []
    if strict:
        raise_all(problems, ProjectError, "{count} problems in the callbacks; nothing was run.")
    first = [] if history.generations else tasks["beforeFirstUse"]
    return planned._replace(
        problems=(*planned.problems, *problems),
        before=(*first, *tasks["beforeMigrate"]) if planned.tasks else (),
        after=tuple(tasks["afterMigrate"]),
    )


def unrecorded_task(
    workspace: Workspace, file: MigrationFile
) -> tuple[Task | None, list[Problem], str | None]:
    """Read a file that has no row: its task, what is wrong with it, or why its conditions leave it out here."""
    migration, problems = workspace.read(file)
    unmet = unmet_conditions(migration.header, workspace.target)
    problems += [_assertion(each, workspace.target) for each in unmet if each.mode == "assert"]
    if unmet and unmet[0].mode == "assume":
        return None, problems, reason_of(unmet[0], workspace.target)
    return task_of(migration, "", None), problems, None


def nothing_to_do(planned: Plan, history: History) -> bool:
    """Whether the history says all that a run would: no task, no run that died, every skip recorded."""
    known = all(history.skips.get(each.file.version.canonical) == each.reason for each in planned.skips)
    return not planned.tasks and not planned.after and history.record is None and known


def candidates(entries: Iterable[Entry], *, target: Version | None, allow_out_of_order: bool) -> list[Entry]:
    """Choose the entries that a run looks at, in order."""
    wanted = {State.PENDING, State.UNDONE, *UNFINISHED, State.SKIPPED}
    if allow_out_of_order:
        wanted.add(State.OUT_OF_ORDER)
    return [each for each in entries if each.state in wanted and (target is None or each.version <= target)]


def _limit(target: str | None, entries: Sequence[Entry]) -> Version | None:
    if target is None:
        return None
    version = Version.parse(target)
    found = next((entry.version for entry in entries if entry.version == version), None)
    if found is None:
        known = ", ".join(entry.name for entry in entries[-3:]) or "none"
        raise UsageError(
            f"There is no migration {version.name}.", hint=f"The last ones are: {known}.", code="GM119"
        )
    return found


def _read_all(
    workspace: Workspace, chosen: Sequence[Entry], *, strict: bool
) -> tuple[list[tuple[Entry, Migration]], list[Problem]]:
    """Read the chosen files; every problem of all of them at once."""
    pairs: list[tuple[Entry, Migration]] = []
    problems: list[Problem] = []
    for entry in chosen:
        if entry.file is not None:
            migration, found = workspace.read(entry.file)
            problems.extend(found)
            pairs.append((entry, migration))
    if strict:
        raise_all(problems, ProjectError, "{count} problems in the pending files; nothing was run.")
    return pairs, problems


def _raise_planned(planned: Plan) -> None:
    """Raise what building the plan found: unmet asserts are failures, the rest is a matter of history."""
    asserts = [each for each in planned.problems if each.code == "GM503"]
    raise_all(asserts, MigrationFailed, "{count} asserts do not hold here; nothing was run.")
    raise_all(planned.problems, HistoryMismatch, _DIFFER)


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
        if entry.begun is None:
            unmet = unmet_conditions(migration.header, target)
            if unmet and unmet[0].mode == "assume":  # the first decides, as with queries
                skips.append(Skip(migration.file, reason_of(unmet[0], target)))
                continue
            problems.extend(_assertion(each, target) for each in unmet if each.mode == "assert")
            if is_late(entry, history) and not allow_out_of_order:
                problems.append(_late_skip(entry))
                skips.append(Skip(migration.file, entry.detail or ""))
                continue
        key = entry.begun.key if entry.begun else history.next_key(ledger, entry.version)
        task = task_of(migration, key, entry.begun)
        problems.extend(_resumable(task, ended=history.record is None))
        tasks.append(task)
    return Plan(tuple(tasks), tuple(skips), tuple(problems))


def other_language(planned: Plan, history: History, language: str) -> list[Problem]:
    """Warn where files that name no version of Cypher would run under another one than those before them."""
    earlier = {row.language for row in history.rows.values() if row.language}
    silent = [
        task for task in planned.tasks if not (task.migration.code or task.migration.header.options.cypher)
    ]
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
    segments = segments_of(migration, row.committed, row.step) if row else segments_of(migration)
    return Task(migration, segments, key, row)


def _late_skip(entry: Entry) -> Problem:
    return Problem(
        "GM210",
        f"{entry.name} was skipped before, and a later version is applied already: it is not looked at again by itself.",
        "If what it assumes holds now, apply it late with: graphmigrate migrate --allow-out-of-order",
        severity=Severity.WARNING,
    )


def _assertion(condition: Condition, target: Target) -> Problem:
    reason = reason_of(condition, target).replace("assumes", "This migration asserts", 1)
    hint = "Run it against such a server, or write `assume` to skip it on others."
    return Problem("GM503", f"{reason}.", hint, condition.place)


def _resumable(task: Task, *, ended: bool) -> list[Problem]:
    """Say what stands in the way of going on with an interrupted migration.

    Where the last run has not ``ended``, it may still be at work inside the statement that it announced.
    """
    row = task.row
    if row is None:
        return []
    edited = edited_part(task, row)
    if edited:
        return [edited]
    if ended and row.intent and not task.migration.header.options.repeatable:
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
    file, now = task.migration.file, task.migration.statements
    for number, committed in enumerate(row.statements, 1):
        statement = now[number - 1] if number <= len(now) else None
        if statement is None or statement.fingerprint != committed:
            return _edited_statement(task, statement, number, row)
    if row.batches and not (task.segments and task.segments[0].batched):
        place = now[row.committed].place
        message = f"{task.name} has committed {row.batches} batches of a statement that is not run in batches any more."
        return Problem("GM605", message, f"Put the batch line of {file.name} back.", place)
    return None


def with_ours_left_out(now: Sequence[Statement], row: HistoryRow) -> tuple[str, ...] | None:
    """Return the fingerprints of the committed statements as they are now; None where more than our clause was added."""
    prints = tuple(each.fingerprint for each in now[: len(row.statements)])
    if len(prints) < len(row.statements) or prints == row.statements:
        return None
    edited = zip(now, prints, row.statements, strict=False)
    fits = all(new == old or only_leaves_ours_out(each, old) for each, new, old in edited)
    return prints if fits else None


def _edited_statement(task: Task, statement: Statement | None, number: int, row: HistoryRow) -> Problem:
    what = "is another one now" if statement else "is gone from the file"
    effect = "is committed" if number <= row.committed else "may have taken effect in part"
    upto = statements(1, len(row.statements))
    hint = f"Put {upto} of {task.migration.file.name} back; what follows may be changed freely"
    anew = f"; or let that statement run as it is now: graphmigrate repair --rerun {task.name}"
    return Problem(
        "GM605",
        f"{task.name} is applied in part: statement {number} {effect}, and {what}.",
        f"Only what leaves graphmigrate's own nodes out was added: graphmigrate repair --accept {task.name}"
        if with_ours_left_out(task.migration.statements, row)
        else f"{hint}{anew if number > row.committed else ''}.",
        statement.place if statement else None,
    )
