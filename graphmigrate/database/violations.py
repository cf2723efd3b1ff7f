"""Find the values in the data that a constraint would refuse: before a run for planned ones, and after one failed."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database import queries
from graphmigrate.database.failures import DriverFailure, code_of, message_of
from graphmigrate.errors import Problem, Severity
from graphmigrate.schema.model import ObjectType, describe, identifier
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.errors import Place
    from graphmigrate.schema.model import SchemaObject

MOST_ENTITIES = 1_000_000
MOST_SECONDS = 30.0
_SHOWN = 5
_LONGEST = 60
_UNLIMITED = 0.0


class Wanted(NamedTuple):
    """A constraint that is to be made, and where it is written."""

    target: SchemaObject
    place: Place


class Search(Value):
    """A query for one kind of violation, up to rows ``value, times, first, last``; the latter are element ids.

    ``fault`` says what is wrong with the values; ``everything`` is a query for people.
    """

    grouped: str
    everything: str
    fault: str

    @property
    def sample(self) -> str:
        """The query for the values that occur most often."""
        return f"{self.grouped} RETURN value, times, first, last ORDER BY times DESC LIMIT {_SHOWN}"

    @property
    def total(self) -> str:
        """The query for how many values and entities there are in all."""
        return f"{self.grouped} RETURN count(*) AS groups, sum(times) AS times"


def violation(database: Database, target: SchemaObject, place: Place) -> Problem | None:
    """Return why a constraint failed, where the data tell; None where they cannot be read."""
    found = _of_one_label(database, [Wanted(target, place)], _UNLIMITED)
    return next((each for each in found if each.severity is Severity.ERROR), None)


def violations(database: Database, wanted: Sequence[Wanted], *, limited: bool) -> Iterator[Problem]:
    """Yield the values that these constraints would refuse (GM508), and what could not be looked at (GM214).

    One read transaction serves all constraints of a label. Where it is ``limited``, labels of more than a million entities
    are left out, and what is not found in half a minute.
    """
    by_label: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for each in wanted:
        by_label[each.target.entity, each.target.labels[0]].append(each)
    try:
        known = sizes(database, list(by_label)) if limited and by_label else {}
    except DriverFailure as error:
        yield from (_unknown(each, _reason(error)) for each in wanted)
        return
    deadline = time.monotonic() + MOST_SECONDS
    for label, constraints in by_label.items():
        left = deadline - time.monotonic()
        if known.get(label, 0) > MOST_ENTITIES:
            things = _things(constraints[0].target, known[label])
            yield from (_unknown(each, f"there are {things} to read") for each in constraints)
        elif limited and left <= 0:
            yield from (_unknown(each, _too_long()) for each in constraints)
        else:
            yield from _of_one_label(database, constraints, left if limited else _UNLIMITED)


def used_labels(database: Database) -> set[tuple[str, str]] | None:
    """Return each label as ``("node", label)`` and each type as ``("relationship", type)`` that any entity has.

    None where the server does not tell, because the right to ask is missing, say.
    """
    try:
        labels = {("node", record["name"]) for record in database.read(queries.LABELS_IN_USE)}
        return labels | {("relationship", record["name"]) for record in database.read(queries.TYPES_IN_USE)}
    except DriverFailure:
        return None


def sizes(database: Database, labels: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return how many entities each label or type has, from the server's count store."""
    patterns = [f"COUNT {{ {_pattern(entity, label, '')} }}" for entity, label in labels]
    found = database.read(f"RETURN [{', '.join(patterns)}] AS sizes")[0]["sizes"]
    return dict(zip(labels, found, strict=True))


def _of_one_label(database: Database, constraints: Sequence[Wanted], seconds: float) -> list[Problem]:
    """Search for what all constraints of one label would refuse, in one read transaction."""
    open_ones, found = list(constraints), list[Problem]()
    try:
        with (
            database.session(write=database.deciding) as session,
            session.begin_transaction(
                metadata=database.metadata(database.role_of_reading), timeout=seconds
            ) as tx,
        ):
            while open_ones:
                found.extend(_of_one(tx, open_ones[0]))
                open_ones.pop(0)
    except DriverFailure as error:
        found.extend(_unknown(each, _reason(error)) for each in open_ones)
    return found


def _of_one(tx: neo4j.Transaction, wanted: Wanted) -> Iterator[Problem]:
    for search in searches(wanted.target):
        shown = list(tx.run(search.sample))
        if shown:
            (total,) = tx.run(search.total)
            yield _problem(wanted, search, shown, total)


def _unknown(wanted: Wanted, reason: str) -> Problem:
    return Problem(
        "GM214",
        f"Not checked whether the data allow {describe(wanted.target)}: {reason}.",
        "Where they do not, the migration stops at this statement. To check however long it takes: --check-data always",
        wanted.place,
        Severity.WARNING,
    )


