"""Values that the project reader produces: files, headers, migrations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from graphmigrate.migrations.paths import MigrationFile, MigrationFolder

if TYPE_CHECKING:
    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place

__all__ = ["Condition", "Header", "Migration", "MigrationFile", "MigrationFolder", "Options"]


@dataclass(frozen=True, slots=True)
class Condition:
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


@dataclass(frozen=True, slots=True)
class Options:
    """The ``// graphmigrate: …`` header words of one migration; ``None`` means "not said"."""

    batch: int | None = None
    max_batches: int = 100_000
    transaction: Literal["segment", "statement"] = "segment"
    repeatable: bool = False
    timeout: float | None = None
    retry: int | None = None
    cypher: Literal["5", "25"] | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Everything said in comment lines before the first statement."""

    conditions: tuple[Condition, ...] = ()
    options: Options = field(default_factory=Options)

    @property
    def queries(self) -> tuple[Condition, ...]:
        """The conditions that the database answers, just before the migration."""
        return tuple(each for each in self.conditions if each.subject == "query")


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file read whole: header and statements."""

    file: MigrationFile
    header: Header
    statements: tuple[Statement, ...]
