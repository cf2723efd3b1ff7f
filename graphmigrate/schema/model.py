"""Constraints and indexes as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class SchemaObject:
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
