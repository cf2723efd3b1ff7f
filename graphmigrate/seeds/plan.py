"""Which seeds are chosen, what each sends, and what the ledger says is to be done with it: skip, resume, load, or refuse."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from graphmigrate.database.history import LOADED, LOADING, RESETTING
from graphmigrate.errors import HistoryMismatch, Place, Problem, UsageError, raise_all
from graphmigrate.results import SeedInfo, SkippedSeed
from graphmigrate.seeds import folder as folders
from graphmigrate.seeds import frontmatter
from graphmigrate.seeds.batches import digest, digest_of
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.frontmatter import from_json, in_words
from graphmigrate.seeds.program import Program, Query, build, reset_of
from graphmigrate.seeds.template import checksum, render
from graphmigrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.folder import SeedFolder
    from graphmigrate.seeds.frontmatter import SeedFile
    from graphmigrate.seeds.ledger import SeedRow
    from graphmigrate.seeds.template import Rendering

UNCHANGED = "unchanged since it was loaded"
_COMMENTS = re.compile(r"\{#.*?#\}|/\*.*?\*/|//[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PreparedSeed:
    """A seed rendered and checked: ready to be explained and loaded.

    ``variables`` is their JSON text; ``secrets`` are the values it took from the environment: never shown.
    ``reset`` are the statements that remove what it made; none where its front matter names none. ``render_reset``
    renders them with other variables.
    """

    file: SeedFile
    variables: str
    checksum: str
    program: Program = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    reset: tuple[Query, ...] = field(default=(), repr=False)
    render_reset: Callable[[Mapping[str, Any]], Rendering] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """The seed's name."""
        return self.file.name

    def with_reset(self, rendering: Rendering) -> PreparedSeed:
        """Return it with this reset, whose values of the environment are not shown either."""
        secrets = (*self.secrets, *rendering.environment.values())
        return replace(self, reset=reset_of(rendering), secrets=secrets)


@dataclass(frozen=True, slots=True)
class Preparation:
    """The chosen seeds in loading order, and those that were left out for their profile.

    ``named`` are those that were asked for, where not all of them were: the others are what these depend on.
    """

    seeds: tuple[PreparedSeed, ...]
    left_out: tuple[SkippedSeed, ...] = ()
    named: tuple[str, ...] = ()


def prepare(
    seeds_dir: Path,
    *,
    names: Sequence[str] = (),
    profile: str | None = None,
    variables: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
) -> Preparation:
    """Choose, order, render and check seeds; asks no database.

    Of ``settings`` it uses the size a statement may have and what of the environment may be read.
    ``variables`` are texts, as ``--set`` gives them,
    or values. Raises SeedFileError (exit code 2) for whatever is wrong with the folder, the arguments, a
    template or the head of a data file.
    """
    folder = folders.collect(seeds_dir)
    chosen = folders.select(folder, names, profile)
    given = dict(variables or {})
    frontmatter.check_names(given, chosen)
    seeds = tuple(
        prepare_one(folder, seed, frontmatter.effective(seed, given, profile), settings) for seed in chosen
    )
    return Preparation(seeds, () if names else _left_out(folder, chosen), tuple(names))


def prepare_one(
    folder: SeedFolder, seed: SeedFile, variables: Mapping[str, Any], settings: Settings | None = None
) -> PreparedSeed:
    """Render and check one seed with these variables; a statement that is too large is refused (GM122)."""
    settings = settings or Settings()
    allowed = {name: os.environ.get(name) for name in settings.env_allowed}
    rendering = render(folder.path, seed, variables, allowed)
    program = build(rendering, seed.front.order)
    if not program.parts and not _COMMENTS.sub("", frontmatter.split(seed.text)[1]).strip():
        hint = "Write a statement, or delete the file; what other seeds include begins with '_'."
        place = Place(seed.file, 1)
        raise SeedFileError("This seed holds no statement.", hint=hint, place=place, code="GM121")
    limit = settings.max_statement_size
    for query in program.queries:
        if len(query.text) > limit // 4 and (size := len(query.text.encode())) > limit:
            message = f"This statement has {size:,} bytes; the limit is {limit:,}."
            hint = "Send data as rows: {% unwind row in … %}. Or raise the setting max_statement_size."
            raise SeedFileError(message, hint=hint, place=query.place, code="GM122")
    secrets = tuple(rendering.environment.values())
    written = frontmatter.to_json(variables)
    prepared = PreparedSeed(seed, written, checksum(seed, rendering), program, secrets)
    if not seed.front.reset:
        return prepared
    # As many lines before it as in the file, so that what is wrong is shown at its line.
    text = "\n" * (seed.front.reset_line - 1) + seed.front.reset
    render_reset = partial(render, folder.path, replace(seed, text=text), allowed=allowed)
    return replace(prepared, render_reset=render_reset).with_reset(render_reset(variables))


