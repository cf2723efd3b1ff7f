"""Schema migrations and seeds for Neo4j.

As a library: ``Migrator`` does what the command line does, ``Settings`` (or ``load_settings``) says with what. Results are in
``graphmigrate.results``, events in ``graphmigrate.events``, errors in ``graphmigrate.errors``; the ones a program names most
are here too. Importing this package costs nothing: each name is looked up when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphmigrate.errors import (
        ConnectionFailed,
        GraphMigrateError,
        HistoryMismatch,
        LockLost,
        LockTimeout,
        MigrationFailed,
        NotAllowed,
        PreflightError,
        Problem,
        ProjectError,
        SeedFailed,
        UsageError,
    )
    from graphmigrate.events import Event
    from graphmigrate.migrations.code import batches
    from graphmigrate.migrator import Migrator
    from graphmigrate.results import MigrateResult, PlanResult, SeedResult, State, Status
    from graphmigrate.settings import Settings
    from graphmigrate.settings import load as load_settings

__all__ = [
    "ConnectionFailed",
    "Event",
    "GraphMigrateError",
    "HistoryMismatch",
    "LockLost",
    "LockTimeout",
    "MigrateResult",
    "MigrationFailed",
    "Migrator",
    "NotAllowed",
    "PlanResult",
    "PreflightError",
    "Problem",
    "ProjectError",
    "SeedFailed",
    "SeedResult",
    "Settings",
    "State",
    "Status",
    "UsageError",
    "__version__",
    "batches",
    "load_settings",
]

_ELSEWHERE = {
    "Migrator": "migrator",
    "Settings": "settings",
    "load_settings": "settings",
    "Event": "events",
    "batches": "migrations.code",
    "MigrateResult": "results",
    "PlanResult": "results",
    "SeedResult": "results",
    "State": "results",
    "Status": "results",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    from importlib import import_module

    module = import_module(f"{__name__}.{_ELSEWHERE.get(name, 'errors')}")
    return getattr(module, "load" if name == "load_settings" else name)


def __dir__() -> list[str]:
    return __all__
