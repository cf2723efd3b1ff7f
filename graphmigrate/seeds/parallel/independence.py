"""Whether the rows of a block can touch what other rows touch: decides how they may be spread over sessions.

Everything here is cautious: a statement that is not understood to the last token keeps its rows in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphmigrate.seeds.cypher import Lexeme, Sort
from graphmigrate.seeds.parallel.patterns import Node, NotUnderstood, Path, Reader
from graphmigrate.seeds.parallel.spreading import ANY, DEPTH, KEPT, Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.seeds.clauses import Clause

# Functions that look at the graph, or whose result depends on what is there already.
_LOOKING = frozenset({"EXISTS", "COUNT", "COLLECT", "SHORTESTPATH", "ALLSHORTESTPATHS"})
_ALTERNATIVES = frozenset({"OR", "XOR", "NOT", "CASE"})
_NAMESPACES = frozenset(
    {"date", "datetime", "localdatetime", "time", "localtime", "duration", "point", "vector"}
)


@dataclass(slots=True)
class _Bound:
    """A node or relationship variable: how it came about, and the columns of which any one identifies it.

    ``columns`` is None for what is made afresh for each row: no other row can touch it. ``plain`` tells that
    every property of its pattern has the name of the column that is its value.
    """

    how: str
    labels: frozenset[str]
    columns: frozenset[str] | None
    plain: bool = False


@dataclass(slots=True)
class _Body:
    """What one pass over the clauses finds.

    ``set_by`` has who sets a property, ``sets_any`` tells that properties are set whose names only the row knows;
    ``read_outside`` has the properties that are read anywhere but in SET.
    """

    variable: str
    bound: dict[str, _Bound] = field(default_factory=dict)
    looked_up: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    made: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    set_by: dict[str, set[str]] = field(default_factory=dict)
    set_labels: set[str] = field(default_factory=set)
    sets_any: bool = False
    read: set[tuple[str, str]] = field(default_factory=set)
    read_outside: set[str] = field(default_factory=set)
    groups: list[frozenset[str]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    merged_types: set[str] = field(default_factory=set)
    merges_nodes: bool = False
    anonymous: int = 0


def spread_of(found: Sequence[Clause], variable: str) -> Spread:
    """Say how rows may be spread so that the result is that of one row after the other.

    ``variable`` is the row's. Two rows can only touch the same things where they agree in the column that the
    result names; without one, never.
    """
    try:
        body = _Body(variable)
        for clause in found:
            _CLAUSES[clause.name](body, clause.tokens)
        _check(body)
    except (KeyError, NotUnderstood):
        return KEPT
    if not body.groups:
        return ANY
    common = frozenset.intersection(*body.groups)
    if not common:
        return KEPT
    return Spread("near", min(common), DEPTH) if body.merges_nodes else Spread("key", min(common))


def _check(body: _Body) -> None:
    """Refuse what reads anything that another row may write, or may write one thing in two ways.

    Two variables may be one node, whatever their labels: so one property is written by one variable only.
    """
    for owner, labels in body.looked_up:
        if not labels:
            raise NotUnderstood
        if any(owner != maker and labels & made for maker, made in body.made) or labels & body.set_labels:
            raise NotUnderstood
    if body.keys & body.set_by.keys():
        raise NotUnderstood
    if any(len(owners) > 1 for owners in body.set_by.values()):
        raise NotUnderstood
    if any(body.set_by.get(name, {owner}) != {owner} for owner, name in body.read):
        raise NotUnderstood
    _check_reads(body)
    if any(body.types.count(merged) > 1 for merged in body.merged_types):
        raise NotUnderstood


def _check_reads(body: _Body) -> None:
    """Refuse to read outside SET what is set: all rows of a batch read it before the first of them sets it.

    Then the result would depend on where batches begin, and for rows of several sessions that follows from timing.
    """
    if body.read_outside and (body.sets_any or body.read_outside & body.set_by.keys()):
        raise NotUnderstood


# ---- clauses


def _match(body: _Body, tokens: Sequence[Lexeme]) -> None:
    for path in Reader(tokens).paths():
        if path.relationships:
            raise NotUnderstood
        node = path.nodes[0]
        _expressions(body, node)
        if node.name in body.bound:
            if node.labels or node.properties:
                raise NotUnderstood
            continue
        name = node.name or _unnamed(body)
        body.looked_up.append((name, node.labels))
        body.keys |= node.properties.keys()
        body.bound[name] = _Bound("matched", node.labels, _columns(body, node))


def _where(body: _Body, tokens: Sequence[Lexeme]) -> None:
    """Take ``a.id = row.id AND …`` as properties of a pattern; anything else merely reads."""
    sure = not any(token.value.upper() in _ALTERNATIVES for token in tokens)
    for part in Reader(tokens).split("AND"):
        equal = _equality(body, part) if sure else None
        if equal is None:
            _expression(body, part)
            continue
        owner, name, column = equal
        known = body.bound[owner]
        body.keys.add(name)
        if known.how == "matched" and known.columns is not None:
            body.bound[owner] = _Bound("matched", known.labels, known.columns | {column})


def _equality(body: _Body, tokens: Sequence[Lexeme]) -> tuple[str, str, str] | None:
    values = [token.value for token in tokens]
    if len(values) != 7 or values[1] != "." or values[3] != "=" or values[5] != ".":
        return None
    if values[0] == body.variable:
        values = [*values[4:7], "=", *values[:3]]
    if values[0] in body.bound and values[4] == body.variable:
        return values[0], values[2], values[6]
    return None


def _create(body: _Body, tokens: Sequence[Lexeme]) -> None:
    for path in Reader(tokens).paths():
        for node in path.nodes:
            _expressions(body, node)
            if node.name in body.bound:
                if node.labels or node.properties:
                    raise NotUnderstood
                continue
            name = node.name or _unnamed(body)
            body.bound[name] = _Bound("made", node.labels, None)
            body.made.append((name, node.labels))
        for relationship in path.relationships:
            _expressions(body, relationship)
            body.types += relationship.labels
            if relationship.name:
                body.bound[relationship.name] = _Bound("made", frozenset(), None)


def _merge(body: _Body, tokens: Sequence[Lexeme]) -> None:
    paths = Reader(tokens).paths()
    if len(paths) != 1:
        raise NotUnderstood
    path = paths[0]
    for element in (*path.nodes, *path.relationships):
        _expressions(body, element)
    if path.relationships:
        _merge_relationship(body, path)
        return
    node = path.nodes[0]
    if node.name in body.bound:
        raise NotUnderstood
    name = node.name or _unnamed(body)
    columns = _columns(body, node)
    plain = node.properties.keys() == columns and len(columns) == len(node.properties)
    plain = plain and all(tokens[-1].value == key for key, tokens in node.properties.items())
    body.bound[name] = _Bound("merged", node.labels, columns, plain)
    body.looked_up.append((name, node.labels))
    body.made.append((name, node.labels))
    body.keys |= node.properties.keys()
    body.groups.append(columns)
    body.merges_nodes = True


def _merge_relationship(body: _Body, path: Path) -> None:
    """Judge MERGE of one relationship between two nodes that are there: the same pair is the same thing."""
    relationship = path.relationships[0]
    if len(path.relationships) != 1 or any(
        node.labels or node.properties or node.name not in body.bound for node in path.nodes
    ):
        raise NotUnderstood
    body.types += relationship.labels
    body.merged_types |= relationship.labels
    columns: frozenset[str] | None = _columns(body, relationship)
    for node in path.nodes:
        ends = body.bound[node.name].columns
        columns = None if columns is None or ends is None else columns | ends
    if columns is not None:
        body.groups.append(columns)
    if relationship.name:
        body.bound[relationship.name] = _Bound("merged", frozenset(), columns)
        body.keys |= relationship.properties.keys()


def _set(body: _Body, tokens: Sequence[Lexeme]) -> None:
    for item in Reader(tokens).split(","):
        owner = body.bound.get(item[0].value)
        if owner is None or len(item) < 3:
            raise NotUnderstood
        if owner.columns is not None:
            body.groups.append(owner.columns)
        _set_item(body, item[0].value, item[1:])


def _set_item(body: _Body, owner: str, rest: Sequence[Lexeme]) -> None:
    if rest[0].value == ":":
        body.set_labels.update(Reader(rest).labels())
        return
    if rest[0].value == "." and len(rest) > 3 and rest[2].value == "=":
        body.set_by.setdefault(rest[1].value, set()).add(owner)
        body.read |= _properties(body, rest[3:])
        return
    bound = body.bound[owner]
    operator = "".join(token.value for token in rest[:-1] if token.sort is Sort.SYMBOL)[:2]
    value = rest[2:] if operator == "+=" else rest[1:]
    if rest[0].value not in {"+", "="} or (rest[0].value == "=" and bound.columns is not None):
        raise NotUnderstood
    body.sets_any = body.sets_any or operator != "+="
    if [token.value for token in value] == [body.variable]:
        body.sets_any = True
        # It writes the key, too, with the value that it has: where that has the column's name.
        if bound.columns is not None and not (bound.plain and len(body.looked_up) == 1):
            raise NotUnderstood
        return
    for name, expression in Reader(value).map().items():
        body.set_by.setdefault(name, set()).add(owner)
        body.read |= _properties(body, expression)


_CLAUSES = {
    "MATCH": _match,
    "WHERE": _where,
    "CREATE": _create,
    "MERGE": _merge,
    "SET": _set,
    "ON CREATE SET": _set,
    "ON MATCH SET": _set,
}

# ---- expressions


def _unnamed(body: _Body) -> str:
    body.anonymous += 1
    return f" {body.anonymous}"  # no name of Cypher has a blank at its beginning


def _columns(body: _Body, element: Node) -> frozenset[str]:
    """Give the columns that stand as they are as a property's value."""
    found = set()
    for tokens in element.properties.values():
        values = [token.value for token in tokens]
        if values == [body.variable]:
            found.add("")
        elif len(values) == 3 and values[:2] == [body.variable, "."]:
            found.add(values[2])
    return frozenset(found)


