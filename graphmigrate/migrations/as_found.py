"""Write the migration that makes the schema of a database, and mark it as there already."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.version import Version
from graphmigrate.errors import UsageError
from graphmigrate.migrations.baseline import baseline
from graphmigrate.migrations.files import collect, rewrite_sums
from graphmigrate.schema.model import ObjectType, render
from graphmigrate.schema.options import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from graphmigrate.migrations.workspace import Workspace
    from graphmigrate.results import BaselineResult
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import CatalogueEntry

_UNKNOWN = {ObjectType.OTHER_INDEX, ObjectType.OTHER_CONSTRAINT}
_TOOLS = ("__GraphMigrate", "__Neo4jMigration")


def write_as_found(workspace: Workspace, version: Version) -> BaselineResult:
    """Write ``V<version>__as_found.cypher``, and a file of its own for what needs Enterprise Edition; mark both as applied.

    Raises UsageError where the version is taken (GM610), nothing is there to write, or the folder cannot be written (GM167).
    """
    with workspace.locked(None):
        history, folder = workspace.history(), workspace.files(may_be_empty=True)
        texts = _texts(read_catalogue(workspace.database), version)
        versions = {Version.parse(name[1:].partition("__")[0]) for name in texts}
        taken = versions & {*history.rows, *(file.version for file in folder.files)}
        if taken:
            hint = "Choose another one: graphmigrate baseline --from-database --as VERSION"
            raise UsageError(
                f"{min(taken).name} is there already; nothing was written.", hint=hint, code="GM610"
            )
        written = _write(folder.path, texts)
        try:
            rewrite_sums(folder.path)
            found = collect(folder.path)
            new = found._replace(files=tuple(file for file in found.files if file.version in versions))
            result = baseline(workspace.database, new, history, max(versions), without_files=False)
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            with suppress(OSError):
                rewrite_sums(folder.path)
            raise
    return result._replace(files=tuple(map(str, written)))


def _texts(catalogue: Catalogue, version: Version) -> dict[str, str]:
    """Return the files' texts by name."""
    entries = [
        *catalogue.constraints.values(),
        *(each for each in catalogue.indexes.values() if each.owner is None),
    ]
    wanted = [
        each
        for each in sorted(entries, key=lambda each: (not each.object.type.is_constraint, each.name))
        if each.object.type is not ObjectType.LOOKUP
        and not any(label.startswith(_TOOLS) for label in each.object.labels)
    ]
    if not wanted:
        hint = "Mark a version without a file: graphmigrate baseline V1 --without-files"
        raise UsageError(
            "The database has no constraint and no index to write down.", hint=hint, code="GM610"
        )
    of_enterprise = [each for each in wanted if each.object.type.needs_enterprise]
    others = [each for each in wanted if each not in of_enterprise]
    texts = {}
    if others or not of_enterprise:
        texts[f"V{version.text}__as_found.cypher"] = _text(others)
    if of_enterprise:
        number = f"{version.text}.1" if others else version.text
        texts[f"V{number}__as_found_enterprise.cypher"] = "// assume that edition is enterprise\n" + _text(
            of_enterprise
        )
    return texts


def _text(entries: Iterable[CatalogueEntry]) -> str:
    first = (
        "// The schema as it was found. It is marked as applied where it came from; a new database runs it.\n"
    )
    return first + "".join(map(_statement, entries))


def _statement(entry: CatalogueEntry) -> str:
    """Return a guarded statement; of a kind that is not known here, what the server says, for a person to look at."""
    target = entry.object
    if target.type in _UNKNOWN:
        return f"// Not known to graphmigrate, so it is left out: {' '.join((entry.create or entry.name).split())}\n"
    newer = target.type is ObjectType.VECTOR and (len(target.properties) > 1 or len(target.labels) > 1)
    words = ["CYPHER 25" if newer else "", render(target), options_of(entry.create)]
    return " ".join(filter(None, words)) + ";\n"


def _write(folder: Path, texts: dict[str, str]) -> list[Path]:
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path = folder / name
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                written.append(path)
                stream.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        message = f"The migrations cannot be written into {folder}: {error.strerror or error}."
        raise UsageError(
            message, hint="Check the folder's rights. Nothing was marked.", code="GM167"
        ) from None
    return written
