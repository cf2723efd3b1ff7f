"""Ways out of a damaged ledger: what the records of runs prove is restored by name, the rest is decided by a person."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database import queries
from graphmigrate.database.history import COMPLETE, STARTED, name_in, version_in
from graphmigrate.database.records import item_of_row, read_plan, record_change, written_rows
from graphmigrate.database.shape import PREFIX, faults, is_relabelled
from graphmigrate.database.version import Version
from graphmigrate.errors import GraphMigrateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.database.shape import Node

FORMAT = 2
LEDGER = "ledger"  # how a person names everything of ours that is not a migration's node
_BASELINE = "graphmigrate baseline VERSION marks what is applied, and removes the damaged nodes"


class Way(NamedTuple):
    """What is wrong with a node, and what leads out: ``name`` is what a person says to ``repair --restore``.

    ``create`` has the properties of the node that takes the place of those in ``delete``; None where nothing proves them.
    """

    name: str
    finding: str
    resolution: str
    delete: tuple[str, ...] = ()
    create: dict[str, Any] | None = None
    relabel: str | None = None
    proven: bool = True


@dataclass(slots=True)
class Damage:
    """The nodes of a ledger, judged: ``items`` are what records plan of each key, ``rows`` what they say came of it.

    ``plans`` are those of the records by element id; without them only what is wrong is told.
    """

    nodes: Sequence[Node]
    plans: Mapping[str, Any] | None
    ledger: str
    sound: list[Node] = field(default_factory=list)
    damaged: list[Node] = field(default_factory=list)
    items: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    rows: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: dict[Any, int] = {}
        for node in self.nodes:
            seen[node.values.get("key")] = seen.get(node.values.get("key"), 0) + 1
        for node in self.nodes:
            alone = seen[node.values.get("key")] == 1
            (self.sound if alone and not self.wrong(node) else self.damaged).append(node)
        self.rows = written_rows(self.sound)
        for node in self.sound:
            if node.kind == "Run":
                self._learn(node)

    def wrong(self, node: Node) -> list[str]:
        """Return what is wrong with a node by itself; a run whose plan cannot be read proves nothing."""
        found = faults(node, self.ledger)
        if (
            not found
            and node.kind == "Run"
            and self.plans is not None
            and read_plan(self.plans.get(node.id)) is None
        ):
            return ["plan is not what a run has written"]
        return found

    def _learn(self, node: Node) -> None:
        """Take what a run planned; of one without an end, each migration before the last that has a node is complete."""
        plan = read_plan((self.plans or {}).get(node.id)) or ()
        for item in plan:
            self.items.setdefault(item["key"], []).append(item)
        if "ended" not in node.values:
            there = {each.values.get("key") for each in self.sound}
            last = max((at for at, item in enumerate(plan) if item["key"] in there), default=0)
            skipped = {each.values["version"] for each in self.sound if each.kind == "Attempt"}
            for item in plan[:last]:
                if item["key"] not in there and version_in(item["key"]) not in skipped:
                    self.rows.setdefault(item["key"], (item["steps"], 0, 0, 1))

    @property
    def missing(self) -> list[str]:
        """The keys of migrations that a run has written and that no sound node has."""
        there = {node.values.get("key") for node in self.sound}
        return sorted(self.rows.keys() - there)

    @property
    def is_complete(self) -> bool:
        """Whether the records are all there and sound, and every run has ended: then they name every migration."""
        owners = [node for node in self.sound if node.kind == "Ledger"]
        runs = [node for node in self.sound if node.kind == "Run"]
        known = len(owners) == 1 and owners[0].values.get("runs") == len(runs)
        bad_runs = any(node.kind in {"Run", None} for node in self.damaged)
        return (
            (known or (not owners and bool(runs)))
            and not bad_runs
            and all("ended" in run.values for run in runs)
        )


def ways(damage: Damage) -> list[Way]:
    """Name everything that is wrong with a ledger, each with what leads out."""
    found: list[Way] = []
    told: set[str] = set()
    for key in damage.missing:
        of_key = [
            node for node in damage.damaged if node.kind == "Migration" and _key_of(node, damage) == key
        ]
        told.update(node.id for node in of_key)
        found.append(_restored(key, of_key, damage))
    found += [_of_node(node, damage) for node in damage.damaged if node.id not in told]
    found += _of_ledger(damage, bool(found))
    if all(way.proven for way in found if way.name == LEDGER):
        return found
    return [way._replace(resolution=_BASELINE, proven=False) if way.name == LEDGER else way for way in found]


def _restored(key: str, nodes: Sequence[Node], damage: Damage) -> Way:
    name = name_in(key)
    wrong = "; ".join(
        each for node in nodes for each in damage.wrong(node) or ["there is more than one of it"]
    )
    finding = f"its node was changed by something else: {wrong}" if wrong else "its node is missing"
    create = _row(key, damage)
    ids = tuple(node.id for node in nodes)
    if create is None:
        return Way(name, finding, _decide(name), ids, proven=False)
    return Way(name, finding, f"graphmigrate repair --restore {name}", ids, create)


def _row(key: str, damage: Damage) -> dict[str, Any] | None:
    """Return the properties that the records prove of a migration's node."""
    found = (_row_of(item, damage.rows[key]) for item in reversed(damage.items.get(key, [])))
    return next((row for row in found if row), None)


