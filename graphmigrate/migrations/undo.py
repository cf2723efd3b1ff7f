"""What an undo runs, from what nodes recorded and from U files; and what stands against it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.model import Kind
from graphmigrate.cypher.statements import split
from graphmigrate.database import queries
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.history import UNDO, undo_key
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch, Problem, ProjectError, UsageError, raise_all
from graphmigrate.migrations.effects import Effects, by_keys
from graphmigrate.migrations.files import files_for, replaced_by
from graphmigrate.migrations.model import FileKind, Header, Migration, MigrationFile, checksum
from graphmigrate.migrations.plan import Plan, Task, edited_part, task_of
from graphmigrate.migrations.segments import kind_and_action
from graphmigrate.migrations.standing import compare, mismatches
from graphmigrate.schema.compare import apply
from graphmigrate.schema.model import describe, drop_of, identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History, HistoryRow
    from graphmigrate.migrations.effects import Made
    from graphmigrate.migrations.model import MigrationFolder
    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.schema.catalogue import Catalogue

    Reader = Callable[[MigrationFile], Migration]

_DIFFER = "{count} things stand against this undo; nothing was changed."
_WHOLE = "write {file} with the whole way back, DROP CONSTRAINT and DROP INDEX too: then nothing is derived."


class Sources(NamedTuple):
    """What the way back of one migration comes from; ``effects`` is None where nothing was recorded."""

    row: HistoryRow
    file: MigrationFile
    forward: Migration
    effects: Effects | None
    back: Migration | None

    @property
    def name(self) -> str:
        """How messages call the migration."""
        return self.row.version.name

    @property
    def back_name(self) -> str:
        """The name of its U file, as it is or is to be."""
        name = Path(self.file.name).name
        return (
            self.back.file.name
            if self.back
            else f"U{name[1:].removesuffix('.py').removesuffix('.cypher')}.cypher"
        )

    @property
    def data(self) -> int | None:
        """The number of its first statement that does more than change the schema."""
        numbered = enumerate(self.forward.statements, 1)
        found = (number for number, each in numbered if kind_and_action(each)[0] is not Kind.SCHEMA)
        return next(found, None)

    @property
    def downgrades(self) -> bool:
        """Whether it is code that takes itself back."""
        return self.forward.code is not None and self.forward.code.downgrade is not None

    @property
    def derived(self) -> Effects:
        """What is taken back by the record: nothing where the U file changes the schema, and so says the whole way."""
        return Effects() if self.file_is_whole or self.effects is None else self.effects

    @property
    def problem(self) -> Problem | None:
        """What speaks against an undo, whatever the database holds."""
        told = f"Nothing was changed. Write {self.back_name}, with statements that take back what it wrote"
        if self.downgrades:
            return None
        if self.data and not self.back:
            what = "wrote data, or did what commits by itself"
            rest = "; the constraints and indexes are taken back by the record."
            if self.forward.code:
                what, rest = (
                    "is code without downgrade(tx)",
                    f", or add `def downgrade(tx):` to {self.file.name}.",
                )
            return _refused(f"{self.name} {what}, and there is no file that takes it back.", told + rest)
        schema_made = any(each.kind is Kind.SCHEMA for each in self.forward.statements)
        if self.effects is None and schema_made and not self.file_is_whole:
            hint = f"Nothing was changed. To take it back, {_WHOLE.format(file=self.back_name)}"
            return _refused(f"What {self.name} did to the schema was not recorded.", hint)
        return self._of_file(self.back) if self.back else None

    @property
    def file_is_whole(self) -> bool:
        """Whether the U file has the schema's part too."""
        return self.back is not None and any(each.kind is Kind.SCHEMA for each in self.back.statements)

    def _of_file(self, back: Migration) -> Problem | None:
        if back.header.conditions:
            place = back.header.conditions[0].place
            return Problem(
                "GM124",
                "A U file takes no conditions: it runs where its migration ran.",
                "Delete this line.",
                place,
            )
        alone = (
            each for each in back.statements if kind_and_action(each)[0] in {Kind.AUTOCOMMIT, Kind.SYSTEM}
        )
        first = next(alone, None)
        if first is None or back.header.options.repeatable:
            return None
        hint = "Write it with // graphmigrate: batch 10000; or, where it may safely run again, say // graphmigrate: repeatable"
        return Problem(
            "GM606",
            "The server commits inside this statement: an undo that was interrupted could not go on.",
            hint,
            first.place,
        )

    def migration(self) -> Migration:
        """Return the way back as a migration: what was made after the first data is dropped, the U file runs, the rest follows.

        A constraint or index that was there when the data were written is there when they are taken back.
        """
        if self.downgrades:
            options = self.forward.header.options._replace(batch=None)
            file = self.file._replace(kind=FileKind.UNDO)
            return self.forward._replace(file=file, header=Header(options=options))
        late = [each for each in self.derived.made if self.data and each.statement > self.data]
        early = [each for each in self.derived.made if each not in late]
        drops = [drop_of(each.object) for each in (*reversed(late), *reversed(early))]
        label = f"undo of {self.file.name}"
        written = split("".join(f"{text};\n" for text in (*drops, *reversed(self.derived.dropped))), label)
        own = self.back.statements if self.back else ()
        statements = (*written[: len(late)], *own, *written[len(late) :])
        content = "\n".join(each.sent for each in statements).encode()
        name, location = (self.back.file.name, self.back.file.location) if self.back else (label, label)
        file = MigrationFile(
            self.row.version, self.row.description, location, name, checksum(content), content, FileKind.UNDO
        )
        header = Header(options=self.back.header.options) if self.back else Header()
        return Migration(file, header, statements)


