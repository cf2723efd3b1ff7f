"""What the ledger keeps of seeds, as values: a node for each load, and one for each lane while several sessions load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RESETTING = "resetting"
LOADING = "loading"
LOADED = "loaded"


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane of a row block: of the rows before number ``offset`` all of its own are committed.

    ``rows`` is how many rows this lane committed.
    """

    key: str
    commits: int = 1
    offset: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class SeedRow:
    """What the ledger knows of one load: ``part`` parts and ``offset`` items of the next are committed.

    Where several sessions were loading that next part, ``lanes`` are its lanes, and ``spread`` tells which rows each of them
    gets; this does not change until the whole is loaded.
    """

    key: str
    name: str
    checksum: str
    variables: str
    state: str
    commits: int
    part: int
    offset: int
    rows: int
    run: str
    spread: str = ""
    lanes: tuple[LaneRow, ...] = field(default=())

    @property
    def generation(self) -> int:
        """The ``n`` of the key: 1 for the first load, one more with each deliberate reload."""
        return int(self.key.rpartition("@")[2])

    @property
    def committed(self) -> int:
        """How many rows of the seed's sources are committed."""
        return self.rows + sum(lane.rows for lane in self.lanes)


def seeds_prefix(ledger: str) -> str:
    """Return what the keys of all loads begin with."""
    return f"{ledger}/seed/"


def lanes_prefix(ledger: str, name: str = "") -> str:
    """Return what the keys of all lanes, or of those of one seed, begin with."""
    return f"{ledger}/seed-lane/{name}@" if name else f"{ledger}/seed-lane/"


def seed_key(ledger: str, name: str, generation: int) -> str:
    """``<ledger>/seed/<name>@<n>``: never null, so that uniqueness covers every row."""
    return f"{seeds_prefix(ledger)}{name}@{generation}"


def lane_key(ledger: str, name: str, generation: int, part: int, lane: int) -> str:
    """``<ledger>/seed-lane/<name>@<n>/<part>/<lane>``."""
    return f"{lanes_prefix(ledger, name)}{generation}/{part}/{lane:03}"


def newest(ledger: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, SeedRow]:
    """Put the ledger's nodes together: the newest load of each seed by name."""
    loads: dict[str, Mapping[str, Any]] = {}
    lanes: dict[str, list[LaneRow]] = {}
    for row in sorted(rows, key=lambda each: str(each["key"])):
        if row["key"].startswith(seeds_prefix(ledger)):
            known = loads.get(row["name"])
            if known is None or _generation(known) < _generation(row):
                loads[row["name"]] = row
        else:
            lane = LaneRow(row["key"], row["commits"], row["offset"], row["rows"])
            lanes.setdefault(row["load"], []).append(lane)
    return {name: _row(row, lanes.get(row["key"], [])) for name, row in loads.items()}


def _generation(row: Mapping[str, Any]) -> int:
    return int(row["key"].rpartition("@")[2])


def _row(row: Mapping[str, Any], lanes: list[LaneRow]) -> SeedRow:
    return SeedRow(
        key=row["key"],
        name=row["name"],
        checksum=row["checksum"],
        variables=row["variables"],
        state=row["state"],
        commits=row["commits"],
        part=row["part"],
        offset=row["offset"],
        rows=row["rows"],
        run=row["run"],
        spread=row.get("spread") or "",
        lanes=tuple(lanes),
    )
