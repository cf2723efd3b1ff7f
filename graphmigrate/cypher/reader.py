r"""Read a statement: its clauses with their tokens, and the patterns in a clause.

>>> found = read_clauses(significant("MATCH (a:Person:Customer {id: row.id}) MERGE (a)-[r:HAS {n: 1}]->(:Order)"))
>>> [clause.name for clause in found]
['MATCH', 'MERGE']
>>> (path,) = read_patterns(found[0].tokens)
>>> node = path.nodes[0]
>>> node.variable, sorted(node.labels.required), node.labels.plain, [token.text for token in node.properties["id"]]
('a', ['Customer', 'Person'], True, ['row', '.', 'id'])
>>> (path,) = read_patterns(found[1].tokens)
>>> hop = path.relationships[0]
>>> hop.variable, sorted(hop.labels.required), hop.direction, hop.hops
('r', ['HAS'], '>', (1, 1))
>>> found[1].start, path.nodes[1].start  # offsets in the statement
(39, 65)

``NotUnderstood`` is raised for what the reader does not know; it never guesses.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import Token, TokenKind, is_significant, nesting, tokens, unquoted, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Cypher reads these Unicode signs as -, < and >.
_SAME_SIGNS = {
    "-": "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\ufe58\ufe63\uff0d",
    "<": "<\u27e8\u3008\ufe64\uff1c",
    ">": ">\u27e9\u3009\ufe65\uff1e",
}
_NAMES = frozenset({TokenKind.WORD, TokenKind.NAME})
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
_NOT_LABELS = frozenset({"NOT", "NULL", "LABELED", "TYPED", "NORMALIZED", "NFC", "NFD", "NFKC", "NFKD"})


class NotUnderstood(Exception):
    """A token stands where this reader expects another one."""


class Labels(NamedTuple):
    """A label expression: ``required`` are the labels that every match has.

    ``positive`` tells that each match has one of the labels written there; ``plain`` that there are only names that
    are all required, as in ``:A:B``.
    """

    required: frozenset[str] = frozenset()
    positive: bool = False
    plain: bool = True


class Node(NamedTuple):
    """``(variable:Labels {properties} WHERE where)``; ``properties`` is None for a parameter in place of a map.

    ``start`` and ``end`` are the offsets of its brackets in the text.
    """

    variable: str
    labels: Labels
    properties: dict[str, tuple[Token, ...]] | None
    where: tuple[Token, ...]
    start: int
    end: int


class Relationship(NamedTuple):
    """``-[variable:TYPE*1..2 {properties}]->``; ``direction`` is ``>``, ``<`` or empty.

    ``hops`` are the least and the most (None: no limit).
    """

    variable: str
    labels: Labels
    properties: dict[str, tuple[Token, ...]] | None
    where: tuple[Token, ...]
    direction: str
    hops: tuple[int, int | None]


class Group(NamedTuple):
    """A path in brackets, as in ``((a)-->(b)){1,3}`` and ``shortestPath((a)-[*]-(b))``."""

    path: Path
    where: tuple[Token, ...]
    hops: tuple[int, int | None]


class Path(NamedTuple):
    """Nodes, relationships and groups as they follow one another; ``variable`` is the name of the path."""

    variable: str
    parts: tuple[Node | Relationship | Group, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, those in groups left out."""
        return tuple(part for part in self.parts if isinstance(part, Node))

    @property
    def relationships(self) -> tuple[Relationship, ...]:
        """The relationships, those in groups left out."""
        return tuple(part for part in self.parts if isinstance(part, Relationship))


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
        if (
            depth == 0
            and token.kind in {TokenKind.WORD, TokenKind.PUNCTUATION}
            and token.text.upper() in separators
        ):
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts]


class Cursor:
    """The significant tokens, and how far they are read."""

    def __init__(self, words: Sequence[Token]) -> None:
        self.words = words
        self.at = 0

    @property
    def ended(self) -> bool:
        """Whether every token is read."""
        return self.at >= len(self.words)

    def sees(self, *wanted: str) -> bool:
        """Whether the next tokens are these keywords and signs."""
        ahead = self.words[self.at : self.at + len(wanted)]
        return len(ahead) == len(wanted) and all(map(_is, ahead, wanted))

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

    def sees_name(self) -> bool:
        """Whether a name is next."""
        return not self.ended and self.words[self.at].kind in _NAMES

    def identifier(self) -> str:
        """Read a name, with its backticks undone. Raises NotUnderstood."""
        token = self.next()
        if token.kind not in _NAMES or token.text == "``":
            raise NotUnderstood
        return unquoted(token)

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


