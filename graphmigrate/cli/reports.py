"""Results that belong to the command line alone, beside those of ``graphmigrate.results``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphmigrate.errors import Problem
    from graphmigrate.results import MigrateResult, SeedInfo, SeedResult, Target


@dataclass(frozen=True, slots=True)
class ValidateReport:
    """Every finding; ``valid`` is false where one of them is an error."""

    valid: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class NewReport:
    """The file that ``new`` made."""

    version: str
    file: str


@dataclass(frozen=True, slots=True)
class InitReport:
    """What ``init`` wrote, and what was there and stays as it is."""

    folder: str
    created: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeReport:
    """An error code; ``page`` is its Markdown where it was asked for by name."""

    code: str
    title: str
    page: str | None = None


@dataclass(frozen=True, slots=True)
class CodesReport:
    """Every error code."""

    codes: tuple[CodeReport, ...]


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """A shell's script of completion."""

    shell: str
    script: str


@dataclass(frozen=True, slots=True)
class SeedListReport:
    """The seeds of the folder."""

    seeds: tuple[SeedInfo, ...]


@dataclass(frozen=True, slots=True)
class QueryReport:
    """A query with its columns and rows."""

    cypher: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class WhereReport:
    """Where to look: ``http``, ``browser`` and ``stop`` are known for the project's own local server only."""

    bolt: str
    database: str | None
    http: str | None = None
    browser: str | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class SummaryReport:
    """Counts of the graph, the example query's result, and where to look."""

    labels: dict[str, int]
    relationship_types: dict[str, int]
    query: QueryReport | None
    where: WhereReport


@dataclass(frozen=True, slots=True)
class EntrypointReport:
    """What was done before ``command`` took over; ``seed`` is null where no seeds were asked for."""

    target: Target
    migrate: MigrateResult
    seed: SeedResult | None
    command: tuple[str, ...]
