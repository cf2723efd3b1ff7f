"""Queries that find what stands in the way of a constraint: for messages, and for people to run themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.schema.model import ObjectType
from graphmigrate.schema.render import identifier

if TYPE_CHECKING:
    from graphmigrate.schema.model import SchemaObject

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for one kind of violation.

    ``sample`` returns up to five rows ``value, times``; ``total`` one row ``groups, times``; ``everything`` is for people.
    ``fault`` says what is wrong with the values, after a number of them.
    """

    sample: str
    total: str
    everything: str
    fault: str


def searches(target: SchemaObject) -> tuple[Search, ...]:
    """Give the searches for a constraint that is to be made; none for an index, which takes any data."""
    if target.type is ObjectType.UNIQUENESS:
        return (_duplicates(target),)
    if target.type is ObjectType.KEY:
        return (_missing(target), _duplicates(target))
    if target.type is ObjectType.EXISTENCE:
        return (_missing(target),)
    if target.type is ObjectType.PROPERTY_TYPE:
        return (_of_other_type(target),)
    return ()


def _pattern(target: SchemaObject) -> str:
    label = identifier(target.labels[0])
    return f"(n:{label})" if target.entity == "node" else f"()-[n:{label}]->()"


def _each(target: SchemaObject) -> list[str]:
    return [f"n.{identifier(each)}" for each in target.properties]


def _duplicates(target: SchemaObject) -> Search:
    """Values that occur more than once; a null is never a duplicate (Cypher Manual, "Constraints")."""
    names = _each(target)
    found = f"MATCH {_pattern(target)} WHERE {' AND '.join(f'{each} IS NOT NULL' for each in names)}"
    value = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    grouped = f"{found} WITH {value} AS value, count(*) AS times WHERE times > 1"
    return Search(
        f"{grouped} RETURN value, times ORDER BY times DESC LIMIT {SHOWN}",
        f"{grouped} RETURN count(*) AS groups, sum(times) AS times",
        f"{found} WITH {value} AS value, collect(n) AS found WHERE size(found) > 1 RETURN value, found",
        "occur more than once",
    )


def _missing(target: SchemaObject) -> Search:
    names = _each(target)
    found = f"MATCH {_pattern(target)} WHERE {' OR '.join(f'{each} IS NULL' for each in names)}"
    labels = "labels(n)" if target.entity == "node" else "type(n)"
    return Search(
        f"{found} RETURN {labels} AS value, count(*) AS times ORDER BY times DESC LIMIT {SHOWN}",
        f"{found} RETURN count(*) AS groups, count(*) AS times",
        f"{found} RETURN n",
        "have no value",
    )


def _of_other_type(target: SchemaObject) -> Search:
    name = _each(target)[0]
    found = f"MATCH {_pattern(target)} WHERE {name} IS NOT NULL AND NOT {name} IS :: {target.property_type}"
    return Search(
        f"{found} RETURN {name} AS value, count(*) AS times ORDER BY times DESC LIMIT {SHOWN}",
        f"{found} RETURN count(DISTINCT {name}) AS groups, count(*) AS times",
        f"{found} RETURN n, valueType({name}) AS type",
        f"are not of type {target.property_type}",
    )