def _reason(error: BaseException) -> str:
    code = code_of(error)
    return _too_long() if "TransactionTimedOut" in code else f"{message_of(error).rstrip('.')} [{code}]"


def _too_long() -> str:
    return f"it takes more than {MOST_SECONDS:g} seconds"


def _problem(wanted: Wanted, search: Search, shown: list[neo4j.Record], total: neo4j.Record) -> Problem:
    target = wanted.target
    examples = ", ".join(_example(target, record) for record in shown)
    more = ", …" if total["groups"] > len(shown) else ""
    groups, times = total["groups"], _things(target, total["times"])
    if shown[0]["value"] is None:
        found = f"{times} {'has' if total['times'] == 1 else 'have'} {search.fault}"
    else:
        verb = (
            search.fault if groups > 1 else search.fault.replace("occur ", "occurs ").replace("are ", "is ")
        )
        found = f"{groups:,} {'value' if groups == 1 else 'values'} of {times} {verb}"
    return Problem(
        "GM508",
        f"The data do not allow {describe(target)}: {found}: {examples}{more}.",
        "Fix the data: by a statement above this one in the same file, or by a migration before this one (where a part "
        "of this one is committed: graphmigrate migrate --allow-out-of-order). "
        f"All of them: {search.everything}",
        wanted.place,
    )


def _example(target: SchemaObject, record: neo4j.Record) -> str:
    """Return one value, how often it occurs, and two of its entities."""
    ids = " and ".join(dict.fromkeys([record["first"], record["last"]]))
    if record["value"] is None:
        return ids
    return f"{_literal(target, record['value'])} ({_things(target, record['times'])}: {ids})"


def _things(target: SchemaObject, number: int) -> str:
    return f"{number:,} {target.entity}" + ("" if number == 1 else "s")


def _literal(target: SchemaObject, value: list[Any]) -> str:
    text = repr(value[0] if len(target.properties) == 1 else tuple(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def searches(target: SchemaObject) -> tuple[Search, ...]:
    """Return the searches for a constraint that is to be made; none for an index, which takes any data."""
    if target.type is ObjectType.UNIQUENESS:
        return (_duplicates(target),)
    if target.type is ObjectType.KEY:
        return (_missing(target), _duplicates(target))
    if target.type is ObjectType.EXISTENCE:
        return (_missing(target),)
    if target.type is ObjectType.PROPERTY_TYPE:
        return (_of_other_type(target),)
    return ()


def _pattern(entity: str, label: str, variable: str = "n") -> str:
    name = f"{variable}:{identifier(label)}"
    return f"({name})" if entity == "node" else f"()-[{name}]->()"


def _matched(target: SchemaObject, condition: str) -> str:
    return f"MATCH {_pattern(target.entity, target.labels[0])} WHERE {condition}"


def _properties(target: SchemaObject) -> list[str]:
    return [f"n.{identifier(each)}" for each in target.properties]


_COUNTED = "count(*) AS times, min(elementId(n)) AS first, max(elementId(n)) AS last"


def _duplicates(target: SchemaObject) -> Search:
    """Return the search for values that occur more than once, as the index compares them.

    A null is never a duplicate, and 1 is 1.0, as in grouping. Unlike grouping, the index takes NaN for NaN and keeps 0.0 and
    -0.0 apart: ``special`` tells them.
    """
    names = _properties(target)
    found = _matched(target, " AND ".join(f"{each} IS NOT NULL" for each in names))
    values, is_nan = f"[{', '.join(names)}]", "x IS :: FLOAT AND x <> x"
    value = f"[x IN {values} | CASE WHEN {is_nan} THEN 'NaN' ELSE x END] AS value"
    special = (
        f"[x IN {values} | CASE WHEN {is_nan} THEN x <> x WHEN x = 0 THEN 1.0 / toFloat(x) END] AS special"
    )
    return Search(
        f"{found} WITH {value}, {special}, {_COUNTED} WHERE times > 1",
        f"{found} WITH {value}, {special}, collect(n) AS found WHERE size(found) > 1 RETURN value, found",
        "occur more than once",
    )


def _missing(target: SchemaObject) -> Search:
    found = _matched(target, " OR ".join(f"{each} IS NULL" for each in _properties(target)))
    return Search(
        f"{found} WITH null AS value, {_COUNTED} WHERE times > 0",
        f"{found} RETURN n",
        f"no value of {' or '.join(target.properties)}",
    )


def _of_other_type(target: SchemaObject) -> Search:
    (name,) = _properties(target)
    found = _matched(target, f"{name} IS NOT NULL AND NOT {name} IS :: {target.property_type}")
    return Search(
        f"{found} WITH [{name}] AS value, {_COUNTED}",
        f"{found} RETURN n, valueType({name}) AS type",
        f"are not of type {target.property_type}",
    )