# ---- patterns


def read_patterns(words: Sequence[Token]) -> list[Path]:
    """Read patterns, separated by commas, to the last token. Raises NotUnderstood."""
    cursor = Cursor(words)
    found = [read_path(cursor)]
    while cursor.take(","):
        found.append(read_path(cursor))
    cursor.expect_end()
    return found


def read_path(cursor: Cursor) -> Path:
    """Read one pattern, with its name and its selector (``SHORTEST 1``); leaves the cursor after it."""
    variable = ""
    if _names_path(cursor):
        variable = cursor.identifier()
        cursor.expect("=")
    _skip_selector(cursor)
    parts: list[Node | Relationship | Group] = [_node_or_group(cursor)]
    while True:
        if cursor.sees("-") or cursor.sees("<"):
            parts += (_relationship(cursor), _node_or_group(cursor))
        elif cursor.sees("(") and (isinstance(parts[-1], Group) or _is_group(cursor)):
            parts.append(_node_or_group(cursor))
        else:
            return Path(variable, tuple(parts))


def _skip_selector(cursor: Cursor) -> None:
    """Pass over ``ANY 2 PATHS``, ``ALL SHORTEST``, ``SHORTEST 2 GROUPS``, and the name of ``shortestPath(…)``."""
    if cursor.take("SHORTESTPATH") or cursor.take("ALLSHORTESTPATHS"):
        return
    if cursor.take("ALL") or cursor.take("ANY"):
        cursor.take("SHORTEST")
    elif not cursor.take("SHORTEST"):
        return
    if not cursor.ended and cursor.words[cursor.at].kind is TokenKind.NUMBER:
        cursor.next()
    for word in ("PATH", "PATHS", "GROUP", "GROUPS"):
        cursor.take(word)


def _node_or_group(cursor: Cursor) -> Node | Group:
    return _group(cursor) if _is_group(cursor) else _node(cursor)


def _is_group(cursor: Cursor) -> bool:
    """Whether the bracket that opens here holds a path, as ``((a)-->(b))`` and ``(p = (a)-->(b))`` do."""
    return cursor.sees("(", "(") or (cursor.sees("(") and _names_path(cursor, 1))


def _names_path(cursor: Cursor, ahead: int = 0) -> bool:
    name, sign = cursor.words[cursor.at + ahead :][:1], cursor.words[cursor.at + ahead + 1 :][:1]
    return bool(name and sign) and name[0].kind in _NAMES and _is(sign[0], "=")


def _group(cursor: Cursor) -> Group:
    inside = Cursor(cursor.bracket("("))
    path = read_path(inside)
    where = inside.words[inside.at + 1 :] if inside.take("WHERE") or inside.ended else None
    if where is None:
        raise NotUnderstood
    return Group(path, tuple(where), _quantifier(cursor))


def _node(cursor: Cursor) -> Node:
    begin = cursor.at
    inside = _inside(Cursor(cursor.bracket("(")))
    if inside.hops is not None:
        raise NotUnderstood
    start, end = cursor.words[begin].start, cursor.words[cursor.at - 1].end
    return Node(inside.variable, inside.labels, inside.properties, inside.where, start, end)


def _relationship(cursor: Cursor) -> Relationship:
    left = cursor.take("<")
    cursor.expect("-")
    inside = _inside(Cursor(cursor.bracket("[") if cursor.sees("[") else ()))
    cursor.expect("-")
    right = cursor.take(">")
    direction = "" if left == right else "<" if left else ">"
    hops = _quantifier(cursor)
    return Relationship(*inside[:4], direction, inside.hops or hops)


class _Inside(NamedTuple):
    """What stands in the brackets of a node or a relationship."""

    variable: str
    labels: Labels
    properties: dict[str, tuple[Token, ...]] | None
    where: tuple[Token, ...]
    hops: tuple[int, int | None] | None


def _inside(cursor: Cursor) -> _Inside:
    named = cursor.sees_name() and not cursor.sees("IS") and not cursor.sees("WHERE")
    variable = cursor.identifier() if named else ""
    labels = read_labels(cursor) if cursor.sees(":") or cursor.sees("IS") else Labels()
    hops = _star(cursor) if cursor.sees("*") else None
    properties: dict[str, tuple[Token, ...]] | None = {}
    if cursor.sees("{"):
        properties = read_map(cursor)
    elif not cursor.ended and cursor.words[cursor.at].kind is TokenKind.PARAMETER:
        cursor.next()
        properties = None
    where: tuple[Token, ...] = ()
    if cursor.take("WHERE"):
        where, cursor.at = tuple(cursor.words[cursor.at :]), len(cursor.words)
    cursor.expect_end()
    return _Inside(variable, labels, properties, where, hops)