def _left_out(folder: SeedFolder, chosen: Sequence[SeedFile]) -> tuple[SkippedSeed, ...]:
    others = [seed for seed in folder.seeds.values() if seed not in chosen]
    found = []
    for seed in others:
        names = seed.front.profiles
        belongs = f"the profile{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else "no profile"
        found.append(SkippedSeed(seed.name, f"it belongs to {belongs}"))
    return tuple(found)


# ---- what the ledger makes of them


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
        unchanged = (SkippedSeed(each.seed.name, each.skip) for each in self.decisions if each.skip)
        return (*unchanged, *self.left_out)


def decide(
    database: Database,
    preparation: Preparation,
    *,
    force: bool = False,
    allow_duplicates: bool = False,
    reset: bool = False,
) -> Decided:
    """Say what loading would do with each prepared seed, or raise all refusals at once; needs no lock and writes nothing.

    ``force``, ``allow_duplicates`` and ``reset`` are for the seeds that were named, all where none was: not for what these
    depend on. Raises HistoryMismatch or UsageError for a reset of a seed that names no statement for it (GM531), or whose
    statement cannot be rendered with the variables of that load; an interrupted load or reset whose files or variables changed
    since (GM554, without ``force``); a reload of a seed that uses CREATE (GM555 where it changed, GM556 where it was forced,
    without ``allow_duplicates``).
    """
    from graphmigrate.seeds.ledger import read_loads

    history, made = read_loads(database)
    decisions: list[Decision] = []
    problems: list[Problem] = []
    for seed in preparation.seeds:
        chosen = not preparation.named or seed.name in preparation.named
        options = {"force": force, "twice": allow_duplicates, "reset": reset}
        decided = _one(seed, history.get(seed.name), **{name: on and chosen for name, on in options.items()})
        if isinstance(decided, Decision) and decided.removes:
            decided = _removing(decided, made.get(seed.name))
        if isinstance(decided, Problem):
            problems.append(decided)
        else:
            decisions.append(decided)
    mismatch = any(problem.code in {"GM554", "GM555"} for problem in problems)
    kind = HistoryMismatch if mismatch else UsageError
    code = problems[0].code if problems else None
    raise_all(problems, kind, "{count} seeds cannot be loaded as asked.", code=code)
    return Decided(tuple(decisions), preparation.left_out)


def _removing(decision: Decision, load: SeedRow | None) -> Decision | Problem:
    """Let the reset remove what ``load`` made, whose variables may be others than those of the next load."""
    seed, place = decision.seed, Place(decision.seed.file.file, 1)
    if load is not None and load.variables != seed.variables and seed.render_reset:
        now, then = from_json(seed.variables), from_json(load.variables)
        try:  # a variable that is newer than that load keeps its value of now
            seed = seed.with_reset(seed.render_reset(now | then if then.keys() <= now.keys() else then))
        except SeedFileError as error:
            variables = in_words(then) or "it had none"
            message = (
                f"The seed {seed.name!r} was loaded with other variables ({variables}), and its reset cannot be"
                f" rendered with these: {error.message}"
            )
            hint = "Nothing was removed. Give the seed those variables again; or write their values into its reset."
            return Problem(error.error_code, message, hint, error.place)
    if seed.reset:
        return replace(decision, seed=seed)
    message = f"The seed {seed.name!r} does not say how to remove what it made."
    hint = "Name the statement in its front matter, for example: reset: MATCH (n:Person) WITH n LIMIT $batch DETACH DELETE n"
    return Problem("GM531", message, hint, place)


