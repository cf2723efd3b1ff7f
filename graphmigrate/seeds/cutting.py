"""Cut rows into blocks whose borders depend on the rows alone, so that a resumed load finds them again."""

from __future__ import annotations

import marshal
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# The most rows that are read before they are weighed: what one unlucky slice may hold in memory.
_SLICE = 64
_OVERHEAD = 16


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring items (rows or statements): number ``number`` of their part, from ``start`` to ``end``.

    ``weight`` is about how many bytes they have on the wire.
    """

    number: int
    start: int
    end: int
    items: list[Any]
    weight: int


def blocks(
    items: Iterator[Any],
    *,
    most: int,
    most_bytes: int,
    start: int = 0,
    number: int = 0,
    weigh: Callable[[list[Any]], int] | None = None,
) -> Iterator[Block]:
    """Cut ``items``, the first of which has the number ``start``, into blocks of at most ``most`` items.

    A block also ends soon after it has ``most_bytes``. Started again at any border with the same limits, it
    cuts the same blocks.
    """
    measure = weigh or weight
    while True:
        held: list[Any] = []
        heavy = 0
        take = 1
        while len(held) < most and heavy < most_bytes:
            found = list(islice(items, min(take, most - len(held))))
            if not found:
                break
            heavy += measure(found)
            held += found
            room = (most_bytes - heavy) * len(held) // max(heavy, 1)
            take = max(1, min(take * 8, _SLICE, room))
        if not held:
            return
        yield Block(number, start, start + len(held), held, heavy)
        start += len(held)
        number += 1


def weight(rows: list[Any]) -> int:
    """Say about how many bytes these values have; the same on every machine."""
    try:
        # Version 2 has no references: interned texts count as often as they stand there.
        return len(marshal.dumps(rows, 2))
    except ValueError:  # a date or another type that marshal does not know
        return sum(map(_weight, rows))


def _weight(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return len(value) + _OVERHEAD
    if isinstance(value, dict):
        return _OVERHEAD + sum(_weight(key) + _weight(each) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return _OVERHEAD + sum(map(_weight, value))
    return _OVERHEAD


def statements_weight(queries: list[Any]) -> int:
    """Say about how many bytes statements with their parameters have."""
    return sum(len(query.text) + _parameters(query.parameters) for query in queries)


def _parameters(parameters: Mapping[str, Any]) -> int:
    return weight(list(parameters.values())) if parameters else 0
