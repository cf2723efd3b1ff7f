"""Constraints and indexes as values; written as canonical DDL, and as words for messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

from graphmigrate.value import Value

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARTICLES = {"a": "an", "e": "an", "o": "an"}
FOR_ENTERPRISE = "Put it into a migration of its own that begins with: // assume that edition is enterprise"


class ObjectType(StrEnum):
    """The kinds of index and constraint (Cypher Manual, "Indexes" and "Constraints")."""

    RANGE = "range index"
    TEXT = "text index"
    POINT = "point index"
    FULLTEXT = "full-text index"
    VECTOR = "vector index"
    LOOKUP = "token lookup index"
    UNIQUENESS = "uniqueness constraint"
    KEY = "key constraint"
    EXISTENCE = "existence constraint"
    PROPERTY_TYPE = "property type constraint"
    OTHER_INDEX = "other index"  # of a kind that a newer server knows; never read from a file
    OTHER_CONSTRAINT = "other constraint"

    @property
    def is_constraint(self) -> bool:
        """Return whether it is a constraint rather than an index."""
        return self.value.endswith("constraint")

    @property
    def needs_enterprise(self) -> bool:
        """Return whether Community Edition refuses it (Operations Manual, "Introduction", the edition table)."""
        return self in {ObjectType.KEY, ObjectType.EXISTENCE, ObjectType.PROPERTY_TYPE}

    @property
    def has_index(self) -> bool:
        """Return whether it is a constraint that is backed by a range index of its own."""
        return self in {ObjectType.UNIQUENESS, ObjectType.KEY}


INDEX_TYPES = {name: ObjectType[name] for name in ("RANGE", "TEXT", "POINT", "FULLTEXT", "VECTOR", "LOOKUP")}
"""Index types by the word that DDL and SHOW INDEXES have for them."""


class SchemaObject(Value):
    """One constraint or index; ``name`` is None where the statement gives none and the server will choose.

    ``labels`` are labels or relationship types (a full-text index may have several; a token lookup index
    none). ``property_type`` is the normalised type text of a property type constraint, e.g. ``STRING`` or
    ``LIST<INTEGER NOT NULL>``.
    """

    type: ObjectType
    entity: str  # "node" or "relationship"
    labels: tuple[str, ...]
    properties: tuple[str, ...]
    name: str | None = None
    property_type: str | None = None

    @property
    def definition(self) -> SchemaObject:
        """The same without its name: what the server compares to find an equivalent one."""
        return SchemaObject(
            self.type, self.entity, self.labels, self.properties, property_type=self.property_type
        )


@dataclass(frozen=True, slots=True)
class DdlAction:
    """What one DDL statement does: ``create`` has ``target``, ``drop`` has only a name.

    ``plain`` tells that every server can parse the statement; ``dimensions`` are those of a vector index, where it has them.
    """

    verb: str  # "create" or "drop"
    of: str  # "index" or "constraint"
    guarded: bool
    name: str | None
    target: SchemaObject | None = None
    dimensions: int | None = field(default=None, compare=False)
    plain: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One row of SHOW INDEXES or SHOW CONSTRAINTS.

    For an index, ``owner`` is the name of the constraint it backs; ``state`` is ONLINE, POPULATING or FAILED. ``create`` is the
    statement by which the server would make it again, where it was read.
    """

    object: SchemaObject
    owner: str | None = None
    state: str | None = None
    population: float | None = None
    failure: str | None = None
    create: str | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Its name; in a catalogue every object has one."""
        return self.object.name or ""


def identifier(name: str) -> str:
    r"""Write a name so that Cypher reads it back: bare where it can be, else in backticks.

    A backslash is written ``\u005c``, since ``\u`` in a name would be decoded.
    """
    if _PLAIN.fullmatch(name) and name.upper() not in {"FOR", "IF"}:
        return name
    return "`" + name.replace("`", "``").replace("\\", "\\u005c") + "`"


def render(target: SchemaObject, *, guarded: bool = True) -> str:
    """Return the CREATE statement of a constraint or index, without the options of an index.

    Raises ValueError for an object of a kind that only a newer server knows.

    >>> render(SchemaObject(ObjectType.UNIQUENESS, "node", ("Book",), ("isbn",), "book"))
    'CREATE CONSTRAINT book IF NOT EXISTS FOR (n:Book) REQUIRE (n.isbn) IS UNIQUE'
    """
    if target.type in {ObjectType.OTHER_INDEX, ObjectType.OTHER_CONSTRAINT}:
        raise ValueError(f"no DDL is known for {target.name}")
    words = ["CREATE"]
    if target.type.is_constraint:
        words.append("CONSTRAINT")
    else:
        words += [target.type.name, "INDEX"]
    if target.name is not None:
        words.append(identifier(target.name))
    if guarded:
        words.append("IF NOT EXISTS")
    words += ["FOR", _pattern(target), _requirement(target) if target.type.is_constraint else _on(target)]
    return " ".join(words)


def uniqueness(label: str, properties: Sequence[str]) -> SchemaObject:
    """Return the uniqueness constraint of a label's properties, with a name made of theirs."""
    name = re.sub(r"\W+", "_", "_".join([label, *properties, "unique"])).lower()
    return SchemaObject(ObjectType.UNIQUENESS, "node", (label,), tuple(properties), name)


def drop_of(target: SchemaObject) -> str:
    """Return the DROP statement of a constraint or index that has a name."""
    return f"DROP {'CONSTRAINT' if target.type.is_constraint else 'INDEX'} {identifier(target.name or '')}"


def describe(target: SchemaObject) -> str:
    """Return a phrase for messages, such as ``a uniqueness constraint on (:Project {id})``."""
    article = _ARTICLES.get(target.type.value[0], "a")
    phrase = f"{article} {target.type.value}"
    if target.labels or target.properties:
        labels = "|".join(map(identifier, target.labels))
        inside = f":{labels} {{{', '.join(map(identifier, target.properties))}}}"
        phrase += f" on ({inside})" if target.entity == "node" else f" on ()-[{inside}]-()"
    elif target.type is ObjectType.LOOKUP:
        phrase += f" of {'labels' if target.entity == 'node' else 'relationship types'}"
    return f"{phrase} IS :: {target.property_type}" if target.property_type else phrase


def _pattern(target: SchemaObject) -> str:
    labels = ":" + "|".join(map(identifier, target.labels)) if target.labels else ""
    return f"(n{labels})" if target.entity == "node" else f"()-[n{labels}]-()"


def _each(properties: tuple[str, ...]) -> str:
    return ", ".join(f"n.{identifier(each)}" for each in properties)


def _on(target: SchemaObject) -> str:
    if target.type is ObjectType.LOOKUP:
        return "ON EACH " + ("labels(n)" if target.entity == "node" else "type(n)")
    if target.type is ObjectType.FULLTEXT:
        return f"ON EACH [{_each(target.properties)}]"
    if target.type is ObjectType.VECTOR and len(target.properties) > 1:
        return f"ON ({_each(target.properties[:1])}) WITH [{_each(target.properties[1:])}]"
    return f"ON ({_each(target.properties)})"


def _requirement(target: SchemaObject) -> str:
    requirement = {
        ObjectType.UNIQUENESS: "UNIQUE",
        ObjectType.KEY: f"{target.entity.upper()} KEY",
        ObjectType.EXISTENCE: "NOT NULL",
        ObjectType.PROPERTY_TYPE: f":: {target.property_type}",
    }[target.type]
    return f"REQUIRE ({_each(target.properties)}) IS {requirement}"
