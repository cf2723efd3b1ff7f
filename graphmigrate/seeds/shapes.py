"""What a loader must know of a statement: whether it is a plain load, what it makes, and how it uses its rows.

Rows of a plain load cannot depend on one another. There are two shapes, and nothing else is a plain load:

- ``MERGE|CREATE (n:Label {key: row.key, …}) [SET n.p = f(row) | n += row …]``
- ``MATCH (a:Label {key: row.a}) MATCH (b:Label {key: row.b}) MERGE|CREATE (a)-[r:TYPE {…}]->(b) [SET r.p = f(row) …]``
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import Token, TokenKind, unquoted, word_of
from graphmigrate.cypher.patterns import Labels, Node, Relationship, read_map, read_patterns
from graphmigrate.cypher.reader import NAMES, Cursor, NotUnderstood, read_clauses, split_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.cypher.reader import Clause

_CONSTANTS = (TokenKind.PARAMETER, TokenKind.STRING, TokenKind.NUMBER)
_SETS = ("SET", "ON CREATE SET", "ON MATCH SET")
_LOOKING = frozenset({"EXISTS", "COUNT", "COLLECT", "SHORTESTPATH", "ALLSHORTESTPATHS"})
_NAMESPACES = frozenset(
    {"date", "datetime", "localdatetime", "time", "localtime", "duration", "point", "vector"}
)
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


@dataclass(frozen=True, slots=True)
class Lookup:
    """The nodes that a row looks up: their labels, and the column that each property is compared with.

    The column is empty where the property is compared with the row itself, and None where it is compared with a constant.
    """

    labels: frozenset[str]
    columns: dict[str, str | None]

    @property
    def column(self) -> str:
        """The column that rows with the same node agree in."""
        return next(column for column in self.columns.values() if column is not None)


@dataclass(frozen=True, slots=True)
class PlainLoad:
    """A plain load: ``lookups`` is the node that MERGE looks for, or the two ends of a relationship.

    ``changes`` tells that it also changes what is there already: a second row with the same key changes it again.
    """

    verb: str
    lookups: tuple[Lookup, ...] = ()
    relationship: str = ""
    changes: bool = False


def plain_load(words: Sequence[Token], variable: str) -> PlainLoad | None:
    """Return the plain load that a statement (its significant tokens) is, or None; ``variable`` is the name of the row."""
    clauses = read_clauses(words)
    main = next((at for at, each in enumerate(clauses) if each.name in {"MERGE", "CREATE"}), -1)
    matches, sets = clauses[: max(main, 0)], clauses[main + 1 :]
    if main < 0 or {each.name for each in matches} - {"MATCH"} or {each.name for each in sets} - {*_SETS}:
        return None
    try:
        read = _relationship_load if matches else _node_load
        return read(_Reader(variable), matches, clauses[main], sets)
    except NotUnderstood:
        return None


def _node_load(reader: _Reader, _: Sequence[Clause], main: Clause, sets: Sequence[Clause]) -> PlainLoad:
    node = _single(main.tokens)
    reader.bound.add(node.variable)
    reader.check((node.properties or {}).values())
    if main.name == "CREATE":
        reader.sets(sets, node, {})
        return PlainLoad("CREATE")
    lookup = reader.lookup(node)
    reader.sets(sets, node, node.properties or {})
    return PlainLoad("MERGE", (lookup,), changes=_changes(sets))


def _relationship_load(
    reader: _Reader, matches: Sequence[Clause], main: Clause, sets: Sequence[Clause]
) -> PlainLoad:
    ends = [_single(tokens) for each in matches for tokens in split_at(each.tokens, ",")]
    lookups = tuple(map(reader.lookup, ends))
    reader.bound.update(end.variable for end in ends)
    reader.check(value for end in ends for value in (end.properties or {}).values())
    (path,) = read_patterns(main.tokens)
    first, relationship, second = path.parts if len(path.parts) == 3 and not path.variable else (None,) * 3
    if not isinstance(first, Node) or not isinstance(second, Node):
        raise NotUnderstood
    if not isinstance(relationship, Relationship) or relationship.hops != (1, 1):
        raise NotUnderstood
    names = [end.variable for end in ends]
    bare = not any(each.properties or each.labels != Labels() for each in (first, second))
    if not bare or not all(names) or sorted({first.variable, second.variable}) != sorted(names):
        raise NotUnderstood
    types = relationship.labels
    if not relationship.direction or not types.plain or len(types.required) != 1:
        raise NotUnderstood
    _check_element(relationship)
    reader.bound.add(relationship.variable)
    reader.check((relationship.properties or {}).values())
    reader.sets(sets, relationship, (relationship.properties or {}) if main.name == "MERGE" else {})
    changes = main.name == "MERGE" and not relationship.properties and _changes(sets)
    return PlainLoad(main.name, lookups, next(iter(types.required)), changes)


def _changes(sets: Sequence[Clause]) -> bool:
    return any(each.name != "ON CREATE SET" for each in sets)


def _single(tokens: Sequence[Token]) -> Node:
    """Return the only node of a pattern without relationships."""
    (path, *others) = read_patterns(tokens)
    if others or len(path.parts) != 1 or path.variable or not isinstance(path.parts[0], Node):
        raise NotUnderstood
    node = path.parts[0]
    _check_element(node)
    if not node.labels.plain or not node.labels.required:
        raise NotUnderstood
    return node


def _check_element(element: Node | Relationship) -> None:
    if element.where or element.properties is None:
        raise NotUnderstood


class _Reader:
    """Reads what stands inside clauses; ``bound`` are the names of the nodes and relationships, which no value may use."""

    def __init__(self, variable: str) -> None:
        self.variable = variable
        self.bound: set[str] = set()

    def lookup(self, node: Node) -> Lookup:
        """Return how a node is found: each property is compared with a column or a constant, one with a column."""
        columns = {name: self.column(value) for name, value in (node.properties or {}).items()}
        if all(column is None for column in columns.values()):
            raise NotUnderstood
        return Lookup(node.labels.required, columns)

    def column(self, value: Sequence[Token]) -> str | None:
        if len(value) == 1 and value[0].kind in _CONSTANTS:
            return None
        cursor = Cursor(value)
        if cursor.identifier() != self.variable:
            raise NotUnderstood
        column = cursor.identifier() if cursor.take(".") else ""
        cursor.expect_end()
        return column

    def sets(
        self, clauses: Sequence[Clause], element: Node | Relationship, fixed: dict[str, tuple[Token, ...]]
    ) -> None:
        """Read every SET; none may change the properties by which MERGE looks the element up, which are ``fixed``."""
        for clause in clauses:
            for item in split_at(clause.tokens, ","):
                cursor = Cursor(item)
                if cursor.identifier() != element.variable:
                    raise NotUnderstood
                names, values = self.item(cursor, fixed)
                if not fixed.keys().isdisjoint(names):
                    raise NotUnderstood
                self.check(values)

    def item(
        self, cursor: Cursor, fixed: dict[str, tuple[Token, ...]]
    ) -> tuple[list[str], list[Sequence[Token]]]:
        """Read ``.name = value``, ``+= {name: value}`` or ``+= row``; the row may hold what is fixed, as the same column."""
        if cursor.take("."):
            name = cursor.identifier()
            cursor.expect("=")
            return [name], [cursor.words[cursor.at :]]
        if not cursor.take("+") and fixed:
            raise NotUnderstood
        cursor.expect("=")
        if cursor.sees("{"):
            found = read_map(cursor)
            cursor.expect_end()
            return list(found), list(found.values())
        same = all(self.column(value) == name for name, value in fixed.items())
        if cursor.identifier() != self.variable or not same:
            raise NotUnderstood
        cursor.expect_end()
        return [], []

    def check(self, values: Iterable[Sequence[Token]]) -> None:
        """Refuse a value that may read anything but the row, its parameters and constants."""
        for words in values:
            if not words:
                raise NotUnderstood
            for at in range(len(words)):
                self._check_word(words, at)

    def _check_word(self, words: Sequence[Token], at: int) -> None:
        token, after = words[at], Cursor(words[at + 1 : at + 2])
        if token.text == ")" and (after.sees("-") or after.sees("<")):
            raise NotUnderstood  # perhaps a pattern
        if token.kind not in NAMES:
            return
        if at and words[at - 1].text == ".":
            if after.sees("(") and words[at - 2].text.lower() not in _NAMESPACES:
                raise NotUnderstood  # a function of the user's, which may read the graph
        elif unquoted(token) in self.bound or (
            word_of(token) in _LOOKING and (after.sees("{") or after.sees("("))
        ):
            raise NotUnderstood


# ---- what any statement does


def creates(words: Sequence[Token]) -> bool:
    """Whether there is a CREATE clause (or INSERT, its name in GQL), or a procedure that makes nodes or relationships.

    ``ON CREATE SET`` of a MERGE is none. ``words`` are significant tokens, here and below.
    """
    for at, token in enumerate(words):
        if word_of(token) == "CALL" and _MAKING.match("".join(map(unquoted, words[at + 1 : at + 6])).lower()):
            return True
        before = words[at - 1] if at else None
        if before and (before.text in {".", ":"} or word_of(before) == "ON"):
            continue
        after = [each.text for each in words[at + 1 : at + 3]]
        if word_of(token) in {"CREATE", "INSERT"} and (after[:1] == ["("] or after[1:] == ["="]):
            return True
    return False


def is_countable(words: Sequence[Token]) -> bool:
    """Whether the rows that get to the end can be told by a RETURN at the end.

    Only where the row stays in sight throughout, the statement is complete without RETURN, and a MATCH could stop a row:
    CREATE and MERGE never do, and counting costs the server time.
    """
    names = [each.name for each in read_clauses(words)]
    in_sight = (_CHANGING | {"MATCH", "OPTIONAL MATCH", "WHERE"}).issuperset(names)
    return "MATCH" in names and names[-1] in _CHANGING and in_sight


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
        if token.kind not in NAMES or unquoted(token) != variable or (at and words[at - 1].text == "."):
            continue  # after a dot it is a property of that name, of something else
        path = _path(words, at)
        end = at + 2 * len(path) + 1
        if path and not (
            end < len(words) and words[end].text == "("
        ):  # not a function's name: row.text.join(…)
            dotted.append((token.start, path[0].end, unquoted(path[0])))
            continue
        whole = True
        before = word_of(words[at - 1]) if at else ""
        shadowed = shadowed or before == "AS" or (end < len(words) and word_of(words[end]) == "IN")
    return RowUses(tuple(dotted), whole, shadowed)


def _path(words: Sequence[Token], at: int) -> list[Token]:
    """Return the names that follow a name, each after a dot."""
    names: list[Token] = []
    while at + 2 < len(words) and words[at + 1].text == "." and words[at + 2].kind in NAMES:
        at += 2
        names.append(words[at])
    return names
