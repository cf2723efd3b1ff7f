"""Take over the history of another tool: what it applied counts as applied here; nothing of it is changed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database.ledger import read_duration
from graphmigrate.database.records import moment
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch, Place, Problem, ProjectError, UsageError, raise_all
from graphmigrate.migrations.baseline import mark, marked
from graphmigrate.migrations.foreign import Foreign, Row, read_foreign, sums
from graphmigrate.migrations.names import MigrationName, read_name
from graphmigrate.results import AdoptedMigration, AdoptResult

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History
    from graphmigrate.migrations.model import MigrationFile
    from graphmigrate.migrations.workspace import Workspace

_NUMBERED = re.compile(
    r"(?i)(?:v|ver|version|m|mig|migration)?[-_. ]*([0-9]+(?:[._][0-9]+)*)(?=[-_. ]|$)(.*)"
)
_SCRIPT = re.compile(r"(?i)(.+?)(\.up|\.down)?\.(?:cypher|cql|cyp|cypherl)")


class _Pair(NamedTuple):
    version: Version
    row: Row
    file: MigrationFile | None


def adopt(
    workspace: Workspace, *, project: str | None, accept: Collection[str], dry_run: bool
) -> AdoptResult:
    """Read the history of another tool, hold it against the files, and write a row for each version that has none yet.

    Raises UsageError (GM610) where there is no such history, LockTimeout (GM401) and HistoryMismatch (GM211) where the tool
    is at work or failed, HistoryMismatch (GM602) for files that are not what was applied.
    """
    files = {file.version: file for file in workspace.files(may_be_empty=True).files}
    accepted = {Version.parse(each) for each in accept}
    if dry_run:
        _ = workspace.target
        return _result(workspace, *_read(workspace.database, project, files, accepted), workspace.history())
    with workspace.locked(None):
        foreign, pairs, how = _read(workspace.database, project, files, accepted)
        history = workspace.history()
        new = [pair for pair in pairs if pair.version not in history.rows]
        if new:
            read_foreign(workspace.database, project)  # it must not have begun to work meanwhile
        ranks = enumerate(new, history.top_rank + 1)
        rows = [(pair.version, _row_of(pair, workspace.database, rank)) for rank, pair in ranks]
        mark(workspace.database, history, rows)
        return _result(workspace, foreign, pairs, how, history)


def _read(
    database: Database,
    project: str | None,
    files: dict[Version, MigrationFile],
    accepted: Collection[Version],
) -> tuple[Foreign, list[_Pair], list[str]]:
    """Return the other tool's history, its rows with their files, and how each file was compared."""
    foreign = read_foreign(database, project)
    rows = {
        Version.parse(row.version): row for row in foreign.rows
    }  # of a version that is there twice, the last
    if foreign.upto:
        (limit,), (last,) = rows, foreign.rows
        versions = sorted({*(each for each in files if each <= limit and not each.is_named), limit})
        rows = {each: last._replace(version=each.text) for each in versions}
    known = {version: files.get(version) for version in rows}
    pairs = [_Pair(file.version if file else version, rows[version], file) for version, file in known.items()]
    how: list[str] = []
    problems = [problem for pair in pairs if (problem := _compare(pair, accepted, how))]
    raise_all(problems, HistoryMismatch, "{count} files are not what was applied; nothing was adopted.")
    return foreign, pairs, how


def _compare(pair: _Pair, accepted: Collection[Version], how: list[str]) -> Problem | None:
    """Say how a file was compared with its row; return a finding where it is not what was applied."""
    file, row = pair.file, pair.row
    if file is None:
        how.append("no file")
    elif row.checksum is None or row.type not in {"", "CYPHER"} or not file.name.endswith(".cypher"):
        how.append("not compared")
    elif matching := [form for form, value in sums(file.content).items() if value == row.checksum]:
        how.append(f"checksum {matching[0]}")
    elif pair.version in accepted:
        how.append("accepted as it is")
    else:
        return Problem(
            "GM602",
            f"{file.name} is not what was applied: no form of its checksum is {row.checksum}.",
            f"Put the file back as it was, or adopt it as it is now: graphmigrate adopt --accept {pair.version.name}",
            Place(file.location, 1),
        )
    return None


