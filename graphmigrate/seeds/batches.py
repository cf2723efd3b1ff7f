"""Batches: items of a seed that are committed together, and how the rows of a block go to several sessions."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from graphmigrate.seeds.program import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from graphmigrate.seeds.ledger import SeedRow
    from graphmigrate.seeds.program import Program
    from graphmigrate.seeds.shapes import PlainLoad

# The most items that are read before they are weighed.
_SLICE = 64
# How far from one half the share of one of two lanes may be.
_UNEVEN = 0.15
_DEPTH = 3
_DIGESTS = 2**61


class Batch(NamedTuple):
    """Items of one part, rows or statements, that are committed together.

    ``numbers`` are their numbers in the part, ``marks`` tell what is in them, ``weight`` is about how many bytes they have.
    """

    part: int
    items: list[Any]
    numbers: Sequence[int]
    marks: list[int]
    weight: int

    @property
    def end(self) -> int:
        """The number after that of the last item."""
        return self.numbers[-1] + 1

    def split(self, size: int) -> tuple[Batch, Batch]:
        """Return the first ``size`` items and the others."""
        share = self.weight * size // len(self.items)
        parts = ((slice(size), share), (slice(size, None), self.weight - share))
        first, second = (
            Batch(self.part, self.items[cut], self.numbers[cut], self.marks[cut], weight)
            for cut, weight in parts
        )
        return first, second


class Limits(NamedTuple):
    """How many items, and about how many bytes, a batch may have."""

    items: int
    size: int


def batches(part: int, items: Iterator[Any], limits: Limits, start: int = 0) -> Iterator[Batch]:
    """Cut ``items``, the first of which has the number ``start``, into batches within the limits.

    A single item may be heavier than the limit. Started again at any border, it cuts the same batches.
    """
    while True:
        held: list[Any] = []
        marks: list[int] = []
        heavy, take = 0, 1
        while len(held) < limits.items and heavy < limits.size:
            found = list(islice(items, min(take, limits.items - len(held))))
            if not found:
                break
            packed = _packed(found)
            marks += map(crc32, packed)
            heavy += sum(map(len, packed))
            held += found
            room = (limits.size - heavy) * len(held) // max(heavy, 1)
            take = max(1, min(take * 8, _SLICE, room))
        if not held:
            return
        yield Batch(part, held, range(start, start + len(held)), marks, heavy)
        start += len(held)


def _packed(items: Sequence[Any]) -> list[bytes]:
    """Return the same bytes for the same row, or statement with its parameters, on every machine."""
    try:
        return list(map(marshal.dumps, items, repeat(2)))  # version 2 writes a text as often as it occurs
    except ValueError:  # a type that marshal does not know
        if len(items) > 1:
            return [bytes_ for item in items for bytes_ in _packed([item])]
        [item] = items
        item = (item.text, item.parameters) if hasattr(item, "parameters") else item
        return [repr(item).encode("utf-8", "surrogatepass")]


def digest(before: int | None, marks: Iterable[int]) -> int | None:
    """Return what tells of the content of items, whatever their order and batches; None stays unknown."""
    return None if before is None else (before + sum(marks)) % _DIGESTS


def mark_of(part: Rows) -> int:
    """Return the mark of the statement of a row block, and of the columns that it is sent."""
    return crc32(
        repr((part.query.text, part.query.parameters, part.columns)).encode("utf-8", "surrogatepass")
    )


def digest_of(program: Program, row: SeedRow) -> int:
    """Return the digest that a load has which committed of this program what ``row`` says; reads the rows."""
    marks: list[int] = []
    for number, part in enumerate(program.parts[: row.part + 1]):
        count = None if number < row.part else row.offset
        if not isinstance(part, Rows):
            marks += map(crc32, _packed(part.queries[:count]))
            continue
        lanes = row.lanes if number == row.part else ()
        offsets = [lane.offset for lane in lanes]
        route = Spread.parse(row.spread).route(part.columns, len(lanes)) if lanes else None
        rows = enumerate(islice(part.rows(), max(offsets) if route else count))
        found = [crc32(_packed([item])[0]) for at, item in rows if not route or at < offsets[route(at, item)]]
        marks += [sum(found), mark_of(part)] if found or lanes else []
    return sum(marks) % _DIGESTS


def deal(
    found: Iterable[Batch], route: Callable[[int, Any], int], offsets: Sequence[int], limits: Limits
) -> Iterator[tuple[int, Batch]]:
    """Deal the rows of batches out to lanes, in batches of their own; a lane gets its rows from its offset on."""
    held = [Batch(0, [], [], [], 0) for _ in offsets]
    for batch in found:
        weight = batch.weight // len(batch.items)
        parts: list[tuple[list[Any], list[int], list[int]]] = [([], [], []) for _ in offsets]
        for number, row, mark in zip(batch.numbers, batch.items, batch.marks, strict=True):
            lane = route(number, row)
            if number >= offsets[lane]:
                rows, numbers, marks = parts[lane]
                rows.append(row)
                numbers.append(number)
                marks.append(mark)
        for lane, (rows, numbers, marks) in enumerate(parts):
            old = held[lane]
            whole = Batch(
                batch.part,
                old.items + rows,
                [*old.numbers, *numbers],
                old.marks + marks,
                old.weight + weight * len(rows),
            )
            while len(whole.items) >= limits.items:
                first, whole = whole.split(limits.items)
                yield lane, first
            if whole.weight >= limits.size:
                yield lane, whole
                whole = Batch(0, [], [], [], 0)
            held[lane] = whole
    yield from ((lane, rest) for lane, rest in enumerate(held) if rest.items)


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
        pick, depth = picker(self.column, columns), self.depth
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
    found = {name: list(map(picker(name, columns), first)) for name in names}
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


def picker(column: str, columns: Sequence[str] | None) -> Callable[[Any], Any]:
    """Return the function from a row as it is sent to its value in a column; an empty name means the row itself."""
    if columns is not None:
        return itemgetter(list(columns).index(column))
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
