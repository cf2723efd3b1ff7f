"""What the façade returns: plain values, ready to be printed or serialised.

Making a class of values takes Python half a millisecond and a command needs few: each is looked up when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphmigrate.results.changes import (
        BaselineResult,
        PlannedMigration,
        PlannedStatement,
        PlanResult,
        RepairAction,
        RepairResult,
    )
    from graphmigrate.results.looks import Check, Checkup, GraphSummary, Health
    from graphmigrate.results.seeds import (
        CheckedSeed,
        LoadedSeed,
        SeedCheckResult,
        SeedInfo,
        SeedResult,
        SeedShowResult,
        ShownStatement,
        SkippedSeed,
    )
    from graphmigrate.results.standing import (
        AppliedMigration,
        MigrateResult,
        SkippedMigration,
        State,
        Status,
        StatusRow,
        Target,
    )

__all__ = [
    "AppliedMigration",
    "BaselineResult",
    "Check",
    "CheckedSeed",
    "Checkup",
    "GraphSummary",
    "Health",
    "LoadedSeed",
    "MigrateResult",
    "PlanResult",
    "PlannedMigration",
    "PlannedStatement",
    "RepairAction",
    "RepairResult",
    "SeedCheckResult",
    "SeedInfo",
    "SeedResult",
    "SeedShowResult",
    "ShownStatement",
    "SkippedMigration",
    "SkippedSeed",
    "State",
    "Status",
    "StatusRow",
    "Target",
]

_MODULES = {
    "changes": (
        "BaselineResult",
        "PlanResult",
        "PlannedMigration",
        "PlannedStatement",
        "RepairAction",
        "RepairResult",
    ),
    "looks": (
        "Check",
        "Checkup",
        "GraphSummary",
        "Health",
    ),
    "seeds": (
        "CheckedSeed",
        "LoadedSeed",
        "SeedCheckResult",
        "SeedInfo",
        "SeedResult",
        "SeedShowResult",
        "ShownStatement",
        "SkippedSeed",
    ),
    "standing": (
        "AppliedMigration",
        "MigrateResult",
        "SkippedMigration",
        "State",
        "Status",
        "StatusRow",
        "Target",
    ),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            found = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
