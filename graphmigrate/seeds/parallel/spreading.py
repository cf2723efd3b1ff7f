"""How the rows of a block are spread over lanes (sessions), always in the same way for the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.seeds.cutting import Block

_KEY = "key:"
_NEAR = "near"
DEPTH = 3
# How far from one half the rows of one of two lanes may be.
_UNEVEN = 0.15


@dataclass(frozen=True, slots=True)
class Spread:
    """``how`` is ``kept``, ``any`` or ``key``.

    *kept*: all rows in one lane, in batches of one fixed size, because rows may depend on earlier ones.
    *any*: whole blocks of rows in turn, because no row can touch what another one does. *key*: each row by its
    ``column`` (empty: by itself), because only rows with the same value there can touch the same things; these
    stay in one lane, in their order. *near* is *key* for what is written into an index by that column: values that agree but
    for their last ``depth`` characters (or digits, in a number) stay in one lane, too, since sessions that write into the
    same leaves of an index wait for each other.
    """

    how: str
    column: str = ""
    depth: int = 0

    @property
    def text(self) -> str:
        """How the ledger keeps it."""
        if self.how == "near":
            return f"{_NEAR}{self.depth}:{self.column}"
        return f"{_KEY}{self.column}" if self.how == "key" else self.how

    @property
    def in_order(self) -> bool:
        """Whether rows may depend on earlier ones."""
        return self.how == "kept"

    @classmethod
    def parse(cls, text: str) -> Spread:
        """Read what ``text`` gave."""
        if text.startswith(_NEAR):
            depth, column = text.removeprefix(_NEAR).split(":", 1)
            return cls("near", column, int(depth))
        return cls("key", text.removeprefix(_KEY)) if text.startswith(_KEY) else cls(text)

    def fitted(self, first: Sequence[Any], columns: Sequence[str] | None) -> Spread:
        """Take neighbours only as far as these first rows of a block still go to two lanes alike."""
        if self.how != "near":
            return self
        pick = _picker(self.column, columns)
        for depth in range(self.depth, 0, -1):
            share = sum(_number(pick(row), depth) % 2 for row in first) / max(1, len(first))
            if abs(share - 0.5) <= _UNEVEN:
                return Spread("near", self.column, depth)
        return Spread("key", self.column)


KEPT = Spread("kept")
ANY = Spread("any")


def splitter(
    spread: Spread, columns: Sequence[str] | None, lanes: int
) -> Callable[[Block], Sequence[tuple[int, list[Any]]]]:
    """Give a function that says which lane gets which rows of a block."""
    if lanes == 1 or spread.how == "kept":
        return lambda block: ((0, block.items),)
    if spread.how == "any":
        return lambda block: ((block.number % lanes, block.items),)
    pick, depth = _picker(spread.column, columns), spread.depth

    def by_key(block: Block) -> Sequence[tuple[int, list[Any]]]:
        parts: list[list[Any]] = [[] for _ in range(lanes)]
        for row in block.items:
            parts[_number(pick(row), depth) % lanes].append(row)
        return [(lane, rows) for lane, rows in enumerate(parts) if rows]

    return by_key


def _picker(column: str, columns: Sequence[str] | None) -> Callable[[Any], Any]:
    if columns is not None:
        index = list(columns).index(column)
        return lambda row: row[index]
    if column:
        return lambda row: row.get(column) if isinstance(row, Mapping) else None
    return lambda row: row


def _number(value: Any, depth: int) -> int:
    """Give values that are equal in Cypher the same number; what has no simple text goes to the first lane."""
    if isinstance(value, str):
        return crc32((value[:-depth] if depth else value).encode("utf-8", "surrogatepass"))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if depth and type(value) is int:
        value //= 10**depth
    return crc32(str(value).encode()) if isinstance(value, (int, float)) else 0
