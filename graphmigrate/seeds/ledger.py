"""What the ledger keeps of seeds: a node for each load, and one for each lane while several sessions load a row block.

Every node is read strictly (``database.shape``) and advanced by the one commit engine (``database.commit``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from graphmigrate.database.commit import Backoff, Step, commit
from graphmigrate.database.ledger import read_nodes
from graphmigrate.database.records import DAMAGE_HINT
from graphmigrate.database.shape import faults
from graphmigrate.errors import HistoryMismatch, Problem, raise_all
from graphmigrate.seeds.history import LOADED, RESETTING, lane_key, lanes_prefix, newest, seed_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.history import SeedRow

_SECONDS = 60.0  # how long an error that may pass is retried
_DROP_LANES: LiteralString = "MATCH (s:__GraphMigrateSeed) WHERE s.key STARTS WITH $prefix DETACH DELETE s"


def read_loads(database: Database) -> tuple[dict[str, SeedRow], dict[str, SeedRow]]:
    """Return the newest load of each seed by name, and the newest one that began to make something; reads only.

    Raises HistoryMismatch (GM612) where a node was changed by something else.
    """
    ledger = database.settings.ledger
    nodes = [node for node in read_nodes(database) if node.kind == "Seed"]
    wrong = [(node, found) for node in nodes if (found := faults(node, ledger))]
    problems = [
        Problem(
            "GM612",
            f"graphmigrate's {node.name} was changed by something else: {'; '.join(found)}.",
            DAMAGE_HINT,
        )
        for node, found in wrong
    ]
    raise_all(
        problems,
        HistoryMismatch,
        "{count} nodes of graphmigrate's seeds were changed by something else.",
        code="GM612",
    )
    rows = [node.values for node in nodes]
    # A load whose reset is not done has made nothing yet; what it removes is an earlier one's.
    begun = [row for row in rows if row.get("state") != RESETTING]
    return newest(ledger, rows), newest(ledger, begun)


class SeedSteps:
    """Commits the steps of one load, and those of its lanes."""

    def __init__(self, database: Database, name: str, generation: int, committed: int) -> None:
        self._database = database
        self._name = name
        self._generation = generation
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
            values = {
                **first,
                "name": self._name,
                "installed_by": self._database.user,
                "installed_on": now,
                **values,
            }
        key = seed_key(self._database.settings.ledger, self._name, self._generation)
        steps = [self._step(key, self.committed + 1, values)]
        steps += [
            self._step(self.lane_key(values["part"], lane), 1, {"load": key, "offset": 0, "rows": 0})
            for lane in range(lanes)
        ]
        found = self._commit(steps, work)
        self.committed += 1
        return found

    def advance_lane(
        self,
        key: str,
        number: int,
        values: Mapping[str, Any],
        work: Callable[[neo4j.Transaction], Any],
        turn: Callable[[int], AbstractContextManager[Any]],
    ) -> Any:
        """Commit step ``number`` of a lane with its work; ``turn`` is entered for each attempt."""
        return self._commit([self._step(key, number, values)], work, turn)

    def lane_key(self, part: int, lane: int) -> str:
        """Return the key of a lane's node."""
        return lane_key(self._database.settings.ledger, self._name, self._generation, part, lane)

    def drop_lanes(self, tx: neo4j.Transaction) -> None:
        """Delete the nodes of every lane of the seed: the load's own node says now that they are done, or given up."""
        prefix = lanes_prefix(self._database.settings.ledger, self._name)
        tx.run(_DROP_LANES, prefix=prefix).consume()

    def _step(self, key: str, number: int, values: Mapping[str, Any]) -> Step:
        return Step(key, number, values, f"the seed {self._name!r}", "Seed")

    def _commit(self, steps: list[Step], work: Callable[[neo4j.Transaction], Any], *turn: Any) -> Any:
        options = {"turn": turn[0]} if turn else {}
        return commit(self._database, steps, work, backoff=Backoff(seconds=_SECONDS), **options)