def _refused(message: str, hint: str) -> Problem:
    return Problem("GM610", message, hint)


def sources_of(
    rows: Iterable[HistoryRow],
    effects: Mapping[str, Effects],
    files: MigrationFolder,
    history: History,
    read: Reader,
) -> Iterator[Sources]:
    """Yield what each way back comes from; nothing of a row whose file is not there."""
    of_version = {file.version: file for file in files_for(files, history)}
    undos = {file.version: file for file in files.undos}
    for row in rows:
        file, back = of_version.get(row.version), undos.get(row.version)
        if file is not None:
            yield Sources(row, file, read(file), effects.get(row.key), read(back) if back else None)


def way_back(
    database: Database, history: History, key: str, files: MigrationFolder, read: Reader
) -> Migration | None:
    """Return the way back that an undo which died was on; None where its files do not tell it any more."""
    chosen = [row for row in history.by_key.values() if undo_key(row.key) == key and row.type != UNDO]
    effects = by_keys(database.read(queries.EFFECTS, keys=[row.key for row in chosen]))
    found = next(sources_of(chosen, effects, files, history, read), None)
    return found.migration() if found and not found.problem else None


def choose(history: History, to: str | None, steps: int | None) -> list[HistoryRow]:
    """Return the rows to take back, the last applied first; repeatable migrations have no way back and are passed over.

    ``to`` names the version that stays the last one; 0 stands for none. A half-done undo is always finished.
    """
    if to is not None and steps is not None:
        raise UsageError("--to and --steps were given.", hint="Say one of them.")
    rows = [row for row in history.rows.values() if row.type != "repeatable" and not row.version.is_named]
    rows.sort(key=lambda row: (row.rank, row.version), reverse=True)
    if steps is not None and steps < 1:
        raise UsageError(f"--steps takes a number from 1 on, not {steps}.")
    last = max((at for at, row in enumerate(rows, 1) if history.undo_of(row)), default=0)
    if to is None:
        return rows[: max(steps or 1, last)]
    limit = Version.parse(to)
    kept = next((at for at, row in enumerate(rows) if row.version == limit), None)
    if kept is None and limit != Version.parse("0"):
        known = ", ".join(row.version.name for row in rows[:3]) or "none"
        raise UsageError(
            f"{limit.name} is not applied here.",
            hint=f"Applied last: {known}. --to 0 takes everything back.",
            code="GM119",
        )
    return rows[: max(len(rows) if kept is None else kept, last)]