def read_map(cursor: Cursor) -> dict[str, tuple[Token, ...]]:
    """Read ``{name: expression, …}``. Raises NotUnderstood."""
    inside = cursor.bracket("{")
    return dict(map(_pair, split_at(inside, ","))) if inside else {}


def _pair(words: tuple[Token, ...]) -> tuple[str, tuple[Token, ...]]:
    cursor = Cursor(words)
    name = cursor.identifier()
    cursor.expect(":")
    if cursor.ended:
        raise NotUnderstood
    return name, words[2:]


def _star(cursor: Cursor) -> tuple[int, int | None]:
    """Read ``*``, ``*2``, ``*1..3``, ``*..3``, ``*0..``."""
    cursor.expect("*")
    least = _number(cursor)
    if not cursor.take(".", "."):
        return (1, None) if least is None else (least, least)
    return 1 if least is None else least, _number(cursor)


def _quantifier(cursor: Cursor) -> tuple[int, int | None]:
    """Read ``+``, ``*``, ``{2}``, ``{1,3}`` after a relationship or a group; (1, 1) where there is none."""
    if cursor.take("+"):
        return 1, None
    if cursor.take("*"):
        return 0, None
    if not cursor.sees("{"):
        return 1, 1
    inside = Cursor(cursor.bracket("{"))
    least = _number(inside)
    if inside.ended and least is not None:
        return least, least
    inside.expect(",")
    most = _number(inside)
    inside.expect_end()
    return least or 0, most


def _number(cursor: Cursor) -> int | None:
    if cursor.ended or cursor.words[cursor.at].kind is not TokenKind.NUMBER:
        return None
    text = cursor.next().text
    if not text.isascii() or not text.isdigit():
        raise NotUnderstood
    return int(text)


# ---- label expressions


def read_labels(cursor: Cursor) -> Labels:
    """Read ``:A:B``, ``:A|B&!C``, ``IS A``. Raises NotUnderstood."""
    if not cursor.take(":"):
        cursor.expect("IS")
        if not cursor.ended and word_of(cursor.words[cursor.at]) in _NOT_LABELS:
            raise NotUnderstood
    return _either(cursor)


def _either(cursor: Cursor) -> Labels:
    found = _all(cursor)
    while cursor.take("|"):
        cursor.take(":")  # [:A|:B], an old form for relationships
        other = _all(cursor)
        found = Labels(found.required & other.required, found.positive and other.positive, False)
    return found


def _all(cursor: Cursor) -> Labels:
    found = _one(cursor)
    while cursor.take("&") or cursor.take(":"):
        other = _one(cursor)
        found = Labels(
            found.required | other.required, found.positive or other.positive, found.plain and other.plain
        )
    return found


def _one(cursor: Cursor) -> Labels:
    unknown = Labels(frozenset(), False, False)
    if cursor.take("!"):
        _one(cursor)
        return unknown
    if cursor.take("%"):
        return unknown
    if cursor.take("$"):
        if not cursor.take("ALL"):
            cursor.take("ANY")
        cursor.bracket("(")
        return unknown
    if cursor.sees("("):
        inside = Cursor(cursor.bracket("("))
        found = _either(inside)
        inside.expect_end()
        return found
    return Labels(frozenset({cursor.identifier()}), True, True)


def labels_of_condition(words: Sequence[Token]) -> Iterator[tuple[str, Labels]]:
    """Yield the variables for which a condition demands labels: each ``n:Label`` that AND joins to the rest."""
    if any(word_of(token) in {"OR", "XOR", "CASE"} for token in _outside_brackets(words)):
        return
    for part in split_at(words, "AND"):
        if part and part[0].text == "(" and closing(part, 0) == len(part) - 1:
            yield from labels_of_condition(part[1:-1])
        cursor = Cursor(part)
        try:
            variable, labels = cursor.identifier(), read_labels(cursor)
            cursor.expect_end()
        except NotUnderstood:
            continue
        yield variable, labels


def _outside_brackets(words: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in words:
        depth += nesting(token)
        if depth == 0:
            yield token
