"""Squash: one file in place of a leading run of migrations; a database that began with these goes on with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.model import Kind
from graphmigrate.database.scratch import contents, empty, refuse_used, run, schema
from graphmigrate.database.version import Version
from graphmigrate.errors import GraphMigrateError, UsageError
from graphmigrate.migrations.files import MARK, SQUASHED, rewrite_sums
from graphmigrate.migrations.model import FileKind, Header, MigrationFile
from graphmigrate.migrations.names import PART
from graphmigrate.migrations.segments import kind_and_action, uses_batch
from graphmigrate.results import SquashResult

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.connection import Database
    from graphmigrate.database.scratch import Contents
    from graphmigrate.migrations.model import Migration, MigrationFolder
    from graphmigrate.migrations.workspace import Workspace


class Squash(NamedTuple):
    """A squash to write: the file's text, what it replaces, and the files that move with these.

    ``moved`` says whether schema statements stand first; ``unstable`` are the places of statements whose two replays differ.
    """

    path: Path
    text: str
    replaced: tuple[MigrationFile, ...]
    undos: tuple[MigrationFile, ...]
    moved: bool
    unstable: tuple[str, ...]


def squash(workspace: Workspace, until: Version, scratch: Database | None) -> SquashResult:
    """Complete a squash that ended while it moved files, or prepare and write one."""
    if done := resume(workspace.files(strict=False), until):
        return done
    planned = prepare(workspace, workspace.files(), until, scratch)
    write(planned)
    names = tuple(each.name for each in planned.replaced)
    return SquashResult(str(planned.path), names, planned.moved, planned.unstable)


def prepare(
    workspace: Workspace, folder: MigrationFolder, until: Version, scratch: Database | None
) -> Squash:
    """Read the files up to ``until`` and choose the order of their statements; nothing is written.

    ``scratch`` is an empty database on which orders are compared; without it the order stays. Raises UsageError where a file
    cannot be squashed, or the scratch database is not empty.
    """
    files = [each for each in folder.files if not each.version.is_named and each.version <= until]
    if not files or files[-1].version != until:
        known = ", ".join(each.version.name for each in folder.files if not each.version.is_named)
        raise UsageError(f"There is no migration {until.name}.", hint=f"There are: {known or 'none'}.")
    statements = []
    for number, file in enumerate(files):
        migration = workspace.read_one(file)
        reason = _why_not(migration)
        if reason:
            before = f"graphmigrate squash --to {files[number - 1].version.name}" if number > 1 else ""
            raise UsageError(
                f"{file.name} cannot be squashed: {reason}.",
                hint=f"Squash what stands before it: {before}" if before else "It ends what can be squashed.",
            )
        statements += [(file, each) for each in migration.statements]
    order, unstable = _order([each for _, each in statements], scratch)
    of = {id(each): file for file, each in statements}
    text = "".join(f"{MARK}{each.name} {each.checksum}\n" for each in files)
    return Squash(
        folder.path / f"V{until.text}__squashed.cypher",
        text + "".join(_written(order, of)),
        tuple(files),
        tuple(each for each in folder.undos if each.version <= until),
        order != [each for _, each in statements],
        tuple(str(each.place) for each in unstable),
    )


def _why_not(migration: Migration) -> str | None:
    file = migration.file
    if file.kind is not FileKind.VERSIONED or file.type != "cypher":
        return "it is not a plain Cypher migration"
    if migration.header != Header() or migration.uses:
        return "its header or a :use line says how it runs"
    for each in migration.statements:
        if kind_and_action(each)[0] in {Kind.AUTOCOMMIT, Kind.SYSTEM}:
            return f"the statement in line {each.place.line} commits by itself"
        if each.parameters or each.edits or uses_batch(each):
            return f"the statement in line {each.place.line} takes a parameter or a placeholder"
    return None


def _written(order: Sequence[Statement], of: dict[int, MigrationFile]) -> Iterator[str]:
    before = None
    for each in order:
        file = of[id(each)]
        if file is not before:
            yield f"\n// from {file.name}\n"
        before = file
        yield f"{each.text};\n"


class _Replay(NamedTuple):
    """What each data statement added and took away, and what was there in the end."""

    changes: list[tuple[Statement, Counter[str], Counter[str]]]
    end: Contents
    schema: set[str]

    def ends_as(self, other: _Replay, changing: set[str]) -> bool:
        """Whether both made the same, aside from the values of the property keys in ``changing``."""
        return self.schema == other.schema and self.end.texts(changing) == other.end.texts(changing)


def _order(statements: list[Statement], scratch: Database | None) -> tuple[list[Statement], list[Statement]]:
    """Return the statements with the schema first where that makes the same graph, and those that never make the same.

    Values that differ between two replays of one order (a time, a random one) are not compared between two orders.
    """
    moved = sorted(statements, key=lambda each: each.kind is not Kind.SCHEMA)
    if scratch is None or moved == statements:
        return statements, []
    refuse_used(scratch)
    once, again = _replay(scratch, statements), _replay(scratch, statements)
    unstable = [one[0] for one, other in zip(once.changes, again.changes, strict=True) if one != other]
    one, other = once.end.values(), again.end.values()
    changing = {key for key, _ in (one - other) | (other - one)}
    if not once.ends_as(again, changing):
        return statements, unstable
    try:
        same = once.ends_as(_replay(scratch, moved), changing)
    except GraphMigrateError:  # a constraint over data that a later statement puts right, for example
        same = False
    return (moved if same else statements), unstable


def _replay(database: Database, statements: Sequence[Statement]) -> _Replay:
    """Run statements on an empty database."""
    empty(database)
    end = contents(database)
    changes = []
    for each in statements:
        run(database, each)
        if each.kind is not Kind.SCHEMA:
            before, end = end.texts(), contents(database)
            after = end.texts()
            changes.append((each, after - before, before - after))
    return _Replay(changes, end, schema(database))


def write(planned: Squash) -> None:
    """Write the squash, move what it replaces to ``squashed/``, and write ``graphmigrate.sum`` anew where there is one.

    While files move, the squash is called ``.cypher.part``, which keeps every command from reading half of them.
    """
    part = planned.path.with_suffix(f".cypher{PART}")
    hidden = part.with_name(f".{part.name}")
    hidden.write_text(planned.text, encoding="utf-8")
    hidden.rename(part)
    _finish(part, (*planned.replaced, *planned.undos))


def resume(folder: MigrationFolder, until: Version) -> SquashResult | None:
    """Complete a squash up to a version that ended while it moved files; return None where there is none."""
    for part in sorted(folder.path.glob(f"V*__squashed.cypher{PART}")):
        if Version.parse(part.name[1:].partition("__")[0]) == until:
            marks = [line for line in part.read_text("utf-8").splitlines() if line.startswith(MARK)]
            names = tuple(mark.removeprefix(MARK).rpartition(" ")[0] for mark in marks)
            undos = [each for each in folder.undos if each.version <= until]
            return SquashResult(str(_finish(part, [*folder.files, *undos], {*names})), names, reordered=False)
    return None


def _finish(part: Path, files: Iterable[MigrationFile], names: Collection[str] | None = None) -> Path:
    """Move the files, of those that are applied only the named ones, and let the squash have its name."""
    folder = part.parent
    for file in files:
        if names is None or file.name in names or file.kind is FileKind.UNDO:
            to = folder / SQUASHED / file.path.relative_to(folder)
            to.parent.mkdir(parents=True, exist_ok=True)
            file.path.rename(to)
    path = part.with_suffix("")
    part.rename(path)
    rewrite_sums(folder)
    return path
