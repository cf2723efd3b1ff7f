"""What the ledger keeps of seeds: a node for each load, and one for each lane while several sessions load a row block.

Every node is read strictly (``database.shape``) and advanced by the one commit engine (``database.commit``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from graphmigrate.database.backoff import Backoff
from graphmigrate.database.commit import Step, commit
from graphmigrate.database.history import LOADED, RESETTING
from graphmigrate.database.ledger import read_nodes
from graphmigrate.database.records import DAMAGE_HINT
from graphmigrate.database.shape import faults
from graphmigrate.errors import HistoryMismatch, Problem, raise_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    import neo4j

    from graphmigrate.database.connection import Database

_SECONDS = 60.0  # how long an error that may pass is retried
_DROP_LANES: LiteralString = """
MATCH (s:__GraphMigrateSeed) WHERE s.key STARTS WITH $prefix AND NOT s.key STARTS WITH $kept DETACH DELETE s
"""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane of a row block: of the rows before number ``offset`` all of its own are committed.

    ``rows`` is how many rows this lane committed, ``digest`` what is known of their content.
    """

    key: str
    commits: int = 1
    offset: int = 0
    rows: int = 0
    digest: int | None = 0


@dataclass(frozen=True, slots=True)
class SeedRow:
    """What the ledger knows of one load: ``part`` parts and ``offset`` items of the next are committed.

    Where several sessions were loading that next part, ``lanes`` are its lanes, and ``spread`` tells which rows each of them
    gets; this does not change until the whole is loaded. ``digest`` tells of the content of what is committed, lanes left out.
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
    digest: int | None = None
    lanes: tuple[LaneRow, ...] = ()

    @property
    def generation(self) -> int:
        """The ``n`` of the key: 1 for the first load, one more with each deliberate reload."""
        return int(self.key.rpartition("@")[2])

    @property
    def committed(self) -> int:
        """How many rows of the seed's sources are committed."""
        return self.rows + sum(lane.rows for lane in self.lanes)


def newest(ledger: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, SeedRow]:
    """Put the ledger's nodes together: the newest load of each seed by name."""
    loads: dict[str, Mapping[str, Any]] = {}
    lanes: dict[str, list[LaneRow]] = {}
    for row in sorted(rows, key=lambda each: (len(each["key"]), each["key"])):  # @10 after @9
        if row["key"].startswith(f"{ledger}/seed/"):
            loads[row["name"]] = row
        else:
            lane = LaneRow(row["key"], row["commits"], row["offset"], row["rows"], row.get("digest"))
            lanes.setdefault(row["load"], []).append(lane)
    names = [name for name in SeedRow.__slots__ if name not in {"spread", "digest", "lanes"}]
    return {
        name: SeedRow(
            **{each: row[each] for each in names},
            spread=row.get("spread") or "",
            digest=row.get("digest"),
            lanes=tuple(lanes.get(row["key"], ())),
        )
        for name, row in loads.items()
    }


def read_loads(database: Database) -> tuple[dict[str, SeedRow], dict[str, SeedRow]]:
    """Return the newest load of each seed by name, and the newest one that began to make something; reads only.

    Raises HistoryMismatch (GM612) where a node was changed by something else.
    """
    ledger = database.settings.ledger
    nodes = [node for node in read_nodes(database) if node.kind == "Seed"]
    wrong = [(node.name, "; ".join(found)) for node in nodes if (found := faults(node, ledger))]
    changed = "graphmigrate's {} was changed by something else: {}."
    problems = [Problem("GM612", changed.format(*each), DAMAGE_HINT) for each in wrong]
    summary = "{count} nodes of graphmigrate's seeds were changed by something else."
    raise_all(problems, HistoryMismatch, summary, code="GM612")
    rows = [node.values for node in nodes]
    # A load whose reset is not done has made nothing yet; what it removes is an earlier one's.
    begun = [row for row in rows if row.get("state") != RESETTING]
    return newest(ledger, rows), newest(ledger, begun)


class SeedSteps:
    """Commits the steps of one load, and those of its lanes."""

    def __init__(self, database: Database, name: str, generation: int, committed: int) -> None:
        self._database = database
        self._name = name
        self._key = f"{database.settings.ledger}/seed/{name}@{generation}"
        self._lanes = f"{database.settings.ledger}/seed-lane/{name}@"
        self._own_lanes = f"{self._lanes}{generation}/"
        self.committed = committed

    def advance(
        self,
        values: Mapping[str, Any],
        work: Callable[[neo4j.Transaction], Any],
        first: Mapping[str, Any],
        lanes: int = 0,
    ) -> Any:
        """Commit the load's own next step with its work; return what the work returns.

        ``first`` are the properties of the node that only its first step writes. ``lanes`` are made by the step, with nothing
        committed.
        """
        now = datetime.now(UTC)
        values = {**values, "loaded_on": now if values["state"] == LOADED else None}
        if self.committed == 0:
            made = {"name": self._name, "installed_by": self._database.user, "installed_on": now}
            values = {**first, **made, **values}
        nothing = {"load": self._key, "offset": 0, "rows": 0, "digest": 0}
        steps = [(self._key, self.committed + 1, values)]
        steps += [(self.lane_key(values["part"], lane), 1, nothing) for lane in range(lanes)]
        found = self._commit(steps, work)
        self.committed += 1
        return found

    def advance_lane(
        self,
        lane: LaneRow,
        work: Callable[[neo4j.Transaction], Any],
        turn: Callable[[int], AbstractContextManager[Any]],
    ) -> Any:
        """Commit the step that a lane is at after it, with its work; ``turn`` is entered for each attempt."""
        values = {"offset": lane.offset, "rows": lane.rows, "digest": lane.digest}
        return self._commit([(lane.key, lane.commits, values)], work, turn=turn)

    def lane_key(self, part: int, lane: int) -> str:
        """Return the key of a lane's node."""
        return f"{self._own_lanes}{part}/{lane:03}"

    def drop_lanes(self, tx: neo4j.Transaction, *, stale_alone: bool) -> None:
        """Delete the nodes of the seed's lanes, of earlier loads or of all: they are given up, or done."""
        tx.run(_DROP_LANES, prefix=self._lanes, kept=self._own_lanes if stale_alone else "/").consume()

    def _commit(
        self,
        steps: Iterable[tuple[str, int, Mapping[str, Any]]],
        work: Callable[[neo4j.Transaction], Any],
        **turn: Any,
    ) -> Any:
        found = [Step(*step, f"the seed {self._name!r}", "Seed") for step in steps]
        return commit(self._database, found, work, backoff=Backoff(seconds=_SECONDS), **turn)