def _row_of(item: Mapping[str, Any], came_to: tuple[int, int, int, int]) -> dict[str, Any] | None:
    step, batches, intent, commits = came_to
    done = step - item["first"] + 1
    at_hand = done + bool(batches or intent)
    if step > item["steps"] or not 0 <= done <= at_hand <= len(item["segments"]):
        return None
    statements = [*item["before"], *(each for _, some in item["segments"][:at_hand] for each in some)]
    names = ("key", "version", "type", "description", "checksum", "source", "rank", "steps")
    return {name: item[name] for name in names} | {
        "state": COMPLETE if step == item["steps"] else STARTED,
        "step": step,
        "batches": batches,
        "intent": intent or None,
        "commits": max(commits, 1),
        "statements": statements,
    }


def _of_node(node: Node, damage: Damage) -> Way:
    wrong = "; ".join(damage.wrong(node)) or "there is more than one of it"
    finding = f"graphmigrate's {node.name} was changed by something else: {wrong}"
    if node.kind not in {"Ledger", None} and is_relabelled(node, damage.ledger):
        # without a label of ours a node is found only where no other is: all of them are restored together
        is_found = any(label.startswith(PREFIX) for label in node.labels)
        name = _name_of(node, damage) if node.kind == "Migration" and is_found else LEDGER
        resolution = f"graphmigrate repair --restore {name}"
        return Way(name, finding, resolution, (node.id,), relabel=node.kind)
    if node.kind not in {"Migration", None}:
        lost = "; this seed then counts as never loaded" if node.kind == "Seed" else ""
        return Way(LEDGER, finding, f"graphmigrate repair --restore {LEDGER}{lost}", (node.id,))
    name = _name_of(node, damage)
    if (
        name == LEDGER and damage.is_complete
    ):  # every migration that was ever applied is known: this node tells nothing more
        return Way(LEDGER, finding, f"graphmigrate repair --restore {LEDGER}", (node.id,))
    return Way(name, finding, _decide(name) if name != LEDGER else _BASELINE, (node.id,), proven=False)


def _of_ledger(damage: Damage, found: bool) -> list[Way]:
    """Compare the ledger's own node with the runs."""
    owners = [node for node in damage.sound if node.kind == "Ledger"]
    runs = [node for node in damage.sound if node.kind == "Run"]
    open_runs = {node.values["key"] for node in runs if "ended" not in node.values}
    named = {node.values["record"] for node in owners if "record" in node.values}
    restore = f"graphmigrate repair --restore {LEDGER}"
    if not damage.nodes:
        return []
    if not owners:
        return [Way(LEDGER, "the node of the ledger is missing", restore)]
    if named != open_runs:
        return [Way(LEDGER, "the node of the ledger names another unfinished run than there is", restore)]
    if not found and owners[0].values.get("runs") != len(runs):
        told = (
            f"the ledger knows of {owners[0].values.get('runs')} runs, and there are records of {len(runs)}"
        )
        return [Way(LEDGER, told, restore)]
    return []


