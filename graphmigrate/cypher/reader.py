"""Read a statement: its clauses with their tokens.

>>> found = read_clauses(significant("MATCH (a:Person) MERGE (a)-[r:HAS]->(:Order)"))
>>> [(clause.name, clause.start) for clause in found]  # offsets in the statement
[('MATCH', 0), ('MERGE', 17)]

``NotUnderstood`` is raised for what the reader does not know; it never guesses.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import Token, TokenKind, is_significant, nesting, tokens, unquoted, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# Cypher reads these Unicode signs as -, < and >.
_SAME_SIGNS = {
    "-": "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\ufe58\ufe63\uff0d",
    "<": "<\u27e8\u3008\ufe64\uff1c",
    ">": ">\u27e9\u3009\ufe65\uff1e",
}
NAMES = (TokenKind.WORD, TokenKind.NAME)
# Longest first: the words of a clause's name, in a row.
_CLAUSES = tuple(
    tuple(name.split())
    for name in (
        "LOAD CSV WITH HEADERS FROM", "ON CREATE SET", "ON MATCH SET", "OPTIONAL MATCH", "OPTIONAL CALL",
        "DETACH DELETE", "NODETACH DELETE", "LOAD CSV FROM", "ORDER BY", "MATCH", "WHERE", "CREATE", "INSERT",
        "MERGE", "SET", "REMOVE", "DELETE", "WITH", "RETURN", "UNWIND", "CALL", "FOREACH", "UNION", "FINISH",
        "USE", "USING", "LET", "FILTER", "FOR", "NEXT", "YIELD", "LIMIT", "SKIP", "OFFSET", "SHOW",
    )
)  # fmt: skip
_FIRST_WORDS = frozenset(name[0] for name in _CLAUSES)
_NO_CLAUSES = {("STARTS", "WITH"), ("ENDS", "WITH"), ("RETRY", "FOR")}


Scope = frozenset[str]


class NotUnderstood(Exception):
    """A token stands where this reader expects another one."""


class Clause(NamedTuple):
    """One clause: its name in capitals, and the tokens after it; ``start`` is the offset of its name."""

    name: str
    tokens: tuple[Token, ...]
    start: int


def significant(text: str) -> list[Token]:
    """Return the tokens of a text without white space and comments."""
    return list(filter(is_significant, tokens(text)))


def read_clauses(words: Sequence[Token]) -> list[Clause]:
    """Cut significant tokens at the clause names that stand outside all brackets.

    A word in doubt counts as the name of a clause. What stands before the first one is a clause without a name.
    """
    found: list[tuple[str, list[Token], int]] = []
    depth = at = 0
    while at < len(words):
        name = _clause_at(words, at) if depth == 0 else ()
        if name or not found:
            found.append((" ".join(name), [], words[at].start))
        if name:
            at += len(name)
            continue
        depth += nesting(words[at])
        found[-1][1].append(words[at])
        at += 1
    return [Clause(name, tuple(rest), start) for name, rest, start in found]


def _clause_at(words: Sequence[Token], at: int) -> tuple[str, ...]:
    if word_of(words[at]) not in _FIRST_WORDS:
        return ()
    before = words[at - 1] if at else None
    number = at > 1 and words[at - 2].kind is TokenKind.NUMBER  # WITH 1. MATCH (n)
    if before is not None and (
        before.text == ":" or word_of(before) == "AS" or (before.text == "." and not number)
    ):
        return ()
    if before is not None and (word_of(before), word_of(words[at])) in _NO_CLAUSES:
        return ()
    return next((name for name in _CLAUSES if _stands(words, at, name)), ())


def _stands(words: Sequence[Token], at: int, name: Sequence[str]) -> bool:
    here = islice(words, at, at + len(name))
    return [word_of(token) for token in here] == list(name)


def closing(words: Sequence[Token], at: int) -> int:
    """Return where the bracket closes that opens at ``at``. Raises NotUnderstood."""
    depth = 0
    for position in range(at, len(words)):
        depth += nesting(words[position])
        if depth == 0:
            return position
    raise NotUnderstood


def split_at(words: Sequence[Token], *separators: str) -> list[tuple[Token, ...]]:
    """Cut tokens at each of these signs and keywords that stands outside all brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in words:
        depth += nesting(token)
        is_separator = token.text.upper() in separators and token.kind in {
            TokenKind.WORD,
            TokenKind.PUNCTUATION,
        }
        if is_separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts]


