"""The histories of other tools, as their nodes say them, and the sums of files that they keep."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database import queries
from graphmigrate.errors import HistoryMismatch, LockTimeout, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.database.connection import Database

NEITHER = (
    "Those of nodestream, runic, Liquibase and morpheus are not read. Write down what is there with: "
    "graphmigrate baseline --from-database"
)
_NOT_READ = (
    (r"(?i)nodestream", "nodestream"),
    (r"(?i)liquibase", "Liquibase"),
    (r"(?i)runic|FalkorMigrate", "runic"),
    (r"(?i)morpheus", "morpheus"),
)
_JAVA_SPACE = "".join(map(chr, range(0x21)))
_USE = re.compile(r":use +([a-z][a-z\d.\-]{2,62})(?:;?(?:\r?\n|\r)?)?", re.IGNORECASE)
_CONDITION = re.compile(r"// *(?:assume|assert)(?: in (?:schema|target))? (?:that|q').*", re.IGNORECASE)


class Row(NamedTuple):
    """One migration that another tool has applied: as much as its history says."""

    version: str
    description: str
    type: str = ""
    checksum: str | None = None
    at: str | None = None
    took: str | None = None
    by: str | None = None


class Foreign(NamedTuple):
    """A history: whose it is, and its rows in order of application; ``upto`` where it says no more than a version."""

    tool: str
    rows: tuple[Row, ...]
    upto: bool = False


def read_foreign(database: Database, project: str | None) -> Foreign:
    """Return the history that is there.

    Raises UsageError where there is none, or several; LockTimeout and HistoryMismatch where its tool is at work or failed.
    """
    labels = {str(record["name"]) for record in database.read(queries.LABELS_IN_USE)}
    found = [
        each
        for label, read in (("__Neo4jMigration", _neo4j_migrations), ("SchemaMigration", _golang))
        if label in labels and (each := read(database, project)).rows
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(each.tool for each in found)
        hint = "Which is right? Delete the nodes of the other one, then run this again."
        raise UsageError(f"The database has the histories of {names}.", hint=hint, code="GM610")
    others = sorted({tool for pattern, tool in _NOT_READ for label in labels if re.search(pattern, label)})
    there = f"; there is one of {', '.join(others)}" if others else ""
    message = f"No history of neo4j-migrations, neo4j-python-migrations or golang-migrate was found{there}."
    raise UsageError(message, hint=NEITHER, code="GM610")


def _neo4j_migrations(database: Database, project: str | None) -> Foreign:
    for record in database.read(queries.NEO4J_MIGRATIONS_LOCK):
        raise LockTimeout(
            f"neo4j-migrations holds its lock ({record['name']}): it is at work, or died.",
            hint="Wait until it has ended. Where it died, delete the node: MATCH (l:__Neo4jMigrationsLock) DELETE l",
        )
    nodes = [
        record
        for record in database.read(queries.NEO4J_MIGRATIONS)
        if record["node"].get("migrationTarget") in {None, database.name}
    ]
    projects = sorted({str(each["node"]["project"]) for each in nodes if each["node"].get("project")})
    if project is None and projects:
        hint = f"Say whose history it is: graphmigrate adopt --project {projects[0]}"
        raise UsageError(
            f"The history is divided into projects: {', '.join(projects)}.", hint=hint, code="GM610"
        )
    nodes = [each for each in nodes if each["node"].get("project") == project]
    if project is not None and not nodes:
        hint = f"There are: {', '.join(projects)}." if projects else "Leave --project out."
        raise UsageError(f"There is no history of a project {project!r}.", hint=hint, code="GM610")
    rows = tuple(_row(each) for each in _in_order(nodes) if _counts(each["node"]))
    java = any(each["node"].get("repeatable") is not None for each in nodes)
    return Foreign("neo4j-migrations" if java else "neo4j-python-migrations", rows)


def _counts(node: dict[str, Any]) -> bool:
    version = node.get("version")
    skipped = node.get("flyway_failed") or node.get("type") == "DELETE"
    return version not in {None, "BASELINE"} and not skipped


def _in_order(nodes: Sequence[Any]) -> Iterable[Any]:
    """Return the nodes along the chain; those that hang on nothing come first."""
    after: dict[str | None, list[Any]] = {}
    known = {each["id"] for each in nodes}
    for each in nodes:
        after.setdefault(each["before"] if each["before"] in known else None, []).append(each)
    found, open_ends = [], [None]
    for end in open_ends:
        found += after.get(end, [])
        open_ends += [each["id"] for each in after.get(end, [])]
    reached = {each["id"] for each in found}
    return [*found, *(each for each in nodes if each["id"] not in reached)]  # a ring hangs on nothing, too


def _row(record: Any) -> Row:
    node, repeated = record["node"], record["repeated"]
    return Row(
        str(node["version"]),
        str(node.get("description") or ""),
        str(node.get("type") or ""),
        _text(repeated or node.get("checksum")),
        record["at"],
        record["took"],
        _text(record["by"]),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _golang(database: Database, _: str | None) -> Foreign:
    """Read the one version that golang-migrate is at; the node that was written last says it."""
    for record in database.read(queries.GOLANG_MIGRATE):
        version, dirty = record["version"], record["dirty"]
        if not isinstance(version, int) or version < 0:
            break
        if dirty:
            raise HistoryMismatch(
                f"golang-migrate stopped inside version {version}, and its state is dirty.",
                hint="Look at the database, put right what is half done, then say with `migrate force VERSION` where it is.",
                code="GM211",
            )
        return Foreign("golang-migrate", (Row(str(version), "", at=record["at"]),), upto=True)
    return Foreign("golang-migrate", ())


# ---- sums


def sums(content: bytes) -> dict[str, str]:
    """Return every sum that neo4j-migrations and neo4j-python-migrations know for a file, by how it is made."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return {}
    plain = _java_statements(text)
    unix = _java_statements(text, autocrlf=True)
    by_semicolon = [each for part in re.sub("\r\n?", "\n", text).split(";")[:-1] if (each := part.strip())]
    lines = re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff"))
    flyway = _crc(lines)
    return {
        "of neo4j-migrations": str(_crc(plain)),
        "of neo4j-migrations with --autocrlf": str(_crc(unix)),
        "of neo4j-migrations without preconditions": str(_crc(map(_without_conditions, plain))),
        "of neo4j-migrations as Flyway makes it": str(flyway - (1 << 32) if flyway >= 1 << 31 else flyway),
        "of neo4j-python-migrations": str(_crc(by_semicolon)) if by_semicolon else "None",
    }


