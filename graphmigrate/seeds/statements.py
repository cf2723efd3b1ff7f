"""What a loader must know of a statement: what it makes or deletes, how it uses the row, whether its rows can be counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import Token, TokenKind, unquoted, word_of
from graphmigrate.cypher.model import offset_of
from graphmigrate.cypher.reader import read_clauses
from graphmigrate.cypher.statements import scan
from graphmigrate.seeds.errors import SeedFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place

_NAMES = (TokenKind.WORD, TokenKind.NAME)
_CHANGING = frozenset(
    {
        *("CREATE", "INSERT", "MERGE", "SET", "ON CREATE SET", "ON MATCH SET"),
        *("REMOVE", "DELETE", "DETACH DELETE", "NODETACH DELETE"),
    }
)
# APOC's documentation, "Creating data", "Graph refactoring" and "Cypher execution".
_MAKING = re.compile(
    r"apoc\.(create\.(node|relationship)|refactor\.clone|cypher\.(doit|run(many|write|file)))"
)


def split_statements(text: str, place: Callable[[int], Place]) -> list[Statement]:
    """Split a rendered text; its problems are shown where ``place`` finds an offset (GM102 and following)."""
    found, problems = scan(text, "")
    if problems:
        placed = [
            replace(each, place=place(offset_of(text, each.place)) if each.place else None)
            for each in problems
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


def creates(words: Sequence[Token]) -> bool:
    """Whether there is a CREATE clause (or INSERT, its name in GQL), or a procedure that makes nodes or relationships.

    ``ON CREATE SET`` of a MERGE is none. ``words`` are significant tokens, here and below.
    """
    for at, token in enumerate(words):
        if word_of(token) == "CALL" and _MAKING.match("".join(map(unquoted, words[at + 1 : at + 6])).lower()):
            return True
        if word_of(token) not in {"CREATE", "INSERT"}:
            continue
        if at and (words[at - 1].text in {".", ":"} or word_of(words[at - 1]) == "ON"):
            continue
        after = [each.text for each in words[at + 1 : at + 3]]
        if after[:1] == ["("] or after[1:] == ["="]:
            return True
    return False


def is_countable(words: Sequence[Token]) -> bool:
    """Whether the rows that get to the end can be told by a RETURN at the end.

    Only where the row stays in sight throughout, the statement is complete without RETURN, and a MATCH could stop a row:
    CREATE and MERGE never do, and counting costs the server time.
    """
    names = [each.name for each in read_clauses(words)]
    return (
        "MATCH" in names
        and names[-1] in _CHANGING
        and (_CHANGING | {"MATCH", "OPTIONAL MATCH", "WHERE"}).issuperset(names)
    )


@dataclass(frozen=True, slots=True)
class RowUses:
    """How a body uses its row variable: each ``row.name`` (start, end, name), and whether it uses the row whole.

    ``shadowed`` tells that the body gives the name to something else, too, so that not every use is one of the row.
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


def row_uses(words: Sequence[Token], variable: str) -> RowUses:
    """Find the uses of a row variable; what is not clearly ``row.name`` counts as a use of the whole row."""
    dotted: list[tuple[int, int, str]] = []
    whole = shadowed = False
    for at, token in enumerate(words):
        if token.kind not in _NAMES or unquoted(token) != variable:
            continue
        if at and words[at - 1].text == ".":
            continue  # a property of that name, of something else
        name = _property(words, at)
        if name is not None and not _is_call(words, at):
            dotted.append((token.start, name.end, unquoted(name)))
            continue
        whole = True
        before = word_of(words[at - 1]) if at else ""
        after = word_of(words[at + 1]) if at + 1 < len(words) else ""
        shadowed = shadowed or before == "AS" or after == "IN"
    return RowUses(tuple(dotted), whole, shadowed)


def _property(words: Sequence[Token], at: int) -> Token | None:
    following = words[at + 1 : at + 3]
    if len(following) == 2 and following[0].text == "." and following[1].kind in _NAMES:
        return following[1]
    return None


def _is_call(words: Sequence[Token], at: int) -> bool:
    """Whether this is the namespace of a function: ``row.text.join(…)``."""
    while _property(words, at) is not None:
        at += 2
    return at + 1 < len(words) and words[at + 1].text == "("
