"""Batches: items of a seed that are committed together, and how the rows of a block go to several sessions."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from graphmigrate.seeds.shapes import PlainLoad

# The most items that are read before they are weighed.
_SLICE = 64
_OVERHEAD = 16
# How far from one half the share of one of two lanes may be.
_UNEVEN = 0.15
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one part, rows or statements, that are committed together.

    ``numbers`` are their numbers in the part, ``weight`` is about how many bytes they have.
    """

    part: int
    items: list[Any]
    numbers: Sequence[int]
    weight: int

    @property
    def end(self) -> int:
        """The number after that of the last item."""
        return self.numbers[-1] + 1

    def split(self, size: int) -> tuple[Batch, Batch]:
        """Return the first ``size`` items and the others."""
        share = self.weight * size // len(self.items)
        return (
            Batch(self.part, self.items[:size], self.numbers[:size], share),
            Batch(self.part, self.items[size:], self.numbers[size:], self.weight - share),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How many items, and about how many bytes, a batch may have."""

    items: int
    size: int


def batches(part: int, items: Iterator[Any], limits: Limits, start: int = 0) -> Iterator[Batch]:
    """Cut ``items``, the first of which has the number ``start``, into batches within the limits.

    A single item may be heavier than the limit. Started again at any border, it cuts the same batches.
    """
    while True:
        held: list[Any] = []
        heavy, take = 0, 1
        while len(held) < limits.items and heavy < limits.size:
            found = list(islice(items, min(take, limits.items - len(held))))
            if not found:
                break
            heavy += weight(found)
            held += found
            room = (limits.size - heavy) * len(held) // max(heavy, 1)
            take = max(1, min(take * 8, _SLICE, room))
        if not held:
            return
        yield Batch(part, held, range(start, start + len(held)), heavy)
        start += len(held)


def deal(
    found: Iterable[Batch], route: Callable[[int, Any], int], offsets: Sequence[int], limits: Limits
) -> Iterator[tuple[int, Batch]]:
    """Deal the rows of batches out to lanes, in batches of their own; a lane gets its rows from its offset on."""
    held = [Batch(0, [], [], 0) for _ in offsets]
    for batch in found:
        parts: list[Batch] = [Batch(batch.part, [], [], 0) for _ in offsets]
        for number, row in zip(batch.numbers, batch.items, strict=True):
            lane = route(number, row)
            if number >= offsets[lane]:
                parts[lane].items.append(row)
                parts[lane].numbers.append(number)  # type: ignore[attr-defined]
        for lane, part in enumerate(parts):
            share = batch.weight * len(part.items) // len(batch.items)
            together = Batch(
                batch.part,
                held[lane].items + part.items,
                [*held[lane].numbers, *part.numbers],
                held[lane].weight + share,
            )
            while len(together.items) >= limits.items:
                first, together = together.split(limits.items)
                yield lane, first
            if together.weight >= limits.size:
                yield lane, together
                together = Batch(0, [], [], 0)
            held[lane] = together
    yield from ((lane, rest) for lane, rest in enumerate(held) if rest.items)


def weight(items: Any) -> int:
    """Return about how many bytes values, or statements with their parameters, have."""
    try:
        return len(marshal.dumps(items, 2))  # version 2 counts a text as often as it occurs
    except ValueError:  # a type that marshal does not know
        return _weight(items)


def _weight(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return len(value) + _OVERHEAD
    if isinstance(value, Mapping):
        return _OVERHEAD + sum(_weight(key) + _weight(each) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return _OVERHEAD + sum(map(_weight, value))
    if hasattr(value, "parameters"):
        return len(value.text) + _weight(value.parameters)
    return _OVERHEAD


@dataclass(frozen=True, slots=True)
class Spread:
    """How the rows of a block go to its lanes, one lane a session; nothing but the row and its number decides.

    With a ``column``, rows that have the same value there go to one lane, in their order; an empty name means the row itself.
    Values that differ only in their last ``depth`` characters (or digits of a number) go to one lane, too. Without a column,
    the lanes get ``turn`` rows each in turn.
    """

    column: str | None = None
    depth: int = 0
    turn: int = 1

    @property
    def text(self) -> str:
        """The text that the ledger keeps."""
        return f"turn:{self.turn}" if self.column is None else f"column{self.depth}:{self.column}"

    @classmethod
    def parse(cls, text: str) -> Spread:
        """Read what ``text`` returned."""
        how, _, rest = text.partition(":")
        return cls(turn=int(rest)) if how == "turn" else cls(rest, int(how.removeprefix("column")))

    def route(self, columns: Sequence[str] | None, lanes: int) -> Callable[[int, Any], int]:
        """Return the function that tells the lane of a row from its number and the row itself."""
        if self.column is None:
            turn = self.turn
            return lambda number, _: number // turn % lanes
        pick, depth = _picker(self.column, columns), self.depth
        return lambda _, row: _hash(pick(row), depth) % lanes


def spread_of(
    plain: PlainLoad | None, first: Sequence[Any], columns: Sequence[str] | None, turn: int
) -> Spread:
    """Return how to spread rows that may be loaded in several sessions; ``first`` are the first of them.

    Nodes of MERGE are spread by their key, neighbours in one lane: two sessions that write into the same leaves of an index wait
    for each other. Relationships are spread by one end, so that two sessions do not write relationships of the same node: by
    the end with fewer values. Both hold as far as two lanes stay busy.
    """
    if plain is None or not plain.lookups:
        return Spread(turn=turn)
    names = [each.column for each in plain.lookups]
    found = {name: list(map(_picker(name, columns), first)) for name in names}
    if not plain.relationship:
        depths = range(_DEPTH, -1, -1)
        return Spread(names[0], next((depth for depth in depths if _is_even(found[names[0]], depth)), 0))
    names.sort(key=lambda name: len({_hash(value) for value in found[name]}))
    column = next((name for name in names if _is_even(found[name])), None)
    if column is None and plain.verb == "MERGE":
        column = plain.lookups[0].column
    return Spread(column, turn=turn if column is None else 1)


def _is_even(values: Sequence[Any], depth: int = 0) -> bool:
    share = sum(_hash(value, depth) % 2 for value in values) / max(1, len(values))
    return abs(share - 0.5) <= _UNEVEN


def _picker(column: str, columns: Sequence[str] | None) -> Callable[[Any], Any]:
    if columns is not None:
        index = list(columns).index(column)
        return lambda row: row[index]
    if column:
        return lambda row: row.get(column) if isinstance(row, Mapping) else None
    return lambda row: row


def _hash(value: Any, depth: int = 0) -> int:
    """Return the same number for values that are equal in Cypher; 0 for a value without a simple text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and depth:
        value = value[:-depth]
    elif type(value) is int and depth:
        value //= 10**depth
    if isinstance(value, (str, int, float)):
        return crc32(str(value).encode("utf-8", "surrogatepass"))
    return 0