def _expressions(body: _Body, element: Node) -> None:
    for tokens in element.properties.values():
        _expression(body, tokens)


def _expression(body: _Body, tokens: Sequence[Lexeme]) -> None:
    """Note which properties an expression reads that stands outside SET."""
    found = _properties(body, tokens)
    body.read |= found
    body.read_outside |= {name for _, name in found}


def _properties(body: _Body, tokens: Sequence[Lexeme]) -> set[tuple[str, str]]:
    """Give the properties that an expression reads; refuse one that could look at other parts of the graph."""
    found = set()
    for index, token in enumerate(tokens):
        after = [each.value for each in tokens[index + 1 : index + 3]]
        if token.value == ")" and after[:1] in (["-"], ["<"]):
            raise NotUnderstood  # perhaps a pattern
        if token.sort not in {Sort.WORD, Sort.QUOTED}:
            continue
        before = tokens[index - 1].value if index else ""
        if before == ".":
            if after[:1] == ["("] and tokens[index - 2].value.lower() not in _NAMESPACES:
                raise NotUnderstood  # a function of the user's, which may do anything
            continue
        if token.sort is Sort.WORD and token.value.upper() in _LOOKING and after[:1] in (["{"], ["("]):
            raise NotUnderstood
        if token.value in body.bound:
            if len(after) < 2 or after[0] != ".":
                raise NotUnderstood
            found.add((token.value, after[1]))
    return found
