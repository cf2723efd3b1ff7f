"""The constraints and indexes of a database at one moment, as an immutable value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphmigrate.schema.model import INDEX_TYPES, CatalogueEntry, ObjectType, SchemaObject
from graphmigrate.schema.property_types import normalise_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

# The names differ between Cypher 5 and 25, and "UNIQUENESS" alone was the first of them.
_CONSTRAINT_TYPES = {
    "UNIQUENESS": ObjectType.UNIQUENESS,
    "NODE_PROPERTY_UNIQUENESS": ObjectType.UNIQUENESS,
    "RELATIONSHIP_UNIQUENESS": ObjectType.UNIQUENESS,
    "RELATIONSHIP_PROPERTY_UNIQUENESS": ObjectType.UNIQUENESS,
    "NODE_KEY": ObjectType.KEY,
    "RELATIONSHIP_KEY": ObjectType.KEY,
    "NODE_PROPERTY_EXISTENCE": ObjectType.EXISTENCE,
    "RELATIONSHIP_PROPERTY_EXISTENCE": ObjectType.EXISTENCE,
    "NODE_PROPERTY_TYPE": ObjectType.PROPERTY_TYPE,
    "RELATIONSHIP_PROPERTY_TYPE": ObjectType.PROPERTY_TYPE,
}
_OTHER = {ObjectType.OTHER_INDEX, ObjectType.OTHER_CONSTRAINT}
ONLINE, FAILED = "ONLINE", "FAILED"
# Stands before the key of an object whose name the server chose and nobody has read yet; no name contains it.
_ANONYMOUS = "\0"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Constraints and indexes by name; the index behind a constraint is among the indexes, with an ``owner``.

    Two catalogues are equal where they hold the same objects in the same states. The server forbids two
    objects of one definition, so ``find`` has one answer.
    """

    constraints: Mapping[str, CatalogueEntry] = field(default_factory=dict)
    indexes: Mapping[str, CatalogueEntry] = field(default_factory=dict)
    _names: Mapping[SchemaObject, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, entries: Iterable[CatalogueEntry]) -> Catalogue:
        """Make a catalogue of its entries; one without a name is known by its definition."""
        constraints: dict[str, CatalogueEntry] = {}
        indexes: dict[str, CatalogueEntry] = {}
        names: dict[SchemaObject, str] = {}
        for entry in entries:
            key = _key_of(entry.object)
            (constraints if entry.object.type.is_constraint else indexes)[key] = entry
            if entry.object.type not in _OTHER:
                names[_identity(entry.object)] = key
        return cls(constraints, indexes, names)

    @classmethod
    def from_rows(
        cls, constraints: Iterable[Mapping[str, Any]], indexes: Iterable[Mapping[str, Any]]
    ) -> Catalogue:
        """Make a catalogue of the rows of SHOW CONSTRAINTS and SHOW INDEXES, of either Cypher version.

        Columns read: name, type, entityType, labelsOrTypes, properties, propertyType, createStatement for constraints;
        name, type, entityType, labelsOrTypes, properties, owningConstraint, state, populationPercent, failureMessage,
        createStatement for indexes.
        """
        return cls.of([*map(_constraint_entry, constraints), *map(_index_entry, indexes)])

    @classmethod
    def from_json(cls, text: str) -> Catalogue:
        """Read what ``to_json`` wrote."""
        entries = []
        for *definition, state, create in ([*row, None][:8] for row in json.loads(text)):
            entries += backed(CatalogueEntry(object_of(definition), state=state, create=create))
        return cls.of(entries)

    def to_json(self, whole: Collection[str] = ()) -> str:
        """Write the definitions as compact text, for the run record, with the states that are not ONLINE.

        Of the names in ``whole``, also the statements that make them again.
        """
        entries = [*self.constraints.values(), *(each for each in self.indexes.values() if not each.owner)]
        states = [None if each.state == ONLINE else each.state for each in entries]
        rows = [
            [*row_of(each.object), state, *([each.create] if each.name in whole else [])]
            for each, state in zip(entries, states, strict=True)
        ]
        return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)

    def names(self) -> frozenset[str]:
        """Every name that is taken, of constraints and indexes alike."""
        return frozenset(key for key in (*self.constraints, *self.indexes) if not key.startswith(_ANONYMOUS))

    def holder(self, name: str) -> CatalogueEntry | None:
        """Return whatever holds that name; the constraint rather than its index."""
        return self.constraints.get(name) or self.indexes.get(name)

    def find(self, target: SchemaObject) -> CatalogueEntry | None:
        """Return the object of that definition, whatever its name; also an index behind a constraint."""
        entry = self.sibling(target)
        return entry if entry and entry.object.property_type == target.property_type else None

    def sibling(self, target: SchemaObject) -> CatalogueEntry | None:
        """Like ``find``, but a property type constraint is found also where it requires another type."""
        key = self._names.get(_identity(target), "")
        return (self.constraints if target.type.is_constraint else self.indexes).get(key)

    def orphan_of(self, target: SchemaObject) -> CatalogueEntry | None:
        """Return what a server killed inside this CREATE CONSTRAINT left behind: an unowned index, not ONLINE.

        While it is there, even IF NOT EXISTS fails; DROP INDEX removes it.
        """
        if not target.type.has_index:
            return None
        found = self.find(index_of(target))
        if found is None or found.owner or found.state in {None, ONLINE}:
            return None
        return found if target.name in {None, found.object.name} else None

    def with_names_of(self, later: Catalogue) -> Catalogue:
        """Return names to the objects that had none, where they are in a catalogue that was read later."""
        if not self.anonymous:
            return self
        entries = []
        for key, entry in (*self.constraints.items(), *self.indexes.items()):
            named = later.find(entry.object) if key.startswith(_ANONYMOUS) else None
            entries.append(named or entry)
        return Catalogue.of(entries)

    @property
    def anonymous(self) -> bool:
        """Return whether it holds objects whose name the server chose and that were not read back since."""
        return any(key.startswith(_ANONYMOUS) for key in (*self.constraints, *self.indexes))

    def with_object(self, target: SchemaObject) -> Catalogue:
        """Return the catalogue as it is after this constraint (with its index) or index was made."""
        constraints, indexes, names = dict(self.constraints), dict(self.indexes), dict(self._names)
        for entry in backed(CatalogueEntry(target)):
            key = _key_of(entry.object)
            (constraints if entry.object.type.is_constraint else indexes)[key] = entry
            names[_identity(entry.object)] = key
        return Catalogue(constraints, indexes, names)

    def without(self, entry: CatalogueEntry) -> Catalogue:
        """Return the catalogue as it is after this constraint (with its index) or index was dropped."""
        gone = [entry]
        if entry.object.type.is_constraint:
            gone += [each for each in self.indexes.values() if each.owner == entry.name]
        keys = {(each.object.type.is_constraint, _key_of(each.object)) for each in gone}
        definitions = {_identity(each.object) for each in gone}
        return Catalogue(
            {key: each for key, each in self.constraints.items() if (True, key) not in keys},
            {key: each for key, each in self.indexes.items() if (False, key) not in keys},
            {key: name for key, name in self._names.items() if key not in definitions},
        )