def make_undo_plan(
    workspace: Workspace,
    files: MigrationFolder,
    history: History,
    to: str | None,
    steps: int | None,
    *,
    strict: bool = True,
) -> Plan:
    """Decide what an undo runs; ``strict`` raises what stands against it, before anything is changed."""
    rows = choose(history, to, steps)
    found = _about_history(files, history, rows)
    effects = (
        by_keys(workspace.database.read(queries.EFFECTS, keys=[row.key for row in rows])) if rows else {}
    )
    tasks: list[Task] = []
    made: dict[str, Sources] = {}
    for each in sources_of(rows, effects, files, history, workspace.read_one) if not found else ():
        if each.problem:
            found.append(each.problem)
            continue
        key = undo_key(each.row.key)
        tasks.append(task_of(each.migration(), key, history.by_key.get(key)))
        made[key] = each
    edited = (edited_part(task, task.row) for task in tasks if task.row)
    found += [each for each in edited if each]
    found += _as_recorded(tasks, made, read_catalogue(workspace.database)) if tasks else []
    if strict:
        raise_all([each for each in found if each.place], ProjectError, _DIFFER)
        raise_all(found, HistoryMismatch, _DIFFER)
    return Plan(tuple(tasks), problems=tuple(found))


def _about_history(files: MigrationFolder, history: History, rows: Sequence[HistoryRow]) -> list[Problem]:
    """Return where files and history differ, and which of these applications no undo can take back."""
    differing = mismatches(compare(files_for(files, history), history), history, allow_out_of_order=True)
    found = [each for each in differing if each.code != "GM610"]
    squashed = max((each.version for each in files.files if replaced_by(each)), default=None)
    for row in rows:
        name = row.version.name
        if squashed is not None and row.version <= squashed:
            hint = f"Undo what was applied after it: graphmigrate undo --to {squashed.name}"
            found.append(_refused(f"{name} was squashed: no undo goes below {squashed.name}.", hint))
            continue
        if not row.complete:
            hint = "Complete it with graphmigrate migrate; then graphmigrate undo takes it back."
            found.append(Problem("GM610", f"{name} is applied in part.", hint))
        elif row.type not in {"cypher", "python"}:
            hint = f"Undo what was applied after it: graphmigrate undo --to {name}"
            found.append(
                Problem(
                    "GM610",
                    f"{name} was not run here ({row.type}): nothing is known that an undo could take back.",
                    hint,
                )
            )
    return found


def _as_recorded(tasks: Sequence[Task], made: Mapping[str, Sources], catalogue: Catalogue) -> list[Problem]:
    """Return what is not what its migration made any more, led back along the plan."""
    found: list[Problem] = []
    for task in tasks:
        actions = [action for segment in task.segments for action in segment.actions]
        names = {action.name for action in actions if action.verb == "drop"}
        source = made[task.key]
        for each in source.derived.made:
            if each.object.name in names or each.object.name is None:
                found += _differs(each, source, catalogue)
        catalogue = apply(actions, catalogue)
    return found


def _differs(made: Made, source: Sources, catalogue: Catalogue) -> Iterator[Problem]:
    entry = catalogue.find(made.object)
    there = entry is not None and entry.name == made.object.name
    same = entry is None or not made.create or not entry.create or _bare(entry.create) == _bare(made.create)
    if there and same:
        return
    holder = entry if there else catalogue.holder(made.object.name or "")
    now = (holder.create or describe(holder.object)) if holder else "not there any more"
    what = f"{identifier(made.object.name or '')}, {describe(made.object)} that {source.name} made,"
    again = f"make it what it was ({made.create}), or " if made.create else ""
    yield Problem(
        "GM610",
        f"{what} is {'another one now: ' if holder else ''}{now}.",
        f"Nothing was changed: {again}{_WHOLE.format(file=source.back_name)}",
    )


def _bare(create: str) -> str:
    return create.removeprefix("CYPHER 25 ")


def without_fix_in_file(problem: Problem) -> Problem:
    """Return a finding about the data with a hint that fits an undo, whose statements are in no file."""
    if problem.code != "GM508":
        return problem
    _, _, query = (problem.hint or "").partition("All of them: ")
    hint = f"Nothing was changed. Fix the data and run graphmigrate undo again. All of them: {query}"
    return Problem(problem.code, problem.message, hint, problem.place, problem.severity)
