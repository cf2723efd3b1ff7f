"""What DDL does to a catalogue: whether it would be refused or do nothing, and whether it has taken effect.

The rules were measured on Neo4j 5.26 and 2026.05 (Cypher Manual, "Constraints": "Create constraints" and
"Indexes": "Create indexes" tell most of them): names are shared by constraints and indexes, a definition
exists once, a uniqueness or key constraint needs its range index for itself, and IF [NOT] EXISTS silences
some refusals, not all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.schema.catalogue import index_of
from graphmigrate.schema.model import ObjectType, SchemaObject, describe, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import CatalogueEntry, DdlAction


_MOST_DIMENSIONS = 4096


def holds(action: DdlAction, catalogue: Catalogue) -> bool:
    """Return whether the outcome is so: the object is there, under its name if it has one; or the name is gone."""
    if action.target is None:
        return catalogue.holder(action.name or "") is None
    found = catalogue.find(action.target)
    return found is not None and action.name in {None, found.name}


def conflict(action: DdlAction, catalogue: Catalogue) -> str | None:
    """Say why the server would refuse the action, or silently do nothing while its outcome does not hold.

    None where it would do its work, or where its IF [NOT] EXISTS is right to do nothing. What a killed server
    left of the very same constraint is no conflict: it is dropped first (``Catalogue.orphan_of``).
    """
    obstacle = _obstacle(action, catalogue)
    return obstacle.sentence if obstacle else None


def fault(action: DdlAction) -> str | None:
    """Return why every server refuses the action, whatever its catalogue holds, though EXPLAIN lets it pass."""
    names = [action.name] if action.name is not None else []
    tokens = [*action.target.labels, *action.target.properties] if action.target else []
    if any(not each.strip() for each in names) or "" in tokens:
        return "A name is empty here."
    if any("\0" in each for each in (*names, *tokens)):
        return "A name holds the character NUL here."
    for what, found in (
        ("property", action.target.properties if action.target else ()),
        ("label", action.target.labels if action.target else ()),
    ):
        twice = next((each for number, each in enumerate(found) if each in found[:number]), None)
        if twice is not None:
            return f"The {what} {identifier(twice)} is written twice here."
    if action.dimensions is not None and not 1 <= action.dimensions <= _MOST_DIMENSIONS:
        return f"A vector index has 1 to {_MOST_DIMENSIONS} dimensions, not {action.dimensions}."
    return None


def apply(actions: Iterable[DdlAction], catalogue: Catalogue) -> Catalogue:
    """Return the catalogue expected after these actions, the same object where nothing changes.

    An action that would be refused leaves it as it was.
    """
    for action in actions:
        catalogue = _after(action, catalogue) or catalogue
    return catalogue


def refused(actions: Iterable[DdlAction], catalogue: Catalogue) -> bool:
    """Return whether the server would refuse one of these actions, and so the whole transaction of theirs."""
    for action in actions:
        after = _after(action, catalogue)
        if after is None:
            return True
        catalogue = after
    return False


def made_by(actions: Iterable[DdlAction], before: Catalogue, now: Catalogue) -> tuple[CatalogueEntry, ...]:
    """Return the objects that these actions create, that are there, and that were not before."""
    targets = [action.target for action in actions if action.target and before.find(action.target) is None]
    found = (now.find(target) for target in targets)
    return tuple(entry for entry in found if entry)


class Fate(StrEnum):
    """What became of a segment."""

    COMMITTED = "committed"
    NOT_COMMITTED = "not committed"
    MIXED = "mixed"
    UNDECIDABLE = "undecidable"


def outcome(actions: Iterable[DdlAction]) -> tuple[DdlAction, ...]:
    """Return what is to hold in the end: of several actions on a name the last (made, then dropped: gone)."""
    final: dict[str | SchemaObject, DdlAction] = {}
    for action in actions:
        subject = _subject(action)
        final.pop(subject, None)
        final[subject] = action
    return tuple(final.values())


def _verdicts(actions: Sequence[DdlAction], before: Catalogue, now: Catalogue) -> set[Fate]:
    """Return what each thing that a segment touches says of it; nothing where one is to stay as it was, and has stayed."""
    expected = before if refused(actions, before) else apply(actions, before)
    found = set()
    for action in outcome(actions):
        was, wanted, there = (_look(action, catalogue) for catalogue in (before, expected, now))
        if was == wanted:
            found |= {Fate.MIXED} if there != wanted else set()
        elif there == wanted:
            found.add(Fate.COMMITTED)
        else:
            found.add(Fate.NOT_COMMITTED if there == was else Fate.MIXED)
    return found


def fate(actions: Sequence[DdlAction], before: Catalogue, now: Catalogue) -> Fate:
    """Judge one segment of the record of a run that died.

    ``before`` is the catalogue as it must have been when the segment began: the one in the record, led
    through every schema segment of that record before this one, in order, by ``apply``, whether the ledger
    had its row or the walk found it committed. So a name that one segment drops and the next makes again is
    judged right, even where it is made exactly as it was. ``now`` is the catalogue after the takeover, when
    no other transaction can still commit.

    - COMMITTED: everything that it changes is as after it; or it would have changed nothing and all is
      guarded, so that it may count as done either way.
    - NOT_COMMITTED: everything is as before; also where the server must have refused it.
    - MIXED: some of both, or neither: somebody else changed the schema.
    - UNDECIDABLE: it drops a name that may be one which the server gave to an object of an earlier segment.
    """
    before = before.with_names_of(now)
    verdicts = _verdicts(actions, before, now)
    if Fate.MIXED in verdicts or len(verdicts) > 1:
        return Fate.MIXED
    if refused(actions, before):
        return (
            Fate.UNDECIDABLE if before.anonymous and _drops_unknown(actions, before) else Fate.NOT_COMMITTED
        )
    if Fate.NOT_COMMITTED in verdicts:
        return Fate.NOT_COMMITTED
    if verdicts or all(action.guarded for action in actions):
        return Fate.COMMITTED
    return Fate.NOT_COMMITTED  # made and dropped again in one transaction: running it again leaves the same


def leaves_a_trace(actions: Sequence[DdlAction], before: Catalogue, now: Catalogue) -> bool:
    """Return whether the catalogue shows that a segment took effect, or that it did not; one that changes nothing leaves none."""
    return bool(_verdicts(actions, before.with_names_of(now), now))


def _drops_unknown(actions: Iterable[DdlAction], before: Catalogue) -> bool:
    return any(
        action.verb == "drop" and not action.guarded and before.holder(action.name or "") is None
        for action in actions
    )


def _subject(action: DdlAction) -> str | SchemaObject:
    if action.name is not None:
        return action.name
    return action.target.definition if action.target else ""


def _look(action: DdlAction, catalogue: Catalogue) -> SchemaObject | None:
    """Return what the subject of an action is; what a killed server left of a constraint is nothing yet."""
    subject = _subject(action)
    if isinstance(subject, SchemaObject):
        found = catalogue.find(subject)
        return subject if found else None
    holder = catalogue.holder(subject)
    if holder is None or (action.target and holder == catalogue.orphan_of(action.target)):
        return None
    return holder.object.definition


class _Obstacle(NamedTuple):
    """Why an action does not do its work; ``refused`` when the server says so with an error."""

    refused: bool
    sentence: str


def _after(action: DdlAction, catalogue: Catalogue) -> Catalogue | None:
    """Return the catalogue after one action; None where the server refuses it."""
    obstacle = _obstacle(action, catalogue)
    if obstacle:
        return None if obstacle.refused else catalogue
    if action.target is None:
        name = action.name or ""
        entry = catalogue.constraints.get(name) if action.of == "constraint" else catalogue.indexes.get(name)
        return catalogue.without(entry) if entry else catalogue
    if holds(action, catalogue):
        return catalogue
    orphan = catalogue.orphan_of(action.target)
    return (catalogue.without(orphan) if orphan else catalogue).with_object(action.target)


def _obstacle(action: DdlAction, catalogue: Catalogue) -> _Obstacle | None:
    if action.target is None:
        return _drop_obstacle(action, catalogue)
    return (
        _name_obstacle(action, action.target, catalogue)
        or _definition_obstacle(action, action.target, catalogue)
        or _rival_obstacle(action.target, catalogue)
    )


def _drop_obstacle(action: DdlAction, catalogue: Catalogue) -> _Obstacle | None:
    name = action.name or ""
    index, constraint = catalogue.indexes.get(name), catalogue.constraints.get(name)
    shown = identifier(name)
    if action.of == "constraint":
        if constraint:
            return None
        if index:
            return _refuse_or_ignore(
                action, f"{shown} is {describe(index.object)}, not a constraint: use DROP INDEX"
            )
    else:
        if index and index.owner:
            owner = identifier(index.owner)
            return _Obstacle(
                True, f"{shown} is the index of constraint {owner}: use DROP CONSTRAINT {owner}."
            )
        if index:
            return None
        if constraint:
            return _refuse_or_ignore(
                action, f"{shown} is {describe(constraint.object)}, not an index: use DROP CONSTRAINT"
            )
    return None if action.guarded else _Obstacle(True, f"There is no {action.of} {shown} to drop.")


def _name_obstacle(action: DdlAction, target: SchemaObject, catalogue: Catalogue) -> _Obstacle | None:
    """Judge who holds the name that is wanted."""
    holder = catalogue.holder(action.name) if action.name is not None else None
    if holder is None or holder == catalogue.orphan_of(target):
        return None
    shown = identifier(holder.name)
    if holder.object.definition == target.definition:
        return None if action.guarded else _Obstacle(True, f"{shown} exists already, as it is written here.")
    sentence = f"The name {shown} belongs to {describe(holder.object)}, not to {describe(target)}"
    if target.type.is_constraint and not holder.object.type.is_constraint:
        return _Obstacle(True, f"{sentence}.")  # even IF NOT EXISTS fails here
    return _refuse_or_ignore(action, sentence)


def _definition_obstacle(action: DdlAction, target: SchemaObject, catalogue: Catalogue) -> _Obstacle | None:
    """Judge whether the same thing exists under another name."""
    twin = catalogue.find(target)
    if twin is None or (action.guarded and action.name in {None, twin.name}):
        return None
    if twin.owner is not None:
        owner = identifier(twin.owner) if twin.object.name else "another constraint"
        return _refuse_or_ignore(action, f"Constraint {owner} brings {describe(target)} with it already")
    name = identifier(twin.name) if twin.object.name else "a name that the server chose"
    return _refuse_or_ignore(action, f"{_sentence(describe(target))} exists already, as {name}")


def _rival_obstacle(target: SchemaObject, catalogue: Catalogue) -> _Obstacle | None:
    """Judge what cannot stand beside the new constraint, with or without IF NOT EXISTS."""
    rival = _rival(target, catalogue)
    if rival is None:
        return None
    name = identifier(rival.name) if rival.object.name else "which the server named"
    return _Obstacle(
        True, f"{_sentence(describe(rival.object))} ({name}) stands in the way of {describe(target)}."
    )


def _rival(target: SchemaObject, catalogue: Catalogue) -> CatalogueEntry | None:
    if target.type is ObjectType.PROPERTY_TYPE:
        sibling = catalogue.sibling(target)
        return sibling if sibling and sibling.object.property_type != target.property_type else None
    if not target.type.has_index or catalogue.find(target):
        return None
    other = ObjectType.KEY if target.type is ObjectType.UNIQUENESS else ObjectType.UNIQUENESS
    constraint = catalogue.find(SchemaObject(other, target.entity, target.labels, target.properties))
    if constraint:
        return constraint
    index = catalogue.find(index_of(target))
    return index if index and not index.owner and index != catalogue.orphan_of(target) else None


def _refuse_or_ignore(action: DdlAction, sentence: str) -> _Obstacle:
    """IF [NOT] EXISTS turns this refusal into silence."""
    if not action.guarded:
        return _Obstacle(True, f"{sentence}.")
    guard = "IF NOT EXISTS" if action.verb == "create" else "IF EXISTS"
    return _Obstacle(False, f"{sentence}; with {guard} the statement would silently do nothing.")


def _sentence(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]