def index_of(constraint: SchemaObject) -> SchemaObject:
    """Return the range index that backs a uniqueness or key constraint."""
    return SchemaObject(
        ObjectType.RANGE, constraint.entity, constraint.labels, constraint.properties, constraint.name
    )


def backed(entry: CatalogueEntry) -> list[CatalogueEntry]:
    """Return an entry, with the index that backs it where it is such a constraint."""
    if not entry.object.type.has_index:
        return [entry]
    index = index_of(entry.object)
    return [entry, CatalogueEntry(index, owner=_key_of(entry.object))]


def _key_of(target: SchemaObject) -> str:
    return target.name if target.name is not None else _ANONYMOUS + repr(target.definition)


def _identity(target: SchemaObject) -> SchemaObject:
    """Of what the server allows one only: a property has one type constraint, whichever its type."""
    return SchemaObject(target.type, target.entity, target.labels, target.properties)


def row_of(target: SchemaObject) -> list[Any]:
    """Return a definition as plain values, which ``object_of`` reads."""
    each = target
    return [each.type.name, each.entity, each.labels, each.properties, each.name, each.property_type]


def object_of(row: Sequence[Any]) -> SchemaObject:
    """Read what ``row_of`` wrote."""
    kind, entity, labels, properties, name, property_type = row
    return SchemaObject(ObjectType[kind], entity, tuple(labels), tuple(properties), name, property_type)


def _constraint_entry(row: Mapping[str, Any]) -> CatalogueEntry:
    kind = _CONSTRAINT_TYPES.get(row["type"], ObjectType.OTHER_CONSTRAINT)
    property_type = row.get("propertyType")
    target = _object(kind, row, normalise_text(property_type) if property_type else None)
    return CatalogueEntry(target, create=row.get("createStatement"))


def _index_entry(row: Mapping[str, Any]) -> CatalogueEntry:
    kind = INDEX_TYPES.get(row["type"], ObjectType.OTHER_INDEX)
    return CatalogueEntry(
        _object(kind, row),
        owner=row.get("owningConstraint"),
        state=row.get("state"),
        population=row.get("populationPercent"),
        failure=row.get("failureMessage") or None,
        create=row.get("createStatement"),
    )


def _object(kind: ObjectType, row: Mapping[str, Any], property_type: str | None = None) -> SchemaObject:
    labels, properties = row.get("labelsOrTypes") or (), row.get("properties") or ()
    return SchemaObject(
        kind, str(row["entityType"]).lower(), tuple(labels), tuple(properties), row["name"], property_type
    )
