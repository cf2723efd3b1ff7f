"""What ``plan`` foresees and what ``baseline`` and ``repair`` change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphmigrate.errors import Problem
    from graphmigrate.results.standing import SkippedMigration, Target


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """One statement of a plan."""

    file: str
    line: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """One migration of a plan; ``segment`` is the first to run (1 unless a former run was interrupted)."""

    version: str
    description: str
    file: str
    segment: int
    segments: int
    statements: tuple[PlannedStatement, ...]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What a run would do now; ``problems`` with severity error would stop it before anything runs."""

    target: Target
    migrations: tuple[PlannedMigration, ...]
    skipped: tuple[SkippedMigration, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """Versions that were marked as already there."""

    marked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepairAction:
    """One disagreement of history and files, the command that resolves it, and whether this call did so."""

    version: str
    description: str
    finding: str
    resolution: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What ``repair`` found and did."""

    actions: tuple[RepairAction, ...]
