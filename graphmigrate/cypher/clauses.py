"""Judge whether a statement may reach nodes of any label, so that the bookkeeping nodes are among them.

``(n)`` reaches them, ``(n:Label)`` does not, nor does ``(n)-->(m)``: bookkeeping nodes have no relationships (where another
program gave them some, or a label, ``database.guard`` finds it before the statement runs). A variable that
an earlier clause bound was judged there. What this module does not understand counts as reaching them.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.kinds import kind_of, text_arguments, touches_no_node, without_prefix
from graphmigrate.cypher.lexer import Token, TokenKind, decode, unescaped, unquoted, word_of
from graphmigrate.cypher.model import Kind
from graphmigrate.cypher.patterns import (
    Group,
    Node,
    Path,
    labels_of_condition,
    read_path,
    read_patterns,
    read_where,
)
from graphmigrate.cypher.reader import (
    NAMES,
    Clause,
    Cursor,
    NotUnderstood,
    Scope,
    aliases,
    bound_by,
    closing,
    columns,
    read_clauses,
    significant,
    split_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OURS = "__GraphMigrate"

_PATH_NAME = r"(?:[^\s(\[\]'\"{},.]+\s*=\s*)?"
_MAY_READ = re.compile(rf"(?i)\b(?:match|merge|call|exists|count|collect|apoc|gds)\b|\[\s*{_PATH_NAME}[(/`]")
_SUBQUERIES = {"EXISTS", "COUNT", "COLLECT"}
_OUT_OF_PLACE = {"MATCH", "MERGE", "CALL", "UNWIND", "FOREACH"}
_EXPRESSIONS_ONLY = {
    "WHERE",
    "SET",
    "ON CREATE SET",
    "ON MATCH SET",
    "REMOVE",
    "DELETE",
    "DETACH DELETE",
    "NODETACH DELETE",
    "ORDER BY",
    "LIMIT",
    "SKIP",
    "OFFSET",
    "FILTER",
    "FINISH",
    "USE",
    "USING",
    "SHOW",
}


class Reach(NamedTuple):
    """What reaches nodes of any label: its place in the statement.

    ``edits`` are the texts to insert, by offset, that leave the bookkeeping nodes out; empty where none is known.
    """

    start: int
    end: int
    edits: tuple[tuple[int, str], ...] = ()


class Judgement(NamedTuple):
    """What ``judge`` finds; ``names_ours`` tells that the statement itself writes ``__GraphMigrate``."""

    text: str
    reaches: tuple[Reach, ...]
    names_ours: bool

    @property
    def needs_guard(self) -> bool:
        """Whether the bookkeeping nodes must be compared after the statement."""
        return bool(self.reaches) or self.names_ours

    @property
    def refused(self) -> bool:
        """Whether to refuse it where nothing can be put back before the commit."""
        return bool(self.reaches) and not self.names_ours

    @property
    def excluding_ours(self) -> str | None:
        """The statement with ``WHERE NOT n:__GraphMigrate`` in its places; None where that must be written by hand."""
        if not self.reaches or not all(reach.edits for reach in self.reaches):
            return None
        text = self.text
        edits = [edit for reach in self.reaches for edit in reach.edits]
        for offset, insertion in sorted(edits, reverse=True):
            text = text[:offset] + insertion + text[offset:]
        return text


def judge(text: str) -> Judgement:
    """Judge one statement.

    >>> judge("MATCH (n) SET n.x = 1").excluding_ours
    'MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = 1'
    >>> judge("MATCH (n:Person)-[:KNOWS]->(m) SET m.x = 1").reaches
    ()
    """
    decoded = decode(text).text
    if not _MAY_READ.search(decoded):
        return Judgement(text, (), OURS in decoded)
    words = significant(text)
    names_ours = any(OURS in unquoted(token) for token in words)
    walk = _Walk()
    walk.statement(words)
    return Judgement(text, tuple(walk.found), names_ours)


def reads_nodes(text: str) -> bool:
    """Whether a statement can find nodes that are there already: one of CREATE alone cannot."""
    return _MAY_READ.search(decode(text).text) is not None


def tokens_within(text: str) -> Iterator[Token]:
    """Yield the significant tokens; in place of a string those of the text that it holds."""
    for token in significant(text):
        if token.kind is TokenKind.STRING:
            yield from tokens_within(unescaped(token.text[1:-1]))
        else:
            yield token


class _Walk:
    """One pass over the clauses of a statement, with the names that are bound at each."""

    def __init__(self) -> None:
        self.found: list[Reach] = []

    def statement(self, words: Sequence[Token]) -> None:
        """Judge a whole statement, as sent to the server or as the text that a procedure runs."""
        if not words or kind_of(" ".join(token.text for token in words[:80])) in {Kind.SCHEMA, Kind.SYSTEM}:
            return
        try:
            self._query(without_prefix(words), frozenset())
        except NotUnderstood:
            self.found.append(Reach(words[0].start, words[-1].end))

    def _query(self, words: Sequence[Token], outer: Scope) -> Scope:
        """Judge the clauses of a query; returns the names that it returns."""
        clauses = read_clauses(words)
        scope, returned = outer, Scope()
        for at, clause in enumerate(clauses):
            match clause.name:
                case "UNION":
                    scope = outer
                    if [word_of(token) for token in clause.tokens] not in ([], ["ALL"], ["DISTINCT"]):
                        raise NotUnderstood
                case "NEXT":
                    scope = returned
                    if clause.tokens:
                        raise NotUnderstood
                case "RETURN":
                    self._expressions(clause.tokens, scope)
                    returned = columns(clause.tokens, scope)
                case _:
                    scope = self._clause(clause, clauses[at + 1 :], scope)
        return returned

    def _clause(self, clause: Clause, after: Sequence[Clause], scope: Scope) -> Scope:
        """Judge one clause; returns the names that are bound after it."""
        name, words = clause.name, clause.tokens
        if name in {"MATCH", "OPTIONAL MATCH"}:
            return self._match(clause, after, scope)
        if name in {"CALL", "OPTIONAL CALL"}:
            return self._call(words, scope)
        if name == "FOREACH":
            self._foreach(words, scope)
            return scope
        self._expressions(words, scope)
        if name in {"CREATE", "INSERT", "MERGE"}:
            paths = read_patterns(words)
            if name == "MERGE":
                self._patterns(paths, Scope(), scope)
            return scope | _variables(paths)
        if name == "WITH":
            return columns(words, scope, named=True)
        if name in _EXPRESSIONS_ONLY:
            return scope
        return scope | bound_by(name, words)

    # ---- patterns

    def _match(self, clause: Clause, after: Sequence[Clause], scope: Scope) -> Scope:
        words = clause.tokens
        mode = [word_of(token) for token in words[:2]]
        words = words[2 * (mode in (["REPEATABLE", "ELEMENTS"], ["DIFFERENT", "RELATIONSHIPS"])) :]
        paths = read_patterns(words)
        hints = [clause, *takewhile(lambda each: each.name == "USING", after)]
        where = next((each for each in after[len(hints) - 1 :][:1] if each.name == "WHERE"), None)
        self._pattern_and_condition(
            paths, where, [token for each in hints for token in each.tokens][-1].end, scope
        )
        scope = scope | _variables(paths)
        self._expressions(words, scope)
        return scope

    def _pattern_and_condition(self, paths: list[Path], where: Clause | None, end: int, scope: Scope) -> None:
        demanded = _demanded(where.tokens) if where else Scope()
        free = self._free_nodes(paths, demanded, scope)
        if free:
            names = list(dict.fromkeys(node.variable for node in free))
            edits = () if "" in names else tuple(_exclusion(names, where, end))
            self.found.append(Reach(free[0].start, free[0].end, edits))

    def _patterns(self, paths: list[Path], demanded: Scope, scope: Scope) -> None:
        self.found += (Reach(node.start, node.end) for node in self._free_nodes(paths, demanded, scope))

    def _free_nodes(self, paths: list[Path], demanded: Scope, scope: Scope) -> list[Node]:
        """Return the nodes that may have any label: without a positive label, not bound, joined to nothing."""
        nodes = [each for path in paths for each in _nodes_of(path)]
        held = scope | demanded | {node.variable for node, is_held in nodes if is_held and node.variable}
        return [node for node, is_held in nodes if not is_held and node.variable not in held]

    def _subquery(self, words: Sequence[Token], scope: Scope) -> None:
        """Judge what stands in the braces of EXISTS, COUNT and COLLECT: a query, or a pattern with a condition."""
        clauses = read_clauses(words)
        if not clauses:
            raise NotUnderstood
        if clauses[0].name:
            self._query(words, scope)
            return
        if [clause.name for clause in clauses[1:]] not in ([], ["WHERE"]):
            raise NotUnderstood
        paths = read_patterns(clauses[0].tokens)
        where = clauses[1] if len(clauses) > 1 else None
        self._pattern_and_condition(paths, where, clauses[0].tokens[-1].end, scope)
        self._expressions(words, scope | _variables(paths))

    def _comprehension(self, inside: Sequence[Token], scope: Scope) -> None:
        """Judge ``[(a)-->(b) WHERE … | …]``; other lists have no ``|`` after a bracket."""
        parts = split_at(inside, "|")
        cursor = Cursor(parts[0])
        starts = cursor.sees("(") or (cursor.sees_name() and cursor.sees("=", "(", ahead=1))
        if len(parts) < 2 or not starts:
            return
        path = read_path(cursor)
        where = read_where(cursor)
        self._patterns([path], _demanded(where) if len(parts) == 2 else Scope(), scope)

    # ---- subqueries, procedures and expressions

    def _foreach(self, words: Sequence[Token], scope: Scope) -> None:
        cursor = Cursor(words)
        inside = cursor.bracket("(")
        cursor.expect_end()
        head = split_at(inside, "|")[0]
        variable = Cursor(head)
        bound = variable.identifier()
        variable.expect("IN")
        self._expressions(head[2:], scope)
        self._query(inside[len(head) + 1 :], scope | {bound})

    def _call(self, words: Sequence[Token], scope: Scope) -> Scope:
        cursor = Cursor(words)
        if cursor.sees("{") or cursor.sees("("):
            names = cursor.bracket("(") if cursor.sees("(") else ()
            imported = columns(names, scope, named=True) if names else Scope()
            returned = self._query(cursor.bracket("{"), imported)
            rest = cursor.words[cursor.at :]
            if rest and word_of(rest[0]) != "IN":
                raise NotUnderstood
            return scope | returned | aliases(rest)
        name = cursor.dotted_name().lower()
        arguments = cursor.bracket("(") if cursor.sees("(") else ()
        cursor.expect_end()
        self._expressions(arguments, scope)
        self._routine(name, arguments, words)
        return scope

    def _routine(self, name: str, arguments: Sequence[Token], words: Sequence[Token]) -> None:
        """Judge a procedure, or a function that runs a text, by its name and by the texts that it runs."""
        texts = text_arguments(name, arguments)
        if texts is None and not touches_no_node(name, arguments):
            self.found.append(Reach(words[0].start, words[-1].end))
        for token in texts or ():
            if token is None:
                self.found.append(Reach(words[0].start, words[-1].end))
            else:
                self._text(token)

    def _text(self, token: Token) -> None:
        """Judge the statements in a string; offsets in it are those in the statement where nothing in it is escaped."""
        inner = _Walk()
        value = token.text[1:-1]
        escaped = "\\" in value or len(token.text) != token.end - token.start
        rest: list[Token] = significant(unescaped(value))
        while rest:
            end = next((at for at, each in enumerate(rest) if each.kind is TokenKind.SEPARATOR), len(rest))
            inner.statement(rest[:end])
            rest = rest[end + 1 :]
        if escaped:
            self.found += (Reach(token.start, token.end) for _ in inner.found[:1])
        else:
            self.found += (_moved(reach, token.start + 1) for reach in inner.found)

    def _expressions(self, words: Sequence[Token], scope: Scope) -> None:
        """Judge the subqueries, pattern comprehensions and functions in expressions."""
        at = 0
        while at < len(words):
            token, after = words[at], words[at + 1].text if at + 1 < len(words) else ""
            word, before = word_of(token), words[at - 1].text if at else ""
            if word in _SUBQUERIES and after == "{":
                end = closing(words, at + 1)
                self._subquery(words[at + 2 : end], scope)
                at = end
            elif token.kind is TokenKind.UNTERMINATED or (
                word in _OUT_OF_PLACE and before.upper() not in {".", ":", "AS"} and after != ":"
            ):
                raise NotUnderstood
            elif token.text == "[":
                self._comprehension(words[at + 1 : closing(words, at)], scope)
            elif after == "." and token.kind in NAMES and before != ".":
                self._function(words, at)
            at += 1

    def _function(self, words: Sequence[Token], at: int) -> None:
        """Judge ``apoc.cypher.runFirstColumnSingle('…')`` by its text, and functions that find any node by its id."""
        cursor = Cursor(words, at)
        name = cursor.dotted_name().lower()
        if cursor.sees("(") and name.startswith(("apoc.cypher.", "gds.util.asnode")):
            arguments = cursor.bracket("(")
            self._routine(name, arguments, words[at : cursor.at])


def _nodes_of(path: Path) -> Iterator[tuple[Node, bool]]:
    """Yield each node of a path, and whether a label or a relationship of at least one hop holds it."""
    parts = path.parts
    for at, part in enumerate(parts):
        if isinstance(part, Group):
            demanded = _demanded(part.where)
            for node, held in _nodes_of(part.path):
                yield node, held or node.variable in demanded
        elif isinstance(part, Node):
            joined = any(_hops(each) for each in (*parts[max(at - 1, 0) : at], *parts[at + 1 : at + 2]))
            yield part, joined or part.labels.positive or part.variable in _demanded(part.where)


def _hops(part: object) -> bool:
    """Whether a part of a path is sure to pass over a relationship."""
    if isinstance(part, Node):
        return False
    if isinstance(part, Group):
        return part.hops[0] > 0 and any(_hops(each) for each in part.path.parts)
    return getattr(part, "hops", (0, 0))[0] > 0


def _demanded(where: Sequence[Token]) -> Scope:
    return Scope(name for name, labels in labels_of_condition(where) if labels.positive)


def _variables(paths: Sequence[Path]) -> Scope:
    """Return every name that the patterns bind."""
    names = set[str]()
    for path in paths:
        names.add(path.variable)
        for part in path.parts:
            names |= _variables([part.path]) if isinstance(part, Group) else {part.variable}
    return Scope(names - {""})


def _exclusion(names: Sequence[str], where: Clause | None, end: int) -> Iterator[tuple[int, str]]:
    """Yield the insertions that leave the bookkeeping nodes out of a MATCH."""
    condition = " AND ".join(f"NOT {_written(name)}:{OURS}" for name in names)
    if where is None or not where.tokens:
        yield end, f" WHERE {condition}"
        return
    yield where.tokens[0].start, f"{condition} AND ("
    yield where.tokens[-1].end, ")"


def _written(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else f"`{name.replace('`', '``')}`"


def _moved(reach: Reach, by: int) -> Reach:
    return Reach(reach.start + by, reach.end + by, tuple((at + by, text) for at, text in reach.edits))
