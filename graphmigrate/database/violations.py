"""What in the data stands in the way of a constraint, read when it failed or when a plan asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.database.failures import DriverFailure, code_of, message_of
from graphmigrate.database.violation_queries import searches
from graphmigrate.errors import Problem, Severity
from graphmigrate.schema.render import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.database.connection import Database
    from graphmigrate.database.violation_queries import Search
    from graphmigrate.errors import Place
    from graphmigrate.schema.model import SchemaObject

_LONGEST = 60
_UNLIMITED = 0  # the server's own time limit is not made for reading whole labels


def violation(database: Database, target: SchemaObject, place: Place) -> Problem | None:
    """Explain why a constraint failed, where the data tell: that they cannot be read would explain nothing."""
    found = violations(database, target, place)
    return next((each for each in found if each.severity is Severity.ERROR), None)


def violations(database: Database, target: SchemaObject, place: Place) -> Iterator[Problem]:
    """Give the values that a constraint would not allow: the first five with their counts, and a query for all (GM508).

    Reads the whole label or relationship type; where that fails, a warning says so (GM214).
    """
    try:
        for search in searches(target):
            first = [
                (record["value"], record["times"])
                for record in database.read(search.sample, time_limit=_UNLIMITED)
            ]
            if first:
                yield _problem(database, target, search, first, place)
    except DriverFailure as error:
        yield _unknown(target, error, place)


def _unknown(target: SchemaObject, error: BaseException, place: Place) -> Problem:
    return Problem(
        "GM214",
        f"Not checked whether the data allow {describe(target)}: {message_of(error)} [{code_of(error)}]",
        "Mend that and look again; or run graphmigrate migrate, which stops there where they do not allow it.",
        place,
        Severity.WARNING,
    )


def _problem(
    database: Database, target: SchemaObject, search: Search, first: list[tuple[Any, int]], place: Place
) -> Problem:
    total = database.read(search.total, time_limit=_UNLIMITED)[0]
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
