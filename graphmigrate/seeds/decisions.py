"""What to do with each seed, from what the ledger says: skip, resume, load, load again, or refuse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphmigrate.errors import GraphMigrateError, HistoryMismatch, Place, Problem, UsageError
from graphmigrate.results import SkippedSeed
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.frontmatter import from_json, in_words
from graphmigrate.seeds.history import LOADED, RESETTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphmigrate.seeds.history import SeedRow
    from graphmigrate.seeds.prepare import PreparedSeed

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

    @property
    def removes(self) -> bool:
        """Whether what the seed made, or the rest of it, is removed before it is loaded."""
        return self.reset or (self.resume is not None and self.resume.state == RESETTING)


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
    made: Mapping[str, SeedRow],
    *,
    force: frozenset[str] = frozenset(),
    allow_duplicates: frozenset[str] = frozenset(),
    reset: frozenset[str] = frozenset(),
) -> tuple[Decision, ...]:
    """Decide for every seed, or raise all refusals at once; each option has the names of those it is for.

    ``history`` has the newest row of each seed, ``made`` the newest one of a load that began to make something:
    what a reset removes. Refused: a reset of a seed that names no statement for it (GM531), or whose statement
    cannot be rendered with the variables of that load; an interrupted load or reset whose files or variables
    changed since (GM554, without ``force``); a reload of a seed that uses CREATE (GM555 where it changed, GM556
    where it was forced, without ``allow_duplicates``).
    """
    decisions: list[Decision] = []
    problems: list[Problem] = []
    for seed in seeds:
        row = history.get(seed.name)
        if seed.name in reset:
            decided: Decision | Problem = _reset(seed, row)
        else:
            decided = _one(
                seed, row, force=seed.name in force, allow_duplicates=seed.name in allow_duplicates
            )
        if isinstance(decided, Decision) and decided.removes:
            decided = _removing(decided, made.get(seed.name))
        if isinstance(decided, Problem):
            problems.append(decided)
        else:
            decisions.append(decided)
    if problems:
        raise _refusal(problems)
    return tuple(decisions)


def _reset(seed: PreparedSeed, row: SeedRow | None) -> Decision:
    return Decision(seed, row.generation + 1 if row else 1, reset=True)


def _removing(decision: Decision, load: SeedRow | None) -> Decision | Problem:
    """Let the reset remove what ``load`` made, whose variables may be others than those of the next load."""
    seed = decision.seed
    if load is not None and load.variables != seed.variables:
        try:
            seed = seed.removing(load.variables)
        except SeedFileError as error:
            return _unremovable(seed, load, error)
    if seed.reset:
        return replace(decision, seed=seed)
    return Problem(
        "GM531",
        f"The seed {seed.name!r} does not say how to remove what it made.",
        "Name the statement in its front matter, for example:"
        " reset: MATCH (n:Person) WITH n LIMIT $batch DETACH DELETE n",
        Place(seed.file.file, 1),
    )


def _unremovable(seed: PreparedSeed, load: SeedRow, error: SeedFileError) -> Problem:
    variables = in_words(from_json(load.variables)) or "it had none"
    return Problem(
        error.error_code,
        f"The seed {seed.name!r} was loaded with other variables ({variables}), and its reset cannot be"
        f" rendered with these: {error.message}",
        "Nothing was removed. Give the seed those variables again; or write their values into its reset.",
        error.place,
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
        return _interrupted(seed, row, changed, place) if changed else Decision(seed, row.generation, row)
    if row.state == RESETTING:  # what the reset has not removed yet must not stay
        return _reset(seed, row)
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


def _interrupted(seed: PreparedSeed, row: SeedRow, changed: str, place: Place) -> Problem:
    if row.state == RESETTING:
        message = f"The reset of seed {seed.name!r} was interrupted, and since then {changed} changed."
        cure = f"reset it anew: graphmigrate seed {seed.name} --reset"
    else:
        message = (
            f"The load of seed {seed.name!r} was interrupted after {row.committed:,} rows,"
            f" and since then {changed} changed."
        )
        cure = f"load it anew: graphmigrate seed {seed.name} --force"
        cure += " --allow-duplicates (it uses CREATE)" if seed.program.creates else ""
    return Problem("GM554", message, f"Undo that to continue there; or {cure}", place)


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
