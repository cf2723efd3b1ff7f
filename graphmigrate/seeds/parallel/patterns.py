"""Read the simple patterns of MATCH, CREATE and MERGE; anything else is not understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphmigrate.seeds.cypher import Lexeme, Sort

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class NotUnderstood(Exception):
    """A token stands where none was expected."""


@dataclass(frozen=True, slots=True)
class Node:
    """``(name:Label {property: expression})``, or what stands in the brackets of a relationship."""

    name: str
    labels: frozenset[str]
    properties: dict[str, list[Lexeme]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Path:
    """Nodes with the relationships between them, each of which has a direction."""

    nodes: tuple[Node, ...]
    relationships: tuple[Node, ...]


class Reader:
    """Reads tokens from left to right; raises NotUnderstood."""

    def __init__(self, tokens: Sequence[Lexeme]) -> None:
        self._tokens = tokens
        self._at = 0

    def paths(self) -> list[Path]:
        """Read patterns, separated by commas, to the end."""
        found = [self._path()]
        while self._at < len(self._tokens):
            self._expect(",")
            found.append(self._path())
        return found

    def map(self) -> dict[str, list[Lexeme]]:
        """Read ``{name: expression, …}`` to the end."""
        found = self._map()
        if self._at < len(self._tokens):
            raise NotUnderstood
        return found

    def labels(self) -> frozenset[str]:
        """Read ``:Label:Label`` to the end."""
        found = self._labels()
        if self._at < len(self._tokens):
            raise NotUnderstood
        return found

    def split(self, separator: str) -> list[list[Lexeme]]:
        """Cut the rest at a word or comma outside all brackets; no part may be empty."""
        parts: list[list[Lexeme]] = [[]]
        depth = 0
        for token in self._tokens[self._at :]:
            if token.sort is Sort.SYMBOL:
                depth += (token.value in _OPENING) - (token.value in _CLOSING)
            if depth == 0 and token.sort in {Sort.SYMBOL, Sort.WORD} and token.value.upper() == separator:
                parts.append([])
            else:
                parts[-1].append(token)
        if not all(parts):
            raise NotUnderstood
        return parts

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return token.value if token.sort is Sort.SYMBOL else ""

    def _expect(self, *symbols: str) -> None:
        for symbol in symbols:
            if self._peek() != symbol:
                raise NotUnderstood
            self._at += 1

    def _skip(self, symbol: str) -> bool:
        found = self._peek() == symbol
        self._at += found
        return found

    def _name(self) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at].sort in {Sort.WORD, Sort.QUOTED}:
            self._at += 1
            return self._tokens[self._at - 1].value
        raise NotUnderstood

    def _path(self) -> Path:
        nodes = [self._element("(", ")")]
        relationships = []
        while self._peek() in {"-", "<"}:
            backwards = self._skip("<")
            self._expect("-")
            relationships.append(self._element("[", "]"))
            self._expect("-")
            if backwards == self._skip(">"):
                raise NotUnderstood
            nodes.append(self._element("(", ")"))
        return Path(tuple(nodes), tuple(relationships))

    def _element(self, opening: str, closing: str) -> Node:
        self._expect(opening)
        name = self._name() if self._peek() not in {":", "{", closing} else ""
        labels = self._labels()
        properties = self._map() if self._peek() == "{" else {}
        self._expect(closing)
        return Node(name, labels, properties)

    def _labels(self) -> frozenset[str]:
        found = set()
        while self._peek() == ":":
            self._at += 1
            found.add(self._name())
        return frozenset(found)

    def _map(self) -> dict[str, list[Lexeme]]:
        self._expect("{")
        start, depth = self._at, 1
        while depth:
            if self._at >= len(self._tokens):
                raise NotUnderstood
            symbol = self._peek()
            depth += (symbol in _OPENING) - (symbol in _CLOSING) if symbol else 0
            self._at += 1
        inside = Reader(self._tokens[start : self._at - 1])
        return dict(map(_pair, inside.split(","))) if self._at - 1 > start else {}


def _pair(tokens: list[Lexeme]) -> tuple[str, list[Lexeme]]:
    if len(tokens) < 3 or tokens[0].sort not in {Sort.WORD, Sort.QUOTED} or tokens[1].value != ":":
        raise NotUnderstood
    return tokens[0].value, tokens[2:]
