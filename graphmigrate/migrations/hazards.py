"""What a planned statement could cost: it deletes, it commits by itself, it builds an index over many entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphmigrate.database.connection import Database
    from graphmigrate.migrations.plan import Task
    from graphmigrate.schema.model import DdlAction, SchemaObject

MANY = 100_000  # entities of a label, over which an index takes so long that people should know
Hazards = dict[int, str]


def hazards(database: Database, tasks: Iterable[Task]) -> Hazards:
    """Return what each statement that could cost something would do, by the statement's ``id``."""
    from graphmigrate.migrations.checks import with_actions

    statements = [pair for task in tasks for segment in task.segments for pair in with_actions(segment)]
    built = {id(each): target for each, action in statements if (target := _indexed(action))}
    sizes = _sizes(database, list(built.values()))
    found: Hazards = {}
    for each, _ in statements:
        said = [
            "commits by itself" if each.kind in {Kind.AUTOCOMMIT, Kind.SYSTEM} else "",
            "deletes data" if each.kind is not Kind.SCHEMA and _deletes(each.text) else "",
            _over(built.get(id(each)), sizes),
        ]
        if any(said):
            found[id(each)] = ", ".join(filter(None, said))
    return found


def _deletes(text: str) -> bool:
    return "DELETE" in keywords(text)


def _indexed(action: DdlAction | None) -> SchemaObject | None:
    """Return what a statement builds an index for."""
    target = action.target if action and action.verb == "create" else None
    builds = target is not None and (target.type.has_index or not target.type.is_constraint)
    return target if builds else None


def _sizes(database: Database, targets: Sequence[SchemaObject]) -> Mapping[tuple[str, str], int]:
    """Return how many entities each label has; nothing where the server does not tell."""
    from graphmigrate.database.failures import DriverFailure
    from graphmigrate.database.violations import sizes, used_labels

    labels = {(each.entity, label) for each in targets for label in each.labels}
    try:
        known = labels & (used_labels(database) or set()) if labels else set()
        return sizes(database, sorted(known)) if known else {}
    except DriverFailure:
        return {}


def _over(target: SchemaObject | None, sizes: Mapping[tuple[str, str], int]) -> str:
    if target is None:
        return ""
    number = sum(sizes.get((target.entity, label), 0) for label in target.labels)
    return f"builds an index over {number:,} {target.entity}s" if number >= MANY else ""
