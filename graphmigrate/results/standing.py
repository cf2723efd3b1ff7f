"""How history and files stand, and what ``migrate`` did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from graphmigrate.errors import Severity

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from graphmigrate.errors import Problem


class State(StrEnum):
    """The state of one migration, from its file and its history together."""

    APPLIED = "applied"
    PENDING = "pending"
    SKIPPED = "skipped"
    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One line of ``status``; ``baseline`` rows are applied ones that were marked, not run."""

    version: str
    description: str
    state: State
    file: str | None
    installed_on: datetime | None = None
    installed_by: str | None = None
    execution_time: timedelta | None = None
    type: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The database that was asked."""

    uri: str
    database: str
    edition: str
    version: str


@dataclass(frozen=True, slots=True)
class Status:
    """Every migration known to the files or to the history, in order of version."""

    target: Target
    rows: tuple[StatusRow, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is pending, changed, missing, interrupted or out of order; warnings are no matter."""
        errors = any(each.severity is Severity.ERROR for each in self.problems)
        return not errors and all(row.state in {State.APPLIED, State.SKIPPED} for row in self.rows)


@dataclass(frozen=True, slots=True)
class SkippedMigration:
    """A migration whose ``assume`` does not hold here."""

    version: str
    description: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A migration that this run brought to its end; ``settled`` ones had been committed by a run that died."""

    version: str
    description: str
    seconds: float
    settled: bool = False


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """The outcome of ``migrate``; ``version`` is the highest applied one afterwards, None in an empty history."""

    target: Target
    applied: tuple[AppliedMigration, ...]
    skipped: tuple[SkippedMigration, ...]
    version: str | None
    seconds: float
    warnings: tuple[Problem, ...] = ()
