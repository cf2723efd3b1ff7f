"""What is known of seeds, and what loading them did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphmigrate.results.looks import GraphSummary
    from graphmigrate.results.standing import Target


@dataclass(frozen=True, slots=True)
class SeedInfo:
    """One seed of the folder; ``state`` is loaded, changed or new (None where no database was asked)."""

    name: str
    description: str
    file: str
    depends: tuple[str, ...]
    profiles: tuple[str, ...]
    variables: dict[str, Any]
    state: str | None = None


@dataclass(frozen=True, slots=True)
class LoadedSeed:
    """One seed that this run loaded; ``changes`` are the server's counters by name.

    ``unmatched`` are the rows of this run that did not get to the end of their statement, because a MATCH or
    WHERE found nothing for them; only statements without WITH, CALL and the like are counted.
    """

    name: str
    seconds: float
    rows: int
    changes: dict[str, int] = field(default_factory=dict)
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class SkippedSeed:
    """One seed that was not loaded, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeedResult:
    """The outcome of ``seed``; ``totals`` is what the whole graph holds afterwards, where something was loaded."""

    target: Target
    loaded: tuple[LoadedSeed, ...]
    skipped: tuple[SkippedSeed, ...]
    seconds: float
    totals: GraphSummary | None = None


@dataclass(frozen=True, slots=True)
class CheckedSeed:
    """One seed that would load: its statements, its row blocks, and their rows (None where that is not known)."""

    name: str
    statements: int
    blocks: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class SeedCheckResult:
    """Seeds whose every statement the server agrees to; nothing was loaded."""

    target: Target
    seeds: tuple[CheckedSeed, ...]
    skipped: tuple[SkippedSeed, ...]


@dataclass(frozen=True, slots=True)
class ShownStatement:
    """One text that a seed sends, with the place in its template.

    A statement is sent ``times`` times; a row block once for each batch of the rows of ``rows_of``, of which the
    first are in ``rows``: lists in the order of ``columns``, or maps. ``total`` is how many rows there are, where
    that is known without reading. Values from the environment are replaced by asterisks.
    """

    file: str
    line: int
    cypher: str
    parameters: dict[str, Any]
    times: int | None
    rows_of: str | None
    columns: tuple[str, ...] | None = None
    rows: tuple[Any, ...] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True)
class SeedShowResult:
    """What one seed would send."""

    name: str
    file: str
    depends: tuple[str, ...]
    variables: dict[str, Any]
    statements: tuple[ShownStatement, ...]
