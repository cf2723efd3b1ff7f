"""Read the patterns of a clause: nodes, relationships, label expressions.

>>> from graphmigrate.cypher.reader import significant
>>> (path,) = read_patterns(significant("(a:Person:Customer {id: row.id})"))
>>> node = path.nodes[0]
>>> node.variable, sorted(node.labels.required), node.labels.plain, [token.text for token in node.properties["id"]]
('a', ['Customer', 'Person'], True, ['row', '.', 'id'])
>>> (path,) = read_patterns(significant("(a)-[r:HAS {n: 1}]->(:Order)"))
>>> hop = path.relationships[0]
>>> hop.variable, sorted(hop.labels.required), hop.direction, hop.hops
('r', ['HAS'], '>', (1, 1))
>>> path.nodes[1].start  # offset in the text
20

``NotUnderstood`` is raised for what is not known; nothing is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import Token, TokenKind, nesting, word_of
from graphmigrate.cypher.reader import Cursor, NotUnderstood, closing, split_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NOT_LABELS = frozenset({"NOT", "NULL", "LABELED", "TYPED", "NORMALIZED", "NFC", "NFD", "NFKC", "NFKD"})


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
    if cursor.sees_kind(TokenKind.NUMBER):
        cursor.next()
    for word in ("PATH", "PATHS", "GROUP", "GROUPS"):
        cursor.take(word)


def _node_or_group(cursor: Cursor) -> Node | Group:
    return _group(cursor) if _is_group(cursor) else _node(cursor)


def _is_group(cursor: Cursor) -> bool:
    """Whether the bracket that opens here holds a path, as ``((a)-->(b))`` and ``(p = (a)-->(b))`` do."""
    return cursor.sees("(", "(") or (cursor.sees("(") and _names_path(cursor, 1))


def _names_path(cursor: Cursor, ahead: int = 0) -> bool:
    return cursor.sees_name(ahead) and cursor.sees("=", ahead=ahead + 1)


def _group(cursor: Cursor) -> Group:
    inside = Cursor(cursor.bracket("("))
    path = read_path(inside)
    return Group(path, read_where(inside), _quantifier(cursor))


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
    elif cursor.sees_kind(TokenKind.PARAMETER):
        cursor.next()
        properties = None
    return _Inside(variable, labels, properties, read_where(cursor), hops)


def read_where(cursor: Cursor) -> tuple[Token, ...]:
    """Read ``WHERE condition``, if any, to the last token. Raises NotUnderstood."""
    if cursor.take("WHERE"):
        return tuple(cursor.words[cursor.at :])
    cursor.expect_end()
    return ()


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
    if not cursor.sees_kind(TokenKind.NUMBER):
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
