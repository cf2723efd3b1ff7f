"""What a run did so far: kept apart, so that a run that has nothing to do imports nothing of the runner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from graphmigrate.results import AppliedMigration, SkippedMigration


@dataclass(slots=True)
class Outcome:
    """What a run did so far."""

    applied: list[AppliedMigration] = field(default_factory=list)
    skipped: list[SkippedMigration] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    times: list[tuple[str, timedelta]] = field(default_factory=list)
