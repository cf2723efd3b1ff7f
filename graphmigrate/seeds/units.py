"""What a load does one after the other: batches that fit one transaction, and row blocks that need many."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.cutting import Block, blocks, statements_weight
from graphmigrate.seeds.parallel.spreading import Spread
from graphmigrate.seeds.program import Program, Rows, Statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.seeds.seed_history import LaneRow, SeedRow
    from graphmigrate.settings import Settings

# Rows are dealt out to lanes in blocks of so many. Neighbours stay together, because sessions that write into the same
# leaves of an index wait for each other. Rows that may depend on earlier ones go in batches of just this size.
BLOCK = 5_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows, and about how many bytes, a block of rows may have."""

    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Neighbouring items (statements or rows) of one part, from number ``start`` (0-based) on."""

    part: int
    start: int
    items: list[Any]


@dataclass(frozen=True, slots=True)
class RowBlock:
    """A part of many rows, for lanes of their own; ``lanes`` are the ledger's where it was begun already."""

    part: int
    blocks: Iterator[Block]
    limits: Limits
    spread: Spread
    lanes: tuple[LaneRow, ...] = ()
    start: int = 0


Unit = Batch | RowBlock


def units(program: Program, settings: Settings, resumed: SeedRow | None = None) -> Iterator[Unit]:
    """Give everything that is still to do, in order; rows are read as they are needed."""
    first = resumed.part if resumed else 0
    for number in range(first, len(program.parts)):
        part = program.parts[number]
        here = resumed if resumed and number == first else None
        if isinstance(part, Statements):
            yield from _statements(part, number, settings, here.offset if here else 0)
        elif here is not None and here.lanes:
            yield _resumed(part, here)
        else:
            yield from _rows(part, number, settings)


def _statements(part: Statements, number: int, settings: Settings, offset: int) -> Iterator[Unit]:
    queries = islice(part.queries, offset, None)
    most, most_bytes = settings.batch_rows, settings.batch_bytes
    for block in blocks(queries, most=most, most_bytes=most_bytes, start=offset, weigh=statements_weight):
        yield Batch(number, block.start, block.items)


def _rows(part: Rows, number: int, settings: Settings) -> Iterator[Unit]:
    limits = Limits(min(settings.batch_rows, BLOCK), max(1, settings.batch_bytes // 4))
    cut = _cut(part, limits)
    ahead = list(islice(cut, 2))
    if len(ahead) == 1:
        yield Batch(number, 0, ahead[0].items)
    elif ahead:
        fitted = part.spread.fitted([row for block in ahead for row in block.items], part.columns)
        yield RowBlock(number, chain(ahead, cut), limits, fitted)


def _resumed(part: Rows, row: SeedRow) -> RowBlock:
    behind = min(row.lanes, key=lambda lane: lane.offset)
    limits = Limits(row.block, row.block_bytes)
    cut = _cut(part, limits, behind.offset, behind.blocks)
    return RowBlock(row.part, cut, limits, Spread.parse(row.spread), row.lanes)


def _cut(part: Rows, limits: Limits, start: int = 0, number: int = 0) -> Iterator[Block]:
    items = rows_of(part, start)
    return blocks(items, most=limits.rows, most_bytes=limits.size, start=start, number=number)


def rows_of(part: Rows, start: int) -> Iterator[Any]:
    """Give the rows of a part as they are sent, from number ``start`` on."""
    if part.columns is None:
        return part.source.values(start)
    return part.source.lists(part.columns, start)
