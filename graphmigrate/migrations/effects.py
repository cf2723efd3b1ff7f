"""What migrations made and dropped of the schema, followed in memory when their run ends: an undo goes by it (pure)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.cypher.model import Kind
from graphmigrate.schema.catalogue import object_of, row_of
from graphmigrate.schema.compare import apply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphmigrate.cypher.model import Statement
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import CatalogueEntry, DdlAction, SchemaObject


_CHOSEN = re.compile(r"(index|constraint)_[0-9a-f]+")  # a name that the server gives


class Made(NamedTuple):
    """A constraint or index that the migration's ``statement`` (from 1 on) made; ``create`` is how the server writes it.

    ``create`` is None as long as the server was not asked, and empty where that is not known.
    """

    statement: int
    object: SchemaObject
    create: str | None = None


class Effects(NamedTuple):
    """What a migration made and left there, and the statements that make again what it dropped."""

    made: tuple[Made, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The properties of the migration's node."""
        rows = [[each.statement, *row_of(each.object), each.create] for each in self.made]
        return {"made": [json.dumps(row, ensure_ascii=False) for row in rows], "dropped": list(self.dropped)}


def effects_in(made: Any, dropped: Any) -> Effects | None:
    """Read what ``Effects.values`` wrote; None where nothing, or something else, stands there."""
    try:
        found = [
            Made(int(number), object_of(row), create)
            for number, *row, create in (json.loads(each) for each in made)
        ]
        return Effects(tuple(found), tuple(map(str, dropped)))
    except (TypeError, ValueError, KeyError):
        return None


class Part(NamedTuple):
    """What one run committed of a migration: ``segments`` after ``before`` statements of earlier runs, which did ``earlier``.

    ``segments`` is None where the file is not what it was.
    """

    key: str
    before: int
    segments: tuple[Segment, ...] | None
    earlier: Effects | None = Effects()


def effects_of(parts: Iterable[Part], catalogue: Catalogue, now: Catalogue) -> dict[str, Effects]:
    """Return by key what each migration of a run did to the schema, which was ``catalogue`` before the run and is ``now``.

    One whose doing cannot be told any more is left out: its undo then takes a file. What a run both makes and drops is known by
    its statement; of all else the server has told the definition.
    """
    walk = _Walk(catalogue)
    for part in parts:
        walk.follow(part)
    return {key: _as_now(made, now) for key, made in walk.found.items()}


def _as_now(effects: Effects, now: Catalogue) -> Effects:
    """Add the name and the definition that the server gave to what is there still."""

    def told(each: Made) -> Made:
        entry = now.find(each.object) if each.create is None else None
        fits = entry is not None and each.object.name in {None, entry.name}
        return Made(each.statement, entry.object, entry.create) if entry and fits else each

    return effects._replace(made=tuple(map(told, effects.made)))


class _Walk:
    """The way through a run: the catalogue after each statement, and who made what."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.found: dict[str, Effects] = {}
        self._catalogue = catalogue
        self._texts: dict[str, str] = {}  # of what this run made, by name
        self._lost = False

    def follow(self, part: Part) -> None:
        """Take the statements of one migration."""
        self._lost = self._lost or part.segments is None
        effects, number = part.earlier, part.before
        for segment in part.segments or ():
            for at, statement in enumerate(segment.statements):
                number += 1
                if segment.kind is Kind.SCHEMA:
                    effects = self._take(number, statement, segment.actions[at], effects)
                elif statement.kind is Kind.SCHEMA:  # of a form that is not read
                    self._lost = True
        if effects is not None and not self._lost:
            self.found[part.key] = effects

    def _take(
        self, number: int, statement: Statement, action: DdlAction, effects: Effects | None
    ) -> Effects | None:
        before, self._catalogue = self._catalogue, apply([action], self._catalogue)
        if self._catalogue is before:
            chosen = (
                _CHOSEN.fullmatch(action.name or "") if before.anonymous and action.verb == "drop" else None
            )
            self._lost = self._lost or chosen is not None or not action.guarded
            return effects
        if action.target is not None:
            self._texts[action.name or ""] = statement.sent
            return effects and effects._replace(made=(*effects.made, Made(number, action.target)))
        name = action.name or ""
        entry = before.constraints.get(name) if action.of == "constraint" else before.indexes.get(name)
        if entry is None:
            return effects
        self._seal(entry)
        create = entry.create or self._texts.get(name)
        return (effects and create and _without(effects, entry, create)) or None

    def _seal(self, entry: CatalogueEntry) -> None:
        """Note that what an earlier migration of this run made was dropped by this one: another may take its place."""
        for key, effects in self.found.items():
            made = (
                each._replace(create="") if each.object == entry.object else each for each in effects.made
            )
            self.found[key] = effects._replace(made=tuple(made))


def _without(effects: Effects, entry: CatalogueEntry, create: str) -> Effects:
    """Return what a migration did once it drops something: what it made itself leaves nothing to undo."""
    kept = tuple(each for each in effects.made if each.object.name != entry.name)
    if len(kept) < len(effects.made):
        return effects._replace(made=kept)
    return effects._replace(dropped=(*effects.dropped, create))


def by_keys(records: Iterable[Mapping[str, Any]]) -> dict[str, Effects]:
    """Return what the nodes of migrations tell of themselves."""
    told = {each["key"]: effects_in(each["made"], each["dropped"]) for each in records}
    return {key: effects for key, effects in told.items() if effects is not None}
