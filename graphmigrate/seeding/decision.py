"""What to do with each seed, from what the ledger says: skip, resume, load, load again, or refuse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphmigrate.database.seed_history import LOADED
from graphmigrate.errors import GraphMigrateError, HistoryMismatch, Place, Problem, UsageError
from graphmigrate.results import SkippedSeed
from graphmigrate.seeding.variables import from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from graphmigrate.database.seed_history import SeedRow
    from graphmigrate.seeding.preparation import PreparedSeed
    from graphmigrate.seeding.reaching import Key

UNCHANGED = "unchanged since it was loaded"


@dataclass(frozen=True, slots=True)
class Decision:
    """``skip`` says why nothing is done; else load number ``generation`` is due, continuing ``resume``.

    ``reset`` tells that what the seed made is to be removed before.
    """

    seed: PreparedSeed
    generation: int = 1
    resume: SeedRow | None = None
    skip: str | None = None
    reset: bool = False

    def leaner(self, unique: Callable[[], Collection[Key]]) -> Decision:
        """Give it with a program that counts no rows where the database's constraints make that needless (``Program.leaner``)."""
        return replace(self, seed=replace(self.seed, program=self.seed.program.leaner(unique)))


@dataclass(frozen=True, slots=True)
class Decided:
    """What loading would do with every seed, in order; ``left_out`` are those that were not chosen."""

    decisions: tuple[Decision, ...]
    left_out: tuple[SkippedSeed, ...] = field(default=())

    @property
    def nothing_to_do(self) -> bool:
        """Whether no seed is to be loaded."""
        return all(decision.skip is not None for decision in self.decisions)

    @property
    def skipped(self) -> tuple[SkippedSeed, ...]:
        """Every seed that is not loaded, and why."""
        unchanged = (
            SkippedSeed(each.seed.name, each.skip) for each in self.decisions if each.skip is not None
        )
        return (*unchanged, *self.left_out)


def judge(
    seeds: Iterable[PreparedSeed],
    history: Mapping[str, SeedRow],
    *,
    force: bool = False,
    allow_duplicates: bool = False,
    reset: frozenset[str] = frozenset(),
) -> tuple[Decision, ...]:
    """Decide for every seed, or raise all refusals at once; ``reset`` are those to be reset before.

    Refused: a reset of a seed that names no statement for it (GM531); an interrupted load whose files or
    variables changed since (GM554, without ``force``); a reload of a seed that uses CREATE (GM555 where it
    changed, GM556 where it was forced, without ``allow_duplicates``).
    """
    decisions: list[Decision] = []
    problems: list[Problem] = []
    for seed in seeds:
        row = history.get(seed.name)
        decided = (
            _reset(seed, row)
            if seed.name in reset
            else _one(seed, row, force=force, allow_duplicates=allow_duplicates)
        )
        if isinstance(decided, Problem):
            problems.append(decided)
        else:
            decisions.append(decided)
    if problems:
        raise _refusal(problems)
    return tuple(decisions)


def _reset(seed: PreparedSeed, row: SeedRow | None) -> Decision | Problem:
    if seed.reset:
        return Decision(seed, row.generation + 1 if row else 1, reset=True)
    return Problem(
        "GM531",
        f"The seed {seed.name!r} does not say how to remove what it made.",
        "Name the statement in its front matter, for example:"
        " reset: MATCH (n:Person) WITH n LIMIT $batch DETACH DELETE n",
        Place(seed.file.file, 1),
    )


def _one(
    seed: PreparedSeed, row: SeedRow | None, *, force: bool, allow_duplicates: bool
) -> Decision | Problem:
    if row is None:
        return Decision(seed)
    changed = what_changed(seed, row)
    again = Decision(seed, row.generation + 1)
    place = Place(seed.file.file, 1)
    if row.state != LOADED and not force:
        if not changed:
            return Decision(seed, row.generation, row)
        return Problem(
            "GM554",
            f"The load of seed {seed.name!r} was interrupted after {row.committed:,} rows,"
            f" and since then {changed} changed.",
            f"Undo that to continue there; or load it anew: graphmigrate seed {seed.name} --force"
            + (" --allow-duplicates (it uses CREATE)" if seed.program.creates else ""),
            place,
        )
    if row.state == LOADED and not changed and not force:
        return Decision(seed, skip=UNCHANGED)
    if not seed.program.creates or allow_duplicates:
        return again
    if force:
        return Problem(
            "GM556",
            f"The seed {seed.name!r} uses CREATE: loaded again, it would make everything twice.",
            "Write it with MERGE; or add --allow-duplicates.",
            place,
        )
    return Problem(
        "GM555",
        f"The seed {seed.name!r} was loaded already, and since then {changed} changed; it uses CREATE.",
        f"Write it with MERGE; or load it once more: graphmigrate seed {seed.name} --allow-duplicates",
        place,
    )


def what_changed(seed: PreparedSeed, row: SeedRow) -> str:
    """Say what differs from the recorded load; empty where nothing does."""
    parts = []
    if seed.checksum != row.checksum:
        parts.append("its files")
    if seed.variables != row.variables:
        now, then = from_json(seed.variables), from_json(row.variables)
        names = sorted(
            name for name in now.keys() | then.keys() if now.get(name) != then.get(name) or name not in then
        )
        parts.append(f"its variables ({', '.join(names) or 'their types'})")
    return " and ".join(parts)


def _refusal(problems: list[Problem]) -> GraphMigrateError:
    mismatch = any(problem.code in {"GM554", "GM555"} for problem in problems)
    kind = HistoryMismatch if mismatch else UsageError
    first = problems[0]
    if len(problems) == 1:
        return kind(first.message, hint=first.hint, place=first.place, code=first.code, problems=problems)
    return kind(f"{len(problems)} seeds cannot be loaded as asked.", code=first.code, problems=problems)
