"""What seeding asks of the Cypher reader: tokens, statements, what is made or deleted, the uses of a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import Token, TokenKind
from graphmigrate.cypher.lexer import tokens as cut
from graphmigrate.cypher.statements import scan
from graphmigrate.seeds.errors import SeedFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place


class Sort(Enum):
    """What a token is, as far as seeds care."""

    WORD = "word"
    QUOTED = "quoted"
    PARAMETER = "parameter"
    NUMBER = "number"
    STRING = "string"
    COMMENT = "comment"
    SPACE = "space"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One token of a text; ``value`` is what it means: without backticks, Unicode escapes decoded."""

    sort: Sort
    start: int
    end: int
    value: str


_SORTS = {
    TokenKind.SPACE: Sort.SPACE,
    TokenKind.COMMENT: Sort.COMMENT,
    TokenKind.STRING: Sort.STRING,
    TokenKind.NAME: Sort.QUOTED,
    TokenKind.PARAMETER: Sort.PARAMETER,
    TokenKind.WORD: Sort.WORD,
    TokenKind.NUMBER: Sort.NUMBER,
}
_OPENINGS = {"'": Sort.STRING, '"': Sort.STRING, "`": Sort.QUOTED, "/": Sort.COMMENT}


def lexemes(text: str) -> list[Lexeme]:
    """Give every token of a text; what is never closed counts as what it opens."""
    return [_lexeme(token) for token in cut(text)]


def _lexeme(token: Token) -> Lexeme:
    sort = _SORTS.get(token.kind, Sort.SYMBOL)
    value = token.text
    if token.kind is TokenKind.UNTERMINATED:
        sort = _OPENINGS[value[0]]
    elif sort is Sort.QUOTED:
        value = value[1:-1].replace("``", "`")
    return Lexeme(sort, token.start, token.end, value)


def statements(text: str, place: Callable[[int], Place]) -> list[Statement]:
    """Split a rendered text; its problems are shown where ``place`` finds an offset (GM102)."""
    found, problems = scan(text, "")
    if problems:
        placed = [
            replace(each, place=place(_offset(text, each.place)) if each.place else None) for each in problems
        ]
        first = placed[0]
        raise SeedFileError(
            first.message, hint=first.hint, place=first.place, code=first.code, problems=placed
        )
    if found and found[0].source != text:
        raise SeedFileError(
            "There is a byte-order mark (U+FEFF) or a carriage return inside this template.",
            hint="Delete it: it is invisible, and Cypher does not take it for white space.",
            place=place(0),
        )
    return list(found)


def _offset(text: str, place: Place) -> int:
    lines = text.split("\n")
    return sum(len(each) + 1 for each in lines[: place.line - 1]) + place.column - 1


_MEANINGLESS = frozenset({Sort.SPACE, Sort.COMMENT})


def _meaningful(tokens: Sequence[Lexeme]) -> list[Lexeme]:
    return [token for token in tokens if token.sort not in _MEANINGLESS]


def creates(tokens: Sequence[Lexeme]) -> bool:
    """Whether there is a CREATE clause (or INSERT, its name in GQL); ``ON CREATE SET`` of a MERGE is none.

    Procedures that make nodes or relationships count, too.
    """
    words = _meaningful(tokens)
    for index, token in enumerate(words):
        if _is_word(token, "CALL") and _MAKING.match(_joined(words, index + 1)):
            return True
        if token.sort is not Sort.WORD or token.value.upper() not in {"CREATE", "INSERT"}:
            continue
        before = words[index - 1] if index else None
        after = words[index + 1 : index + 3]
        if before is not None and (before.value in {".", ":"} or before.value.upper() == "ON"):
            continue
        if after and (after[0].value == "(" or (len(after) > 1 and after[1].value == "=")):
            return True
    return False


def may_delete(tokens: Sequence[Lexeme]) -> bool:
    """Whether the statement could delete nodes: by a DELETE clause, or in a procedure."""
    return any(token.sort is Sort.WORD and token.value.upper() in {"DELETE", "CALL"} for token in tokens)


# APOC's documentation, "Creating data", "Graph refactoring" and "Cypher execution".
_MAKING = re.compile(
    r"apoc\.(create\.(node|relationship)|refactor\.clone|cypher\.(doit|run(many|write|file)))"
)


def _joined(words: Sequence[Lexeme], index: int) -> str:
    return "".join(token.value for token in words[index : index + 5]).lower()


@dataclass(frozen=True, slots=True)
class RowUses:
    """How a body uses its row variable: each ``row.name`` (start, end, name), and whether the row whole.

    ``shadowed`` tells that the body gives the name to something else, too, so that not every use is one of
    the row.
    """

    dotted: tuple[tuple[int, int, str], ...]
    whole: bool
    shadowed: bool

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns a row can be reduced to, in order of first use; None where rows must be sent whole."""
        if self.whole or self.shadowed or not self.dotted:
            return None
        return tuple(dict.fromkeys(name for _, _, name in self.dotted))


def row_uses(tokens: Sequence[Lexeme], variable: str) -> RowUses:
    """Find the uses of a row variable; what is not clearly ``row.name`` counts as a use of the whole row."""
    words = _meaningful(tokens)
    dotted: list[tuple[int, int, str]] = []
    whole = shadowed = False
    for index, token in enumerate(words):
        if token.sort not in {Sort.WORD, Sort.QUOTED} or token.value != variable:
            continue
        before = words[index - 1] if index else None
        if before is not None and before.sort is Sort.SYMBOL and before.value == ".":
            continue  # a property of that name, of something else
        name = _property(words, index)
        if name is not None and not _is_call(words, index):
            dotted.append((token.start, name.end, name.value))
            continue
        whole = True
        after = words[index + 1] if index + 1 < len(words) else None
        shadowed = shadowed or _is_word(before, "AS") or _is_word(after, "IN")
    return RowUses(tuple(dotted), whole, shadowed)


def _is_word(token: Lexeme | None, word: str) -> bool:
    return token is not None and token.sort is Sort.WORD and token.value.upper() == word


def _property(words: Sequence[Lexeme], index: int) -> Lexeme | None:
    following = words[index + 1 : index + 3]
    if len(following) == 2 and following[0].sort is Sort.SYMBOL and following[0].value == ".":
        return following[1] if following[1].sort in {Sort.WORD, Sort.QUOTED} else None
    return None


def _is_call(words: Sequence[Lexeme], index: int) -> bool:
    """Whether this is the namespace of a function: ``row.text.join(…)``."""
    while _property(words, index) is not None:
        index += 2
    after = words[index + 1] if index + 1 < len(words) else None
    return after is not None and after.value == "(" and after.sort is Sort.SYMBOL
