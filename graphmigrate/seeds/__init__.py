"""Seeds: Jinja templates over Cypher whose values travel as parameters, loaded exactly once.

In this order: ``prepare`` (files and templates, no database), ``decide`` (what the ledger says; no write),
and, under the lock, ``decide`` again and ``run``. Nothing imports the driver until a database is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.events import Listener, SeedSkipped, Warned, ignore
from graphmigrate.results import GraphSummary
from graphmigrate.seeds.plan import Decided, Preparation, PreparedSeed, catalogue, judge, prepare

if TYPE_CHECKING:
    from graphmigrate.database.connection import Database
    from graphmigrate.results import CheckedSeed, LoadedSeed, SeedShowResult, SkippedSeed

__all__ = [
    "Decided",
    "Preparation",
    "PreparedSeed",
    "catalogue",
    "check",
    "decide",
    "prepare",
    "run",
    "show",
    "totals",
]


def decide(
    database: Database,
    preparation: Preparation,
    *,
    force: bool = False,
    allow_duplicates: bool = False,
    reset: bool = False,
) -> Decided:
    """Say what loading would do with each prepared seed; needs no lock and writes nothing.

    ``force``, ``allow_duplicates`` and ``reset`` are for the seeds that were named, all where none was: not for
    what these depend on. Raises HistoryMismatch (GM554, GM555) or UsageError (GM531, GM556) where a seed cannot
    be loaded as asked.
    """
    from graphmigrate.seeds.ledger import read_loads

    history, made = read_loads(database)
    named = frozenset(preparation.named or (seed.name for seed in preparation.seeds))
    options = {"force": force, "allow_duplicates": allow_duplicates, "reset": reset}
    chosen = {option: named if given else frozenset[str]() for option, given in options.items()}
    return Decided(judge(preparation.seeds, history, made, **chosen), preparation.left_out)


def run(
    database: Database, decided: Decided, *, strict: bool = False, listen: Listener = ignore
) -> tuple[tuple[LoadedSeed, ...], tuple[SkippedSeed, ...]]:
    """Let the server check every statement, then load; the caller holds the lock, and decided under it.

    Raises PreflightError before anything is loaded (GM201), SeedFailed and LockLost while loading.
    """
    from graphmigrate.seeds.checks import check_statements, hiding
    from graphmigrate.seeds.loader import load

    for skipped in decided.skipped:
        listen(SeedSkipped(skipped.name, skipped.reason))
    due = [each for each in decided.decisions if each.skip is None]
    seeds = [each.seed for each in due]
    with hiding(seeds):
        for problem in check_statements(database, seeds):
            listen(Warned(problem))
        return load(database, due, strict=strict, listen=listen), decided.skipped


def totals(database: Database) -> GraphSummary:
    """Count the nodes of each label and the relationships of each type, at once: the server keeps these numbers."""
    from graphmigrate.database.catalogue import count

    return GraphSummary(*count(database))


def check(
    database: Database | None, preparation: Preparation, *, rows: bool, listen: Listener = ignore
) -> tuple[CheckedSeed, ...]:
    """Let the server, if there is one, check every statement, and read every row where ``rows`` says so; load nothing.

    Raises PreflightError (GM201) with everything that the server refuses, or SeedFileError for a bad row.
    """
    from graphmigrate.seeds.checks import check_seed, check_statements, hiding

    with hiding(preparation.seeds):
        problems = check_statements(database, preparation.seeds) if database is not None else []
        checked = [check_seed(seed, rows=rows) for seed in preparation.seeds]
        for problem in (*problems, *(each for _, found in checked for each in found)):
            listen(Warned(problem))
        return tuple(found for found, _ in checked)


def show(preparation: Preparation, name: str, *, rows: int) -> SeedShowResult:
    """Return what the seed ``name`` would send; asks no database."""
    from graphmigrate.seeds.checks import hiding, show_seed

    [seed] = [each for each in preparation.seeds if each.name == name]
    with hiding([seed]):
        return show_seed(seed, rows)
