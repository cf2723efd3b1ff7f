"""Find the migrations of a folder and its subfolders, and say something about every other file in it."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from graphmigrate.errors import Place, Problem, ProjectError, Severity
from graphmigrate.migrations import sums
from graphmigrate.migrations.code import depends_of
from graphmigrate.migrations.model import FileKind, MigrationFile, MigrationFolder, checksum
from graphmigrate.migrations.names import MigrationName, Refused, may_hold_statements, printable, read_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from graphmigrate.database.history import History

_BLOCK = 65536
SQUASHED = "squashed"  # directly inside the migrations folder: what a squash has replaced
MARK = "// squashed: "
_REPLACED = re.compile(rf"{MARK}(.+) ([0-9a-f]{{64}})")


def collect(folder: Path) -> MigrationFolder:
    """Read names and bytes of the migrations in ``folder``, in order of version, but no statements yet.

    Findings about single files are in ``problems``; a folder that does not exist has no files. Raises ProjectError where
    it is no folder (GM110) or cannot be listed (GM118).
    """
    found: list[MigrationFile] = []
    problems: list[Problem] = []
    _walk(folder, (), found, problems)
    of_kind: dict[FileKind, list[MigrationFile]] = {kind: [] for kind in FileKind}
    for file in sorted(found, key=lambda file: (file.version, file.name)):
        of_kind[file.kind].append(file)
    files = sorted(
        [*of_kind[FileKind.VERSIONED], *of_kind[FileKind.REPEATABLE]], key=lambda file: file.version
    )
    undos, callbacks = of_kind[FileKind.UNDO], of_kind[FileKind.CALLBACK]
    for each in (files, undos, callbacks):
        problems += _duplicates(folder, each)
    problems += _orphans(files, undos)
    stored: list[MigrationFile] = []
    if (folder / SQUASHED).is_dir():
        _walk(
            folder / SQUASHED, (_inode(folder),), stored, []
        )  # what is missing there is told where it is needed
    collected = MigrationFolder(
        folder, tuple(files), tuple(problems), tuple(undos), tuple(callbacks), tuple(stored)
    )
    return collected._replace(problems=(*collected.problems, *sums.check(collected)))


def rewrite_sums(folder: Path) -> None:
    """Write ``graphmigrate.sum`` anew where the folder has one; raises OSError."""
    if (folder / sums.NAME).exists():
        sums.write(collect(folder))


def _walk(
    folder: Path, above: tuple[tuple[int, int], ...], found: list[MigrationFile], problems: list[Problem]
) -> None:
    """Collect a folder and those inside it; ``above`` are the folders on the way to it, by device and inode."""
    for entry in _entries(folder):
        if not _is_folder(entry):
            result = _read_entry(entry)
            if isinstance(result, MigrationFile):
                found.append(result)
            elif result is not None and (not above or may_hold_statements(entry.name)):
                problems.append(result)  # folders inside may hold data, too
            continue
        if (
            entry.name.startswith(".")
            or entry.name == "__pycache__"
            or (not above and entry.name == SQUASHED)
        ):
            continue
        result = _about_folder(entry, above)
        if result:
            problems.append(result)
            continue
        try:
            _walk(folder / entry.name, (*above, _inode(folder)), found, problems)
        except ProjectError as error:
            problems.append(Problem(error.error_code, error.message, error.hint, _place(entry.path)))


def _inode(folder: Path) -> tuple[int, int]:
    here = folder.stat()
    return here.st_dev, here.st_ino


def lack_of_files(folder: MigrationFolder, *, allowed: bool) -> list[Problem]:
    """Return the finding that a folder holds no migration (GM110), unless it holds one or another error is found."""
    if folder.files or any(each.severity is Severity.ERROR for each in folder.problems):
        return []
    path = folder.path.absolute()
    exists = path.is_dir()
    return [
        Problem(
            "GM110",
            f"The folder {path} holds no migration file."
            if exists
            else f"There is no migrations folder {path}.",
            "Is it mounted? Name the right folder with --migrations, or write a first file with graphmigrate new. "
            "Where there are to be no migrations, say --allow-empty (GRAPHMIGRATE_ALLOW_EMPTY=true).",
            severity=Severity.WARNING if allowed else Severity.ERROR,
        )
    ]


def holds_seeds(folder: Path) -> bool:
    """Whether a folder of seeds holds at least one."""
    return any(not each.name.startswith(("_", ".")) for each in folder.glob("*.cypher.j2"))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise ProjectError(
            f"{str(folder)!r} is a file, not a folder of migrations.",
            hint="Name the folder that holds the files with --migrations.",
            code="GM110",
        ) from None
    except OSError as error:
        raise ProjectError(
            f"The migrations folder {str(folder)!r} cannot be listed: {_reason(error)}.",
            hint="Check who owns it and who may read it.",
            code="GM118",
        ) from None


def _read_entry(entry: os.DirEntry[str]) -> MigrationFile | Problem | None:
    verdict = read_name(entry.name)
    path = entry.path
    if verdict is None:
        return None
    if isinstance(verdict, Refused):
        return Problem(verdict.code, verdict.message, verdict.hint, _place(path), verdict.severity)
    return _read_file(path, entry.name, verdict, is_regular=_is_file(entry))


def _place(path: str) -> Place:
    return Place(printable(path), 1)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _read_file(
    path: str, file_name: str, name: MigrationName, *, is_regular: bool
) -> MigrationFile | Problem:
    try:
        if not is_regular and os.path.exists(path):
            return _unreadable("it is not a regular file", _place(path))
        content = _content(path)
        helpers = _helpers(path, content) if path.endswith(".py") else ()
        if isinstance(helpers, Problem):
            return helpers
    except OSError as error:
        broken = os.path.islink(path) and isinstance(error, FileNotFoundError)
        reason = f"it is a link to {os.readlink(path)!r}, which is not there" if broken else _reason(error)
        return _unreadable(reason, _place(path))
    return MigrationFile(
        name.version, name.description, path, file_name, checksum(content, *helpers), content, name.kind
    )


def _helpers(path: str, content: bytes) -> tuple[bytes, ...] | Problem:
    """Return the bytes of the files in ``DEPENDS``, which lie beside a migration in Python."""
    found = []
    for name in depends_of(content):
        if os.path.isabs(name) or ".." in name.split("/"):
            message = f"DEPENDS names {name!r}, which does not lie in the folder of this migration."
            return Problem("GM124", message, "Put the file there, or in a folder inside.", _place(path))
        try:
            found.append(_content(os.path.join(os.path.dirname(path), name)))
        except OSError as error:
            hint = "Correct the name, or bring the file back: its text counts as part of the migration."
            message = f"{name!r}, which DEPENDS names, cannot be read: {_reason(error)}."
            return Problem("GM118", message, hint, _place(path))
    return tuple(found)


def _content(path: str) -> bytes:
    """Read a whole file; through a file object a small one takes twice as long."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(descriptor, _BLOCK), b""))
    finally:
        os.close(descriptor)


