"""Seeds: Jinja templates over Cypher whose values travel as parameters, loaded exactly once.

Nothing here imports the driver until a database is asked, so that listing and checking seeds stay quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.events import Listener, SeedSkipped, ignore
from graphmigrate.seeding.catalogue import catalogue, catalogue_with_states
from graphmigrate.seeding.prepare import Preparation, PreparedSeed, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from graphmigrate.database.connection import Database
    from graphmigrate.results import LoadedSeed, SkippedSeed
    from graphmigrate.seeding.decide import Decision

__all__ = [
    "Preparation",
    "PreparedSeed",
    "catalogue",
    "catalogue_with_states",
    "decisions",
    "execute",
    "prepare",
    "run",
]


def decisions(
    database: Database, preparation: Preparation, *, force: bool = False, allow_duplicates: bool = False
) -> tuple[Decision, ...]:
    """Say what loading would do with each prepared seed; needs no lock and writes nothing.

    Where every decision has a ``skip``, there is nothing to do. Raises HistoryMismatch or UsageError (GM554
    to GM556).
    """
    from graphmigrate.database.seed_ledger import SeedLedger
    from graphmigrate.seeding.decide import decide

    return decide(
        preparation.seeds, SeedLedger(database).newest(), force=force, allow_duplicates=allow_duplicates
    )


def execute(
    database: Database,
    preparation: Preparation,
    *,
    force: bool = False,
    allow_duplicates: bool = False,
    listen: Listener = ignore,
) -> tuple[tuple[LoadedSeed, ...], tuple[SkippedSeed, ...]]:
    """Decide, let the server check every statement, and load. The caller holds the lock.

    Raises PreflightError before anything is loaded (GM557), SeedFailed and LockLost while loading.
    """
    from graphmigrate.seeding import preflight
    from graphmigrate.seeding.loader import load

    decided = decisions(database, preparation, force=force, allow_duplicates=allow_duplicates)
    preflight.check(database, [decision.seed for decision in decided if decision.skip is None])
    loaded, skipped = load(database, decided, listen=listen)
    for each in preparation.left_out:
        listen(SeedSkipped(each.name, each.reason))
    return loaded, (*skipped, *preparation.left_out)


def run(
    database: Database,
    seeds_dir: Path,
    *,
    names: Sequence[str] = (),
    profile: str | None = None,
    variables: Mapping[str, Any] | None = None,
    force: bool = False,
    allow_duplicates: bool = False,
    listen: Listener = ignore,
) -> tuple[tuple[LoadedSeed, ...], tuple[SkippedSeed, ...]]:
    """Prepare and execute in one call. The caller holds the lock."""
    preparation = prepare(seeds_dir, names=names, profile=profile, variables=variables)
    return execute(database, preparation, force=force, allow_duplicates=allow_duplicates, listen=listen)