def _crc(parts: Iterable[str]) -> int:
    value = 0
    for part in parts:
        value = zlib.crc32(part.encode("utf-8", "surrogatepass"), value)
    return value


def _java_statements(text: str, *, autocrlf: bool = False) -> list[str]:
    """Cut a text as neo4j-migrations does: at a semicolon that ends a line; ``:use`` is a statement of its own."""
    found: list[str] = []
    for piece in re.split(r";(?:\r?\n|\r)", text):
        statement = piece.strip(_JAVA_SPACE).removesuffix(";").strip(_JAVA_SPACE)
        if autocrlf:
            statement = statement.replace("\r\n", "\n")
        found += [match[0].strip(_JAVA_SPACE) for match in _USE.finditer(statement)]
        found.append(_USE.sub("", statement))
    return [each for each in found if each]


def _without_conditions(statement: str) -> str:
    """Leave out the assume and assert lines among the comments that a statement begins with."""
    pieces = re.split(r"(\r?\n|\r)", statement)  # lines and their ends in turn
    kept, leading = "", statement.startswith("//")
    for line, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        leading = leading and line.lstrip().startswith("//")
        is_condition = leading and end and _CONDITION.search(line)
        kept += line[: len(line) - len(line.lstrip())] if is_condition else line + end
    return kept
