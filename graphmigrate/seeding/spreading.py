"""How the rows of a block are spread over lanes (sessions), always in the same way for the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.seeding.cutting import Block

_KEY = "key:"


@dataclass(frozen=True, slots=True)
class Spread:
    """``how`` is ``kept``, ``any`` or ``key``.

    *kept*: all rows in one lane, in batches of one fixed size, because rows may depend on earlier ones.
    *any*: whole blocks of rows in turn, because no row can touch what another one does. *key*: each row by its
    ``column`` (empty: by itself), because only rows with the same value there can touch the same things; these
    stay in one lane, in their order.
    """

    how: str
    column: str = ""

    @property
    def text(self) -> str:
        """How the ledger keeps it."""
        return f"{_KEY}{self.column}" if self.how == "key" else self.how

    @property
    def in_order(self) -> bool:
        """Whether rows may depend on earlier ones."""
        return self.how == "kept"

    @classmethod
    def parse(cls, text: str) -> Spread:
        """Read what ``text`` gave."""
        return cls("key", text.removeprefix(_KEY)) if text.startswith(_KEY) else cls(text)


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
    pick = _picker(spread.column, columns)

    def by_key(block: Block) -> Sequence[tuple[int, list[Any]]]:
        parts: list[list[Any]] = [[] for _ in range(lanes)]
        for row in block.items:
            value = pick(row)
            number = crc32(value.encode()) if type(value) is str else _hash(value)
            parts[number % lanes].append(row)
        return [(lane, rows) for lane, rows in enumerate(parts) if rows]

    return by_key


def _picker(column: str, columns: Sequence[str] | None) -> Callable[[Any], Any]:
    if columns is not None:
        index = list(columns).index(column)
        return lambda row: row[index]
    if column:
        return lambda row: row.get(column) if isinstance(row, Mapping) else None
    return lambda row: row


def _hash(value: Any) -> int:
    """Give values that are equal in Cypher the same number; what has no simple text goes to the first lane."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return crc32(str(value).encode("utf-8", "replace")) if isinstance(value, (int, float, str)) else 0