def _row_of(pair: _Pair, database: Database, rank: int) -> dict[str, Any]:
    """Return the row of an adopted version, with the times that the other tool knows."""
    row = pair.row
    description = row.description or "adopted"
    first = marked(pair.version, pair.file, database, rank, description=description, user=row.by)
    return first | {
        "installed_on": _time(row) or datetime.now(UTC),
        "execution_time": read_duration(row.took),
    }


def _time(row: Row) -> datetime | None:
    """Return when it was applied; a time without a zone counts as UTC."""
    at = moment(row.at)
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def _result(
    workspace: Workspace, foreign: Foreign, pairs: Sequence[_Pair], how: Sequence[str], history: History
) -> AdoptResult:
    told = tuple(
        AdoptedMigration(
            pair.version.text,
            pair.file.description if pair.file else pair.row.description,
            _time(pair.row),
            pair.file.name if pair.file else None,
            compared,
        )
        for pair, compared in zip(pairs, how, strict=True)
        if pair.version not in history.rows
    )
    return AdoptResult(workspace.target, foreign.tool, told, len(pairs) - len(told))


# ---- a folder of scripts


def renames(folder: Path) -> tuple[tuple[Path, Path], ...]:
    """Return how the scripts of a folder are to be called; raises ProjectError (GM112, GM113) with all that keep it untold.

    ``003_users.cypher`` becomes ``V003__users.cypher``, ``3.up.cql`` and ``3.down.cql`` V3 and U3. Where no name has a number,
    the order is that of the names.
    """
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {folder}.", hint="Name the folder of the scripts.", code="GM110"
        )
    scripts = sorted(each for each in folder.iterdir() if each.is_file() and _SCRIPT.fullmatch(each.name))
    if not scripts:
        raise ProjectError(
            f"{folder} holds no script (.cypher, .cql, .cyp, .cypherl).",
            hint="Name another folder.",
            code="GM110",
        )
    right = [path for path in scripts if isinstance(read_name(path.name), MigrationName)]
    scripts = [path for path in scripts if path not in right]
    stems = [(path, *_SCRIPT.fullmatch(path.name).groups()) for path in scripts]  # type: ignore[union-attr]
    numbers = [_NUMBERED.fullmatch(stem) for _, stem, _ in stems]
    if not right and not any(numbers):
        numbers = [re.fullmatch(r"()(.*)", stem) for _, stem, _ in stems]
    problems: list[Problem] = []
    found: dict[Path, list[Path]] = {path: [path] for path in right if path.name[0] in "VU"}
    for number, ((path, _, direction), match) in enumerate(zip(stems, numbers, strict=True), 1):
        if match is None:
            hint = "Give its name a number, such as 7_words.cypher, or move it out of the folder."
            message = f"{path.name} has no version, and others have one."
            problems.append(Problem("GM113", message, hint, Place(str(path), 1)))
            continue
        words = re.sub(r"_{2,}", "_", re.sub(r"[^\w-]+", "_", match[2])).strip("_-") or "script"
        letter = "U" if (direction or "").lower() == ".down" else "V"
        found.setdefault(folder / f"{letter}{match[1] or number}__{words}.cypher", []).append(path)
    problems += _doubles(found)
    raise_all(problems, ProjectError, "{count} names do not say an order; nothing was renamed.", code="GM113")
    return tuple((old, new) for new, (old,) in found.items() if old != new)


def _doubles(found: Mapping[Path, Sequence[Path]]) -> Iterator[Problem]:
    """Yield where two scripts would be one version, or a name is taken."""
    versions: dict[tuple[str, Version], Path] = {}
    for new, olds in found.items():
        version = Version.parse(new.name[1:].partition("__")[0])
        other = versions.setdefault((new.name[0], version), olds[0])
        taken = new.exists() and new not in olds
        if len(olds) > 1 or other != olds[0] or taken:
            rival = new if taken else other if other != olds[0] else olds[1]
            message = f"{olds[0].name} and {rival.name} would both be {new.name[0]}{version.text}."
            name = f"{new.name[0]}{version.text}.1__{new.name.partition('__')[2]}"
            hint = f"Rename {olds[-1].name}, to {name} for example, then run this again. Nothing was renamed."
            yield Problem("GM112", message, hint, Place(str(olds[0]), 1))
