"""Find the migrations of a folder, and say something about every other file in it."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

from graphmigrate.errors import Place, Problem, ProjectError, Severity
from graphmigrate.migrations.model import MigrationFile, MigrationFolder, checksum
from graphmigrate.migrations.names import (
    Ignored,
    MigrationName,
    Refused,
    may_hold_statements,
    printable,
    read_name,
)

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 65536


def collect(folder: Path) -> MigrationFolder:
    """Read names and bytes of the migrations in ``folder``, in order of version, but no statements yet.

    Findings about single files are in ``problems``; a folder that does not exist has no files. Raises ProjectError where
    it is no folder (GM110) or cannot be listed (GM118).
    """
    files: list[MigrationFile] = []
    problems: list[Problem] = []
    for entry in _entries(folder):
        found = _read_entry(folder, entry)
        if isinstance(found, MigrationFile):
            files.append(found)
        elif found is not None:
            problems.append(found)
    files.sort(key=lambda file: (file.version, file.name))
    problems += _duplicates(files)
    return MigrationFolder(folder, tuple(files), tuple(problems))


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


def _read_entry(folder: Path, entry: os.DirEntry[str]) -> MigrationFile | Problem | None:
    verdict = read_name(entry.name)
    path = entry.path
    if _is_folder(entry):
        return _about_folder(folder / entry.name, verdict, _place(path))
    if isinstance(verdict, Ignored):
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
    except OSError as error:
        broken = os.path.islink(path) and isinstance(error, FileNotFoundError)
        reason = f"it is a link to {os.readlink(path)!r}, which is not there" if broken else _reason(error)
        return _unreadable(reason, _place(path))
    return MigrationFile(name.version, name.description, path, file_name, checksum(content), content)


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


def _about_folder(path: Path, verdict: MigrationName | Ignored | Refused, place: Place) -> Problem | None:
    """Return that a folder is not read, where a person may think that it is."""
    if path.name.startswith(".") or path.name == "__pycache__":
        return None
    if isinstance(verdict, MigrationName) or (isinstance(verdict, Refused) and verdict.looks_like_migration):
        hint = "Put the statements in a file of that name, or move the folder away."
        return Problem("GM113", "This is a folder with the name of a migration.", hint, place)
    inside = next((each for each in sorted(path.rglob("*")) if _is_left_out(each)), None)
    if inside is None:
        return None
    message = f"Folders inside the migrations folder are not read; this one holds {inside.name!r}."
    hint = "Move its migrations up into the migrations folder, or the folder elsewhere."
    return Problem("GM113", printable(message), hint, place)


def _is_left_out(path: Path) -> bool:
    """Whether a person may think that this is read; a link that leads nowhere counts as a file."""
    return may_hold_statements(path.name) and not os.path.isdir(path)


def _duplicates(files: list[MigrationFile]) -> list[Problem]:
    return [
        Problem(
            "GM112",
            f"{first.name!r} and {second.name!r} have the same version, {second.version.canonical}.",
            "Give one of them a version of its own; 1, 001 and 1.0 are the same version.",
            _place(second.location),
        )
        for first, second in pairwise(files)
        if first.version == second.version
    ]
