"""Whether a statement deletes nodes whatever their labels, so that some go with them which nobody thought of.

Read from the MATCH in which a deleted variable is bound first: a label, a property or a relationship there, or in
a WHERE that follows, says which nodes are meant. Scopes are not followed: a later MATCH may bind another variable
of that name. What cannot be told is ``MAYBE``.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import accumulate, pairwise, takewhile
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.kinds import AUTOCOMMIT_PROCEDURES, calls_one_of
from graphmigrate.cypher.lexer import Token, TokenKind, is_significant, nesting, tokens, unquoted, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.cypher.kinds import Tokens


class AnyNode(IntEnum):
    """Whether nodes of any label are meant."""

    NO = 0
    MAYBE = 1
    SURELY = 2


class _Binding(NamedTuple):
    """A variable in a pattern; ``start`` is the position of its MATCH."""

    name: str
    reach: AnyNode
    start: int
    optional: bool


_NAMES = {TokenKind.WORD, TokenKind.NAME}
_LABELS = 40  # tokens of a label expression that are looked at
_END = Token(TokenKind.SEPARATOR, ";", 0, 0)


def deletes_any_node(text: str) -> AnyNode:
    """Judge the DELETE clauses of a statement, with those in the texts that a procedure runs."""
    code = list(_code(text, within_strings=calls_one_of(text, AUTOCOMMIT_PROCEDURES)))
    deleted = set(_deleted(code))
    bound: dict[str, list[_Binding]] = {}
    for binding in _bindings(code) if deleted else ():
        bound.setdefault(binding.name, []).append(binding)
    reaches = {name: _reach_of(uses, code) for name, uses in bound.items()}
    # What no pattern binds is one of those that are bound under another name, as after collect(n) AS ns.
    least = min(reaches.values(), default=AnyNode.NO)
    perhaps = min(max(reaches.values(), default=AnyNode.NO), AnyNode.MAYBE)
    unbound = {True: max(least, perhaps), False: perhaps}
    return max((reaches.get(name, unbound[nodes]) for name, nodes in deleted), default=AnyNode.NO)


def _code(text: str, *, within_strings: bool) -> Iterator[Token]:
    """Yield the significant tokens; with ``within_strings`` a string is what it holds, and a semicolon."""
    for token in filter(is_significant, tokens(text)):
        if within_strings and token.kind is TokenKind.STRING:
            yield from _code(token.text[1:-1], within_strings=True)
            yield _END
        else:
            yield token


def _deleted(code: Tokens) -> Iterator[tuple[str, bool]]:
    """Yield the name that each operand of DELETE begins with, and whether it must stand for nodes."""
    for at, token in enumerate(code):
        before = code[at - 1].text.upper()
        called = before == "." or "." in token.text
        if _is_delete(token, code[at + 1 : at + 2], called=called) and before != ":":
            yield from ((name, called or before == "DETACH") for name in _operands(code, at))


def _is_delete(token: Token, after: Tokens, *, called: bool) -> bool:
    """Recognise the clause, and procedures of that name such as ``apoc.nodes.delete(…)``."""
    if token.kind not in _NAMES or unquoted(token).upper().rpartition(".")[2] != "DELETE":
        return False
    return [each.text for each in after] == ["("] if called else token.kind is TokenKind.WORD


def _operands(code: Tokens, at: int) -> Iterator[str]:
    depth, expected = 0, True
    for position in range(at + 1, len(code)):
        token = code[position]
        depth += nesting(token)
        if depth < 0 or token.kind is TokenKind.SEPARATOR:
            return
        if token.kind in _NAMES and expected:
            yield unquoted(token)
            expected = False
        elif token.kind is TokenKind.WORD and depth == 0:
            return
        expected = expected or (token.text == "," and depth == 0)


# ---- what binds a variable


def _bindings(code: Tokens) -> Iterator[_Binding]:
    for at, token in enumerate(code):
        if word_of(token) == "MATCH" and code[at - 1].text not in {".", ":"}:
            optional = word_of(code[at - 1]) == "OPTIONAL"
            for piece in _pieces(code[at + 1 : _end_of_pattern(code, at)]):
                reach = _reach_of_pattern(piece)
                yield from (_Binding(name, reach, at, optional) for name in _variables(piece))


def _end_of_pattern(code: Tokens, at: int) -> int:
    """Find the first word that begins another clause: it does not follow a comma, a ``=`` or a word such as SHORTEST."""
    depth = 0
    for position in range(at + 1, len(code)):
        token, before = code[position], code[position - 1]
        goes_on = before.kind is TokenKind.WORD or before.text in {",", "="}
        depth += nesting(token)
        if depth < 0 or token.kind is TokenKind.SEPARATOR:
            return position
        if depth == 0 and token.kind is TokenKind.WORD and not goes_on:
            return position
    return len(code)


def _pieces(pattern: Tokens) -> Iterator[Tokens]:
    start = depth = 0
    for position, token in enumerate(pattern):
        depth += nesting(token)
        if depth == 0 and token.text == ",":
            yield pattern[start:position]
            start = position + 1
    yield pattern[start:]


def _variables(piece: Tokens) -> Iterator[str]:
    for token, after in pairwise(piece):
        if after.text == "=" and token is piece[0]:
            yield unquoted(token)
        elif token.text in {"(", "["} and after.kind in _NAMES:
            yield unquoted(after)


# ---- which nodes a pattern or a condition means


def _reach_of_pattern(piece: Tokens) -> AnyNode:
    """Judge one pattern; a path needs a relationship, which says enough."""
    opening = next((at for at, token in enumerate(piece) if token.text == "("), len(piece))
    node = piece[opening:]
    depths = list(accumulate(map(nesting, node)))
    if not node or depths[-1] != 0 or 0 in depths[:-1]:
        return AnyNode.NO
    if node[1].text == "(":  # ((n)) is (n)
        return _reach_of_pattern(node[1:-1])
    named = node[1].kind in _NAMES
    filters = node[2 if named else 1 : -1]
    where = next((at for at, token in enumerate(filters) if word_of(token) == "WHERE"), len(filters))
    reach = _reach_of_filters(filters[:where])
    if reach is AnyNode.NO or where == len(filters):
        return reach
    return AnyNode.NO if _says_which(filters, where, unquoted(node[1])) else AnyNode.MAYBE


def _reach_of_filters(filters: Tokens) -> AnyNode:
    texts = [token.text.upper() for token in filters]
    if texts in ([], ["{", "}"]):
        return AnyNode.SURELY
    is_labels = texts[0] in {":", "IS"} and "{" not in texts
    return _reach_of_labels(filters[1:]) if is_labels else AnyNode.NO


def _reach_of_labels(labels: Tokens) -> AnyNode:
    """Judge ``A|B``, ``%`` (any label), ``!A``, ``A&!B``."""
    texts = [token.text for token in labels]
    if "!" not in texts and "%" not in texts:
        return AnyNode.NO
    if texts == ["%"] or (texts[0] == "!" and len(texts) == 2):
        return AnyNode.SURELY
    return AnyNode.NO if labels[0].kind in _NAMES and "|" not in texts else AnyNode.MAYBE


def _says_which(code: Tokens, where: int, name: str) -> bool:
    """Whether the condition after WHERE asks for a label, or compares a property, of the variable."""
    depth = 0
    says = False
    for position in range(where + 1, len(code)):
        token, before = code[position], code[position - 1]
        starts = depth == 0 and word_of(before) in {"WHERE", "FILTER", "AND"}
        depth += nesting(token)
        if depth < 0 or token.kind is TokenKind.SEPARATOR:
            break
        if depth == 0 and word_of(token) in {"OR", "XOR"}:
            return False
        if starts and token.kind in _NAMES and unquoted(token) == name:
            says = says or _is_telling(code, position + 1)
    return says


def _is_telling(code: Tokens, at: int) -> bool:
    """Judge what follows the variable; ``IS NULL`` holds for nodes that nobody thought of."""
    sign = code[at].text if at < len(code) else ""
    if sign == ".":
        return at + 2 == len(code) or word_of(code[at + 2]) != "IS"
    labels = list(takewhile(lambda token: word_of(token) != "AND", code[at + 1 : at + _LABELS]))
    return sign == ":" and _reach_of_labels(labels) is AnyNode.NO


# ---- which nodes a variable stands for


def _reach_of(uses: list[_Binding], code: Tokens) -> AnyNode:
    """Judge a variable by its first MATCH; where a later one means any node, under the same name, no better than MAYBE."""
    first = uses[0]
    reach = _reach_of_use(first, uses, code)
    others = (each for each in uses if each.start != first.start)
    if reach is AnyNode.NO and any(_means_any_node_anew(each, uses, code) for each in others):
        return AnyNode.MAYBE
    return reach


def _means_any_node_anew(use: _Binding, uses: list[_Binding], code: Tokens) -> bool:
    return _reach_of_use(use, uses, code) is not AnyNode.NO and not _is_imported(use, code)


def _reach_of_use(use: _Binding, uses: list[_Binding], code: Tokens) -> AnyNode:
    """Judge one MATCH of a variable, by the conditions after it and by the other patterns that the variable is in."""
    if use.reach is AnyNode.NO:
        return AnyNode.NO
    conditions = list(_conditions_after(use.start, code))
    if any(_says_which(code, where, use.name) for where in conditions):
        return AnyNode.NO
    narrowed = any(each.reach is not AnyNode.SURELY and not each.optional for each in uses)
    return AnyNode.MAYBE if narrowed or conditions else use.reach


def _is_imported(use: _Binding, code: Tokens) -> bool:
    """Whether the MATCH stands in ``CALL (…) {…}`` that names the variable: there it cannot be another one."""
    opened: list[int] = []
    for at in range(use.start):
        change = nesting(code[at])
        if change > 0:
            opened.append(at)
        elif change < 0 and opened:
            opened.pop()
    body = opened[-1] if opened else 0
    scope = list(takewhile(lambda token: token.text != "(", reversed(code[:body])))
    call = body - len(scope) - 2
    if call < 0 or not scope or scope[0].text != ")" or word_of(code[call]) != "CALL":
        return False
    return use.name in {unquoted(token) for token in scope if token.kind in _NAMES}


def _conditions_after(start: int, code: Tokens) -> Iterator[int]:
    """Yield where each WHERE is that stands no deeper in brackets than the MATCH before it."""
    depth = 0
    for position in range(start, len(code)):
        depth += nesting(code[position])
        if depth <= 0 and word_of(code[position]) in {"WHERE", "FILTER"}:
            yield position
