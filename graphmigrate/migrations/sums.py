"""``graphmigrate.sum``: one line for each file, whose hash covers the line before it, so that two branches meet in git."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from graphmigrate.errors import Place, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from graphmigrate.migrations.model import MigrationFile, MigrationFolder

NAME = "graphmigrate.sum"
REWRITE = "If that is meant, write it anew: graphmigrate new --sum"


def written(folder: MigrationFolder) -> str:
    """Return the lines for a folder's files, the versions last."""
    lines, before = [], ""
    for path, file in _files(folder).items():
        before = _hash(before, path, file)
        lines.append(f"{before} {path}\n")
    return "".join(lines)


def check(folder: MigrationFolder) -> list[Problem]:
    """Return where the files are not what the folder's ``graphmigrate.sum`` says; nothing where there is none."""
    path = folder.path / NAME
    try:
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        hint = "Make it a readable file, or delete it."
        return [Problem("GM114", f"{NAME} cannot be read: {error.strerror}.", hint, Place(str(path), 1))]
    files = _files(folder)
    problems: list[Problem] = []
    listed, before = set(), ""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.fullmatch(r"([0-9a-f]{64}) (.+)", line)
        file = files.get(match[2]) if match else None
        if match is None:
            problems.append(
                _problem(f"This line of {NAME} is not understood.", Place(str(path), number, 1, line))
            )
        elif match[2] in listed or file is None:
            what = "stands here twice" if match[2] in listed else "is listed here, and there is no such file"
            problems.append(_problem(f"{match[2]} {what}.", Place(str(path), number, 1, line)))
        elif match[1] != _hash(before, match[2], file):
            message = f"{match[2]} is not what {NAME} says: it was edited since, or a line above it was."
            problems.append(_problem(message, Place(file.location, 1)))
        if match:
            listed.add(match[2])
            before = match[1]
    unlisted = [file for name, file in files.items() if name not in listed]
    problems += [
        _problem(f"{file.name} is not listed in {NAME}.", Place(file.location, 1)) for file in unlisted
    ]
    return problems


def _problem(message: str, place: Place) -> Problem:
    return Problem("GM114", message, REWRITE, place)


def write(folder: MigrationFolder) -> Path:
    """Write the file anew, in one step; raises OSError."""
    path = folder.path / NAME
    new = path.with_name(f".{NAME}.new")
    new.write_text(written(folder), encoding="utf-8", newline="\n")
    return new.replace(path)


def _files(folder: MigrationFolder) -> dict[str, MigrationFile]:
    """Return every file by its path in the folder; versions come last, so that a new one is a new last line."""
    files = sorted(folder.files, key=lambda file: file.kind == "versioned")
    found = (*folder.callbacks, *folder.undos, *files)
    return {file.path.relative_to(folder.path).as_posix(): file for file in found}


def _hash(before: str, path: str, file: MigrationFile) -> str:
    return hashlib.sha256(f"{before}\n{path}\n{file.checksum}".encode("utf-8", "surrogatepass")).hexdigest()