class Cursor:
    """The significant tokens, and how far they are read."""

    def __init__(self, words: Sequence[Token], at: int = 0) -> None:
        self.words = words
        self.at = at

    @property
    def ended(self) -> bool:
        """Whether every token is read."""
        return self.at >= len(self.words)

    def sees(self, *wanted: str, ahead: int = 0) -> bool:
        """Whether the next tokens are these keywords and signs."""
        next_ones = self.words[self.at + ahead : self.at + ahead + len(wanted)]
        return len(next_ones) == len(wanted) and all(map(_is, next_ones, wanted))

    def take(self, *wanted: str) -> bool:
        """Read these keywords and signs, all or none."""
        found = self.sees(*wanted)
        self.at += len(wanted) if found else 0
        return found

    def expect(self, *wanted: str) -> None:
        """Read these keywords and signs. Raises NotUnderstood."""
        if not self.take(*wanted):
            raise NotUnderstood

    def expect_end(self) -> None:
        """Raise NotUnderstood where a token is left."""
        if not self.ended:
            raise NotUnderstood

    def next(self) -> Token:
        """Read any token. Raises NotUnderstood at the end."""
        if self.ended:
            raise NotUnderstood
        self.at += 1
        return self.words[self.at - 1]

    def sees_kind(self, *kinds: TokenKind, ahead: int = 0) -> bool:
        """Whether a token of one of these kinds is next."""
        return self.at + ahead < len(self.words) and self.words[self.at + ahead].kind in kinds

    def sees_name(self, ahead: int = 0) -> bool:
        """Whether a name is next."""
        return self.sees_kind(*NAMES, ahead=ahead)

    def identifier(self) -> str:
        """Read a name, with its backticks undone. Raises NotUnderstood."""
        token = self.next()
        if token.kind not in NAMES or token.text == "``":
            raise NotUnderstood
        return unquoted(token)

    def dotted_name(self) -> str:
        """Read ``apoc.periodic.iterate``. Raises NotUnderstood where it does not begin with a name."""
        parts = [self.identifier()]
        while self.sees(".") and self.sees_name(1):
            self.at += 1
            parts.append(self.identifier())
        return ".".join(parts)

    def bracket(self, opening: str) -> tuple[Token, ...]:
        """Read a bracket that opens here; returns what stands between it and the one that closes it."""
        if not self.sees(opening):
            raise NotUnderstood
        begin, self.at = self.at + 1, closing(self.words, self.at) + 1
        return tuple(self.words[begin : self.at - 1])


def _is(token: Token, wanted: str) -> bool:
    if token.kind is TokenKind.WORD:
        return token.text.upper() == wanted
    return token.kind is TokenKind.PUNCTUATION and token.text in _SAME_SIGNS.get(wanted, wanted)


# ---- the names that a clause leaves bound


def columns(words: Sequence[Token], scope: Scope, *, named: bool = False) -> Scope:
    """Return the names that WITH and RETURN leave bound; with ``named`` each item must have one."""
    if words and word_of(words[0]) == "DISTINCT":
        words = words[1:]
    names = set[str]()
    for at, item in enumerate(split_at(words, ",")):
        if len(item) == 1 and item[0].text == "*" and at == 0:
            names |= scope
        elif len(item) == 1 or (len(item) > 2 and word_of(item[-2]) == "AS"):
            names.add(_name_at_end(item, strict=named))
        elif named:
            raise NotUnderstood
    return Scope(names - {""})


def _name_at_end(words: Sequence[Token], *, strict: bool = True) -> str:
    if words and words[-1].kind in NAMES:
        return unquoted(words[-1])
    if strict:
        raise NotUnderstood
    return ""


def bound_by(name: str, words: Sequence[Token]) -> Scope:
    """Return the names that the other clauses bind. Raises NotUnderstood."""
    match name:
        case "UNWIND" if len(words) > 2 and word_of(words[-2]) == "AS":
            return Scope({_name_at_end(words)})
        case "YIELD":
            items = filter(None, split_at(words, ","))
            return Scope(_name_at_end(item) for item in items if item[-1].text not in "*-")
        case "LET":
            return Scope(_first_of(item, "=") for item in split_at(words, ","))
        case "FOR":
            return Scope({_first_of(words, "IN")})
        case _ if name.startswith("LOAD CSV"):
            return aliases(words)
    raise NotUnderstood


def _first_of(words: Sequence[Token], sign: str) -> str:
    cursor = Cursor(words)
    name = cursor.identifier()
    cursor.expect(sign)
    return name


def aliases(words: Sequence[Token]) -> Scope:
    """Return the name after AS, as in ``LOAD CSV FROM … AS row FIELDTERMINATOR ';'`` and ``REPORT STATUS AS s``."""
    at = next((at for at, token in enumerate(words) if word_of(token) == "AS"), len(words))
    return Scope({_name_at_end(words[: at + 2])}) if at < len(words) else Scope()
