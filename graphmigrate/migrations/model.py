"""A project's migrations as values: files, headers, statements."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from graphmigrate.cypher.lexer import normalise_bytes
from graphmigrate.value import Value

if TYPE_CHECKING:
    from datetime import timedelta

    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.version import Version
    from graphmigrate.errors import Place, Problem
    from graphmigrate.results import AppliedMigration, SkippedMigration


def checksum(*contents: bytes) -> str:
    """Return SHA-256, in hexadecimal: the same for one text, however an editor or Git stored its line ends."""
    return hashlib.sha256(b"\0".join(map(normalise_bytes, contents))).hexdigest()


class FileKind(StrEnum):
    """What a file is by its name: ``V…``, ``R…``, ``U…``, or a callback such as ``afterMigrate.cypher``."""

    VERSIONED = "versioned"
    REPEATABLE = "repeatable"
    UNDO = "undo"
    CALLBACK = "callback"


class MigrationFile(NamedTuple):
    """A file on disk, named and hashed but not yet read: cheap for ten thousand of them."""

    version: Version
    description: str
    location: str
    name: str
    checksum: str
    content: bytes
    kind: FileKind = FileKind.VERSIONED

    @property
    def type(self) -> str:
        """What the ledger calls it."""
        if self.kind in {FileKind.REPEATABLE, FileKind.UNDO}:
            return self.kind.value
        return "python" if self.name.endswith(".py") else "cypher"

    @property
    def path(self) -> Path:
        """Where it is; made when asked for, because making it takes longer than reading the file."""
        return Path(self.location)


class MigrationFolder(NamedTuple):
    """What ``collect`` found, in order of version, with every finding about names.

    ``files`` are what has a row in the history: versioned and repeatable ones. ``undos`` are the files that take one back,
    ``squashed`` those that a squash has replaced.
    """

    path: Path
    files: tuple[MigrationFile, ...]
    problems: tuple[Problem, ...]
    undos: tuple[MigrationFile, ...] = ()
    callbacks: tuple[MigrationFile, ...] = ()
    squashed: tuple[MigrationFile, ...] = ()


class Condition(Value):
    """An ``assert`` or ``assume`` header line.

    For ``edition`` the value is ``community`` or ``enterprise``; for ``version`` a dotted number with an
    operator (``is`` matches every release that begins with it: ``5.26`` matches ``5.26.25``; then there may be
    several, joined by ``or``); for ``query`` a Cypher query that returns one boolean.
    """

    mode: Literal["assert", "assume"]
    subject: Literal["edition", "version", "query"]
    operator: Literal["is", "ge", "lt"]
    value: str
    place: Place

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of a condition on the version, any of which will do."""
        return tuple(self.value.split(" or "))


class Options(Value):
    """The ``// graphmigrate: …`` header words of one migration; ``None`` means "not said"."""

    batch: int | None = None
    max_batches: int = 100_000
    transaction: Literal["segment", "statement"] = "segment"
    repeatable: bool = False
    timeout: float | None = None
    retry: int | None = None
    cypher: Literal["5", "25"] | None = None


class Header(Value):
    """Everything said in comment lines before the first statement."""

    conditions: tuple[Condition, ...] = ()
    options: Options = Options()

    @property
    def queries(self) -> tuple[Condition, ...]:
        """The conditions that the database answers, just before the migration."""
        return tuple(each for each in self.conditions if each.subject == "query")


class Code(NamedTuple):
    """A migration in Python: where its functions stand; ``rows`` of each batch, None without batches."""

    upgrade: Place
    downgrade: Place | None = None
    rows: int | None = None


class Migration(Value):
    """A migration file read whole: header, statements, and the databases that its ``:use`` lines name.

    One in Python has a single statement of the kind ``code``.
    """

    file: MigrationFile
    header: Header
    statements: tuple[Statement, ...]
    uses: tuple[tuple[str, Place], ...] = ()
    code: Code | None = None


@dataclass(slots=True)
class Outcome:
    """What a run did so far, also where it ends in an error."""

    applied: list[AppliedMigration] = field(default_factory=list)
    skipped: list[SkippedMigration] = field(default_factory=list)
    undone: list[AppliedMigration] = field(default_factory=list)
    times: dict[str, timedelta] = field(default_factory=dict)  # by key, in order