def _decide(name: str) -> str:
    return (
        f"graphmigrate repair --forget {name} (it counts as not applied, and runs again), "
        f"or graphmigrate baseline {name} (it counts as applied, with every file below it)"
    )


def _name_of(node: Node, damage: Damage) -> str:
    key = _key_of(node, damage)
    if key:
        return name_in(key)
    try:
        return Version.parse(node.values["version"]).name
    except (KeyError, AttributeError, TypeError, GraphMigrateError):
        return LEDGER


def _key_of(node: Node, damage: Damage) -> str | None:
    """Return the key that a migration's node has, or had where only its version is left."""
    key = node.values.get("key")
    form = (
        re.escape(damage.ledger)
        + r"/migration(?:-undo)?/(?:[0-9]{1,9}(\.[0-9]{1,9})*|R__[\w.-]+)@[1-9][0-9]{0,8}"
    )
    if isinstance(key, str) and re.fullmatch(form, key):
        return key
    try:
        canonical = Version.parse(node.values["version"]).canonical
    except (KeyError, AttributeError, TypeError, GraphMigrateError):
        return None
    return next((each for each in reversed(damage.missing) if version_in(each) == canonical), None)


def read_damage(database: Database, nodes: Sequence[Node]) -> Damage:
    """Judge nodes together with the plans of the records."""
    plans = {record["id"]: record["plan"] for record in database.read(queries.PLANS)}
    return Damage(nodes, plans, database.settings.ledger)


def restore(database: Database, damage: Damage, chosen: Sequence[Way], forgotten: Sequence[str] = ()) -> None:
    """Commit the chosen ways together: what they prove stands again, and a new record names every migration that is there.

    A way that proves nothing removes its nodes, and the keys that are ``forgotten`` are not used again.
    """
    rows = [dict(way.create) for way in chosen if way.create]
    for row in rows:
        row |= {"run": database.run, "installed_by": database.user, "installed_on": datetime.now(UTC)}
    with database.transaction() as tx:
        gone = [id_ for way in chosen if not way.relabel for id_ in way.delete]
        tx.run(queries.DELETE_BY_ID, ids=gone).consume()
        for way in chosen:
            if way.relabel:
                tx.run(queries.PUT_LABELS, id=way.delete[0], label=PREFIX + way.relabel).consume()
        if rows:
            named = {f"node{number}": row for number, row in enumerate(rows)}
            tx.run(queries.create_nodes(["Migration"] * len(rows)), named).consume()
        if any(way.name == LEDGER for way in chosen):
            _put_ledger(tx, database, damage)
        record_change(tx, database, "repair", _checkpoint(damage, rows), forgotten)


def _put_ledger(tx: neo4j.Transaction, database: Database, damage: Damage) -> None:
    """Write the ledger's node; of the records without an end the one that it names stays, else the only one."""
    open_runs = [node for node in damage.sound if node.kind == "Run" and "ended" not in node.values]
    named = {node.values.get("record") for node in damage.sound if node.kind == "Ledger"}
    kept = [node for node in open_runs if node.values["key"] in named] or open_runs[-1:]
    gone = [node.id for node in open_runs if node not in kept]
    tx.run(queries.DELETE_BY_ID, ids=gone).consume()
    tx.run(
        queries.PUT_LEDGER,
        ledger=f"{damage.ledger}/ledger",
        runs=f"{damage.ledger}/run/",
        format=FORMAT,
        run=database.run,
        host=database.host,
        record=kept[0].values["key"] if kept else None,
    ).consume()


def _checkpoint(damage: Damage, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the items of every migration that stands, so that no older record is needed to prove it."""
    there = [node.values for node in damage.sound if node.kind == "Migration"]
    return [item_of_row(values) for values in (*there, *rows)]
