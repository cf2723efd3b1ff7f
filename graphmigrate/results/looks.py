"""What a look at the graph, or at the way to it, found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class GraphSummary:
    """Counts of what the graph holds, the ledger's own nodes aside."""

    labels: dict[str, int]
    relationship_types: dict[str, int]


class Health(StrEnum):
    """What one check of ``doctor`` came to; nothing after a ``failed`` one can be asked."""

    OK = "ok"
    FINDING = "finding"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that ``doctor`` looked at; ``code`` is that of the error which any other command would end with."""

    name: str
    health: Health
    message: str
    hint: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Checkup:
    """Everything that ``doctor`` looked at, in the order of the way to the database."""

    uri: str
    checks: tuple[Check, ...]

    @property
    def connected(self) -> bool:
        """Whether the database could be asked."""
        return all(each.health is not Health.FAILED for each in self.checks)

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to mend."""
        return all(each.health in {Health.OK, Health.SKIPPED} for each in self.checks)
