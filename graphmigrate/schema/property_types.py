"""Normalise the type of a property type constraint (Cypher Manual, "Values and types": "Type synonyms").

``VARCHAR | INT`` and ``STRING | INTEGER`` are one type to the server, and so they are here. Both what a file
says and what ``SHOW CONSTRAINTS`` says pass through, so that the two compare as text. Checked against 5.26
and 2026.05.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ORDER = (
    *("BOOLEAN", "STRING", "INTEGER", "FLOAT", "DATE", "LOCAL TIME", "ZONED TIME"),
    *("LOCAL DATETIME", "ZONED DATETIME", "DURATION", "POINT", "UUID"),
)
_NUMBERS = {"INT": "INTEGER", "INT64": "INTEGER", "INTEGER64": "INTEGER", "FLOAT64": "FLOAT"}
_NAMES: dict[tuple[str, ...], str] = {
    **{tuple(name.split()): name for name in _ORDER},
    **{(word,): name for word, name in _NUMBERS.items()},
    ("BOOL",): "BOOLEAN",
    ("VARCHAR",): "STRING",
    ("SIGNED", "INTEGER"): "INTEGER",
    **{
        (word, "WITH" + without, *zone): f"{'LOCAL' if without else 'ZONED'} {name}"
        for word, name in (("TIME", "TIME"), ("TIMESTAMP", "DATETIME"))
        for without in ("", "OUT")
        for zone in (("TIMEZONE",), ("TIME", "ZONE"))
    },
}
_LONGEST_NAME = max(map(len, _NAMES))
_COORDINATES = {
    **{name: name for name in ("INTEGER8", "INTEGER16", "INTEGER32", "INTEGER", "FLOAT32", "FLOAT")},
    **{f"INT{bits}": f"INTEGER{bits}" for bits in (8, 16, 32)},
    **_NUMBERS,
}
_MOST_WORDS = 500  # all types that there are, and their lists, take 250; deeper nesting would end the parser
_WORDS = re.compile(r"\w+|\S")


def normalise_text(text: str) -> str:
    """Normalise a type as ``SHOW CONSTRAINTS`` prints it; what is not understood is given back as it is."""
    return normalise(_WORDS.findall(text)) or text


def normalise(words: Sequence[str]) -> str | None:
    """Return the canonical text of a type cut into words and signs; None where it is no property type."""
    if len(words) > _MOST_WORDS:
        return None
    parser = _Parser([word.upper() for word in words])
    try:
        members = parser.union()
    except _NotAType:
        return None
    if not parser.at_end or any(member.endswith(" NOT NULL") for member in members):
        return None
    return " | ".join(sorted(set(members), key=_rank))


def _rank(member: str) -> tuple[int, int, str]:
    if member.startswith("LIST<"):
        return (1, _ORDER.index(member[5:].removesuffix(" NOT NULL>")), member)
    return (0, _ORDER.index(member), member) if member in _ORDER else (2, 0, member)


class _NotAType(Exception):
    """The words are no type that a property may have."""


class _Parser:
    """Recursive descent over words, as in the type grammar of Cypher 5 and 25."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._words)

    def union(self) -> list[str]:
        members = self._member()
        while self._take("|"):
            members += self._member()
        return members

    def _member(self) -> list[str]:
        if self._take("ANY"):
            return self._closed_union()
        member = self._single()
        if self._not_null():
            member += " NOT NULL"
        while self._take("LIST") or self._take("ARRAY"):
            member = self._list_of([member])
            if self._not_null():
                member += " NOT NULL"
        return [member]

    def _closed_union(self) -> list[str]:
        self._take("VALUE")
        self._expect("<")
        members = self.union()
        self._expect(">")
        return members

    def _single(self) -> str:
        if self._take("LIST") or self._take("ARRAY"):
            self._expect("<")
            inner = self.union()
            self._expect(">")
            return self._list_of(inner)
        if self._take("VECTOR"):
            return self._vector()
        for length in range(_LONGEST_NAME, 0, -1):
            words = tuple(self._words[self._at : self._at + length])
            name = _NAMES.get(words)
            if name:
                self._at += len(words)
                return name
        raise _NotAType

    def _list_of(self, inner: list[str]) -> str:
        """Only lists of one simple type without nulls can be stored in a property."""
        if len(inner) != 1 or inner[0].removesuffix(" NOT NULL") not in _ORDER or inner[0] in _ORDER:
            raise _NotAType
        return f"LIST<{inner[0]}>"

    def _vector(self) -> str:
        self._expect("<")
        coordinate = _COORDINATES.get(self._next())
        self._not_null()
        self._expect(">")
        self._expect("(")
        dimension = self._next()
        self._expect(")")
        if coordinate is None or not dimension.isdecimal():
            raise _NotAType
        return f"VECTOR<{coordinate} NOT NULL>({int(dimension)})"

    def _not_null(self) -> bool:
        if self._take("NOT"):
            self._expect("NULL")
            return True
        return self._take("!")

    def _take(self, word: str) -> bool:
        if not self.at_end and self._words[self._at] == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise _NotAType

    def _next(self) -> str:
        if self.at_end:
            raise _NotAType
        self._at += 1
        return self._words[self._at - 1]