def _unreadable(reason: str, place: Place) -> Problem:
    hint = "Fix it or move it out of the folder: no migration is left out silently."
    return Problem("GM118", f"This migration cannot be read: {reason}.", hint, place)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _about_folder(entry: os.DirEntry[str], above: tuple[tuple[int, int], ...]) -> Problem | None:
    """Return why a folder is not read: its name is that of a file, or it is one of those on the way to it."""
    verdict, place = read_name(entry.name), _place(entry.path)
    if isinstance(verdict, MigrationName) or entry.name.endswith(".cypher"):
        hint = "Put the statements in a file of that name, or move the folder away."
        return Problem("GM113", "This is a folder with the name of a migration.", hint, place)
    there = entry.stat()
    parent = os.stat(os.path.dirname(entry.path) or ".")
    if (there.st_dev, there.st_ino) in {*above, (parent.st_dev, parent.st_ino)}:
        return Problem(
            "GM118", "This link leads back to a folder that it lies in.", "Delete the link.", place
        )
    return None


def _duplicates(folder: Path, files: list[MigrationFile]) -> list[Problem]:
    """Return where two files stand for one version, or one callback."""
    return [
        Problem(
            "GM112",
            f"{_shown(folder, first)!r} and {_shown(folder, second)!r} have the same {_identity(second)}.",
            "Give one of them a version of its own; 1, 001 and 1.0 are the same version."
            if not second.version.is_named
            else "Give one of them another name.",
            _place(second.location),
        )
        for first, second in pairwise(files)
        if first.version == second.version
    ]


def _shown(folder: Path, file: MigrationFile) -> str:
    return os.path.relpath(file.location, folder)


def _identity(file: MigrationFile) -> str:
    return "name" if file.version.is_named else f"version, {file.version.canonical}"


def _orphans(files: list[MigrationFile], undos: list[MigrationFile]) -> list[Problem]:
    """Return which undo files have no migration."""
    versions = {file.version for file in files if file.kind is FileKind.VERSIONED}
    hint = "Bring the migration back, correct the version, or move this file out of the folder."
    return [
        Problem(
            "GM113",
            f"There is no migration {file.version.name} for this file to undo.",
            hint,
            _place(file.location),
        )
        for file in undos
        if file.version not in versions
    ]


# ---- what a squash replaced


def replaced_by(file: MigrationFile) -> list[tuple[str, str]]:
    """Return name and checksum of each file that a squash replaces; nothing for any other file."""
    if not file.content.startswith(MARK.encode()):
        return []
    header = file.content.decode("utf-8", "replace").splitlines()
    return [(found[1], found[2]) for line in header if (found := _REPLACED.fullmatch(line.rstrip()))]


def files_for(folder: MigrationFolder, history: History) -> tuple[MigrationFile, ...]:
    """Return the files that a database goes by: one that began with what a squash replaced goes on with that.

    Raises ProjectError (GM118) where such a file is needed and is not there, or was changed.
    """
    found = [each for file in folder.files for each in _expanded(file, folder.squashed, history)]
    return tuple(sorted(found, key=lambda file: file.version))


def _expanded(
    file: MigrationFile, stored: Sequence[MigrationFile], history: History
) -> Iterator[MigrationFile]:
    replaced = replaced_by(file)
    row = history.rows.get(file.version)
    began = any(not version.is_named and version <= file.version for version in history.rows)
    if not replaced or not began or (row and row.checksum in {None, file.checksum}):
        yield file
        return
    kept = {(each.name, each.checksum): each for each in stored}
    for name, sum_ in replaced:
        original = kept.get((name, sum_)) or _applied(file, name, sum_, history)
        yield from _expanded(original, stored, history)


def _applied(squash: MigrationFile, name: str, sum_: str, history: History) -> MigrationFile:
    """Return a replaced file of which only its line in the squash is left: enough where it is applied."""
    read = read_name(name)
    if isinstance(read, MigrationName):
        row = history.rows.get(read.version)
        if row and row.complete and row.checksum in {None, sum_}:
            return MigrationFile(read.version, read.description, squash.location, name, sum_, b"")
    raise ProjectError(
        f"{name}, which {squash.name} replaces, must be applied to this database first, and {SQUASHED}/ does not "
        "hold it as it was.",
        hint=f"Bring it back: git log --all -- '*{name}' finds it. Its place is {SQUASHED}/ in the migrations folder.",
        code="GM118",
    )