def _one(
    seed: PreparedSeed, row: SeedRow | None, *, force: bool, twice: bool, reset: bool
) -> Decision | Problem:
    again = Decision(seed, row.generation + 1 if row else 1)
    if row is None or reset:
        return replace(again, reset=reset)
    changed = what_changed(seed, row)
    if row.state != LOADED and not force:
        if changed and not _goes_on(seed, row):
            return _interrupted(seed, row, changed)
        return Decision(seed, row.generation, row)
    if row.state == RESETTING:  # what the reset has not removed yet must not stay
        return replace(again, reset=True)
    if row.state == LOADED and not changed and not force:
        return Decision(seed, skip=UNCHANGED)
    if not seed.program.creates or twice:
        return again
    place, name = Place(seed.file.file, 1), seed.name
    if force:
        message = f"The seed {name!r} uses CREATE: loaded again, it would make everything twice."
        return Problem("GM556", message, "Write it with MERGE; or add --allow-duplicates.", place)
    message = f"The seed {name!r} was loaded already, and since then {changed} changed; it uses CREATE."
    hint = f"Write it with MERGE; or load it once more: graphmigrate seed {name} --allow-duplicates"
    return Problem("GM555", message, hint, place)


def _goes_on(seed: PreparedSeed, row: SeedRow) -> bool:
    """Whether only what comes after the committed rows was changed; reads these rows."""
    digests = [row.digest, *(lane.digest for lane in row.lanes)]
    if row.state != LOADING or row.variables != seed.variables or None in digests:
        return False
    try:
        return digest_of(seed.program, row) == digest(0, digests)  # type: ignore[arg-type]
    except SeedFileError:
        return False


def _interrupted(seed: PreparedSeed, row: SeedRow, changed: str) -> Problem:
    message = f"The reset of seed {seed.name!r} was interrupted, and since then {changed} changed."
    cure = f"reset it anew: graphmigrate seed {seed.name} --reset"
    if row.state != RESETTING:
        message = (
            f"The load of seed {seed.name!r} was interrupted after {row.committed:,} rows,"
            f" and since then {changed} changed, also in what is loaded."
        )
        cure = f"load it anew: graphmigrate seed {seed.name} --force"
        cure += " --allow-duplicates (it uses CREATE)" if seed.program.creates else ""
    return Problem("GM554", message, f"Undo that to continue there; or {cure}", Place(seed.file.file, 1))


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


# ---- the list of seeds


def catalogue(
    seeds_dir: Path, database: Database | None = None, settings: Settings | None = None
) -> tuple[SeedInfo, ...]:
    """List the seeds, by name; with their states (new, loaded, changed, interrupted) given a database.

    Writes nothing. Raises SeedFileError for misnamed files and bad front matter.
    """
    history: Mapping[str, SeedRow] = {}
    if database is not None:
        from graphmigrate.seeds.ledger import read_loads

        history = read_loads(database)[0]
    folder = folders.collect(seeds_dir)
    return tuple(
        SeedInfo(
            name=seed.name,
            description=seed.front.description,
            file=seed.file,
            depends=seed.front.depends,
            profiles=seed.front.profiles,
            variables=dict(seed.front.variables),
            state=None if database is None else _state(folder, seed, history.get(seed.name), settings),
        )
        for _, seed in sorted(folder.seeds.items())
    )


def _state(folder: SeedFolder, seed: SeedFile, row: SeedRow | None, settings: Settings | None) -> str:
    if row is None:
        return "new"
    if row.state != LOADED:
        return "interrupted"
    recorded = frontmatter.from_json(row.variables)
    if recorded.keys() != seed.front.variables.keys():
        return "changed"
    try:
        # With the variables it was loaded with: choosing others is not a change of the seed.
        prepared = prepare_one(folder, seed, recorded, settings)
        return "loaded" if prepared.checksum == row.checksum else "changed"
    except SeedFileError:
        return "changed"
