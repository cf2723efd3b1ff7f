"""The seeds of a folder as a list, with their state where a database is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.results import SeedInfo
from graphmigrate.seeds import folder as folders
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.prepare import prepare_one
from graphmigrate.seeds.seed_history import LOADED
from graphmigrate.seeds.variables import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.folder import SeedFile, SeedFolder
    from graphmigrate.seeds.seed_history import SeedRow
    from graphmigrate.settings import Settings


def catalogue(
    seeds_dir: Path, database: Database | None = None, settings: Settings | None = None
) -> tuple[SeedInfo, ...]:
    """List the seeds, by name; with their states (new, loaded, changed, interrupted) given a database.

    Writes nothing. Raises SeedFileError for misnamed files and bad front matter.
    """
    if database is None:
        return _list(seeds_dir, None, settings)
    from graphmigrate.seeds.ledger import SeedLedger

    return _list(seeds_dir, SeedLedger(database).newest(), settings)


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
    recorded = from_json(row.variables)
    if recorded.keys() != seed.front.variables.keys():
        return "changed"
    try:
        # With the variables it was loaded with: choosing others is not a change of the seed.
        prepared = prepare_one(folder, seed, recorded, settings)
        return "loaded" if prepared.checksum == row.checksum else "changed"
    except SeedFileError:
        return "changed"
