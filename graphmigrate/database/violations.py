"""What in the data stands in the way of a constraint, read when it failed or when a plan asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.database.failures import DriverFailure
from graphmigrate.errors import Problem, Severity
from graphmigrate.schema.render import describe
from graphmigrate.schema.violations import searches

if TYPE_CHECKING:
    from graphmigrate.database.connection import Database
    from graphmigrate.errors import Place
    from graphmigrate.schema.model import SchemaObject
    from graphmigrate.schema.violations import Search

_LONGEST = 60


def violation(database: Database, target: SchemaObject, place: Place) -> Problem | None:
    """Give the values that a constraint would not allow: the first five with their counts, and a query for all (GM508).

    Reads the whole label or relationship type. None where the data fit, or where they cannot be read.
    """
    try:
        for search in searches(target):
            first = [(record["value"], record["times"]) for record in database.read(search.sample)]
            if first:
                return _problem(database, target, search, first, place)
    except DriverFailure:
        return None  # the failure that this was to explain is told without it
    return None


def _problem(
    database: Database, target: SchemaObject, search: Search, first: list[tuple[Any, int]], place: Place
) -> Problem:
    total = database.read(search.total)[0]
    things = "nodes" if target.entity == "node" else "relationships"
    shown = ", ".join(f"{_literal(value)} ({times:,} {things})" for value, times in first)
    more = "" if total["groups"] <= len(first) else ", …"
    return Problem(
        "GM508",
        f"The data do not allow {describe(target)}: {total['groups']:,} value(s) in {total['times']:,} {things} "
        f"{search.fault}: {shown}{more}.",
        f"Mend the data in a migration before this one. All of them: {search.everything}",
        place,
        Severity.ERROR,
    )


def _literal(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
