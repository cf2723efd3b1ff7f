"""All that can be known of seeds without a database: which ones, in which order, what each sends."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Place
from graphmigrate.results import SeedInfo, SkippedSeed
from graphmigrate.seeds import folder as folders
from graphmigrate.seeds import frontmatter
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.history import LOADED
from graphmigrate.seeds.program import Program, Query, build, reset_of
from graphmigrate.seeds.template import checksum, render
from graphmigrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.folder import SeedFolder
    from graphmigrate.seeds.frontmatter import SeedFile
    from graphmigrate.seeds.history import SeedRow
    from graphmigrate.seeds.template import Rendering


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

    def removing(self, recorded: str) -> PreparedSeed:
        """Return it with the reset of a load that had other variables: those ``recorded`` in the ledger; newer ones stay.

        Raises SeedFileError where the reset cannot be rendered with these.
        """
        if self.render_reset is None:
            return self
        now, then = (frontmatter.from_json(text) for text in (self.variables, recorded))
        return self.with_reset(self.render_reset(now | then if then.keys() <= now.keys() else then))

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
    folder.check()
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
        raise SeedFileError(
            "This seed holds no statement.", hint=hint, place=Place(seed.file, 1), code="GM121"
        )
    limit = settings.max_statement_size
    for query in program.queries:
        if len(query.text) > limit // 4 and (size := len(query.text.encode())) > limit:
            raise SeedFileError(
                f"This statement has {size:,} bytes; the limit is {limit:,}.",
                hint="Send data as rows: {% unwind row in … %}. Or raise the setting max_statement_size.",
                place=query.place,
                code="GM122",
            )
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
    taken = {seed.name for seed in chosen}
    return tuple(
        SkippedSeed(seed.name, _reason(seed.front.profiles))
        for seed in folder.seeds.values()
        if seed.name not in taken
    )


def _reason(profiles: Sequence[str]) -> str:
    if not profiles:
        return "it belongs to no profile"
    return f"it belongs to the profile{'s' if len(profiles) > 1 else ''} {', '.join(profiles)}"


# ---- the list of seeds


def catalogue(
    seeds_dir: Path, database: Database | None = None, settings: Settings | None = None
) -> tuple[SeedInfo, ...]:
    """List the seeds, by name; with their states (new, loaded, changed, interrupted) given a database.

    Writes nothing. Raises SeedFileError for misnamed files and bad front matter.
    """
    if database is None:
        return _list(seeds_dir, None, settings)
    from graphmigrate.seeds.ledger import read_loads

    return _list(seeds_dir, read_loads(database)[0], settings)


def _list(
    seeds_dir: Path, history: Mapping[str, SeedRow] | None, settings: Settings | None
) -> tuple[SeedInfo, ...]:
    folder = folders.collect(seeds_dir)
    folder.check()
    return tuple(
        SeedInfo(
            name=seed.name,
            description=seed.front.description,
            file=seed.file,
            depends=seed.front.depends,
            profiles=seed.front.profiles,
            variables=dict(seed.front.variables),
            state=None if history is None else _state(folder, seed, history.get(seed.name), settings),
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
