"""Read what one DDL statement does: every form of CREATE and DROP of an index or a constraint.

Sources: Cypher Manual, "Indexes": "Syntax" and "Constraints": "Syntax", for Cypher 5 and Cypher 25; what they
leave open was tried on Neo4j 5.26 and 2026.05. Anything else is answered with None, never with a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import Token, TokenKind, is_significant, tokens
from graphmigrate.schema.model import DdlAction, ObjectType, SchemaObject
from graphmigrate.schema.property_types import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INDEX_TYPES = {
    "RANGE": ObjectType.RANGE,
    "TEXT": ObjectType.TEXT,
    "POINT": ObjectType.POINT,
    "FULLTEXT": ObjectType.FULLTEXT,
    "VECTOR": ObjectType.VECTOR,
    "LOOKUP": ObjectType.LOOKUP,
}
_SEVERAL_LABELS = {ObjectType.FULLTEXT, ObjectType.VECTOR}
_LOOKUP_FUNCTIONS = {"node": "LABELS", "relationship": "TYPE"}
_ENTITY_WORDS = {"NODE": "node", "RELATIONSHIP": "relationship", "REL": "relationship"}
# Cypher reads these Unicode signs as -, < and >.
_DASHES = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\ufe58\ufe63\uff0d"
_LEFT = "<\u27e8\u3008\ufe64\uff1c"
_RIGHT = ">\u27e9\u3009\ufe65\uff1e"


def read_ddl(text: str) -> DdlAction | None:
    """Give what the statement does; None where it is no DDL or of a form that this reader does not know.

    Statements whose name or options come from a parameter, and such as are explained or sent elsewhere
    (``EXPLAIN``, ``PROFILE``, ``USE``), are among the latter.
    """
    significant = [token for token in tokens(text) if is_significant(token)]
    if significant and significant[-1].kind is TokenKind.SEPARATOR:
        significant.pop()
    cursor = _Cursor(significant)
    try:
        _skip_version(cursor)
        action = _create(cursor) if cursor.take("CREATE") else _drop(cursor)
        cursor.expect_end()
    except _Unreadable:
        return None
    return action


class _Unreadable(Exception):
    """The statement has a form that this reader does not know."""


class _Cursor:
    """The tokens that mean something, and how far they are read."""

    def __init__(self, significant: Sequence[Token]) -> None:
        self._tokens = significant
        self._at = 0

    def sees(self, *wanted: str) -> bool:
        """Whether the next tokens are these keywords and signs."""
        ahead = self._tokens[self._at : self._at + len(wanted)]
        return len(ahead) == len(wanted) and all(
            token.text.upper() == word and token.kind in {TokenKind.WORD, TokenKind.PUNCTUATION}
            for token, word in zip(ahead, wanted, strict=True)
        )

    def take(self, *wanted: str) -> bool:
        """Read these keywords and signs, all or none."""
        found = self.sees(*wanted)
        self._at += len(wanted) if found else 0
        return found

    def expect(self, *wanted: str) -> None:
        if not self.take(*wanted):
            raise _Unreadable

    def take_sign(self, signs: str) -> bool:
        """Read one of several signs that mean the same."""
        return any(self.take(sign) for sign in signs)

    def expect_end(self) -> None:
        if self._at != len(self._tokens):
            raise _Unreadable

    def next(self) -> Token:
        if self._at == len(self._tokens):
            raise _Unreadable
        self._at += 1
        return self._tokens[self._at - 1]

    def identifier(self) -> str:
        """Read a symbolic name, with its backticks undone."""
        token = self.next()
        if token.kind is TokenKind.WORD:
            return token.text
        if token.kind is TokenKind.NAME and len(token.text) > 2:
            return token.text[1:-1].replace("``", "`")
        raise _Unreadable

    def until_options(self) -> list[str]:
        """Read on to OPTIONS or the end: the words of a property type."""
        words = []
        while self._at < len(self._tokens) and not self.sees("OPTIONS"):
            token = self.next()
            if token.kind not in {TokenKind.WORD, TokenKind.NUMBER, TokenKind.PUNCTUATION}:
                raise _Unreadable
            words.append(token.text)
        return words


class _Pattern(NamedTuple):
    """What stands after FOR."""

    entity: str
    variable: str
    labels: tuple[str, ...]


def _skip_version(cursor: _Cursor) -> None:
    """Pass over ``CYPHER 25 runtime=slotted``, which choose how, not what."""
    if not cursor.take("CYPHER"):
        return
    while not cursor.sees("CREATE") and not cursor.sees("DROP"):
        token = cursor.next()
        if token.kind is TokenKind.WORD:
            cursor.expect("=")
            token = cursor.next()
        if token.kind not in {TokenKind.WORD, TokenKind.NUMBER}:
            raise _Unreadable


def _drop(cursor: _Cursor) -> DdlAction:
    cursor.expect("DROP")
    of = "constraint" if cursor.take("CONSTRAINT") else "index"
    if of == "index":
        cursor.expect("INDEX")
    name = cursor.identifier()
    return DdlAction("drop", of, cursor.take("IF", "EXISTS"), name)


def _create(cursor: _Cursor) -> DdlAction:
    if cursor.take("CONSTRAINT"):
        return _named("constraint", cursor, _constraint)
    kind = ObjectType.RANGE
    if not cursor.sees("INDEX"):
        found = _INDEX_TYPES.get(cursor.next().text.upper())
        if found is None:
            raise _Unreadable
        kind = found
    cursor.expect("INDEX")
    return _named("index", cursor, lambda cursor, name: _index(kind, cursor, name))


def _named(of: str, cursor: _Cursor, rest: Callable[[_Cursor, str | None], SchemaObject]) -> DdlAction:
    name = None
    if not cursor.sees("IF", "NOT", "EXISTS") and not cursor.sees("FOR", "("):
        name = cursor.identifier()
    guarded = cursor.take("IF", "NOT", "EXISTS")
    cursor.expect("FOR")
    target = rest(cursor, name)
    _options(cursor)
    return DdlAction("create", of, guarded, name, target)


def _index(kind: ObjectType, cursor: _Cursor, name: str | None) -> SchemaObject:
    pattern = _pattern(cursor)
    if kind is ObjectType.LOOKUP:
        _lookup(pattern, cursor)
        return SchemaObject(kind, pattern.entity, (), (), name)
    if not pattern.labels or (len(pattern.labels) > 1 and kind not in _SEVERAL_LABELS):
        raise _Unreadable
    cursor.expect("ON")
    if kind is ObjectType.FULLTEXT:
        cursor.expect("EACH")
        properties = _properties(pattern, cursor, "[", "]")
    else:
        properties = _one_or_more(pattern, cursor)
        if kind is ObjectType.VECTOR and cursor.take("WITH"):
            properties += _properties(pattern, cursor, "[", "]")
    return SchemaObject(kind, pattern.entity, pattern.labels, properties, name)


def _lookup(pattern: _Pattern, cursor: _Cursor) -> None:
    """Read ``ON EACH labels(n)`` or ``ON [EACH] type(r)``."""
    cursor.expect("ON")
    cursor.take("EACH")
    cursor.expect(_LOOKUP_FUNCTIONS[pattern.entity], "(")
    if pattern.labels or cursor.identifier() != pattern.variable:
        raise _Unreadable
    cursor.expect(")")


def _constraint(cursor: _Cursor, name: str | None) -> SchemaObject:
    pattern = _pattern(cursor)
    if len(pattern.labels) != 1:
        raise _Unreadable
    cursor.expect("REQUIRE")
    properties = _one_or_more(pattern, cursor)
    kind, property_type = _requirement(pattern, cursor)
    if len(properties) > 1 and not kind.has_index:
        raise _Unreadable
    return SchemaObject(kind, pattern.entity, pattern.labels, properties, name, property_type)


def _requirement(pattern: _Pattern, cursor: _Cursor) -> tuple[ObjectType, str | None]:
    if cursor.take(":", ":") or cursor.take("IS", ":", ":") or cursor.take("IS", "TYPED"):
        property_type = normalise(cursor.until_options())
        if property_type is None:
            raise _Unreadable
        return ObjectType.PROPERTY_TYPE, property_type
    cursor.expect("IS")
    if cursor.take("NOT", "NULL"):
        return ObjectType.EXISTENCE, None
    for word, entity in _ENTITY_WORDS.items():
        if cursor.take(word) and entity != pattern.entity:
            raise _Unreadable
    if cursor.take("UNIQUE"):
        return ObjectType.UNIQUENESS, None
    cursor.expect("KEY")
    return ObjectType.KEY, None


def _pattern(cursor: _Cursor) -> _Pattern:
    """Read ``(n:A|B)`` or ``()-[r:T|U]-()`` with or without an arrow."""
    cursor.expect("(")
    if not cursor.take(")"):
        return _Pattern("node", *_labelled(cursor, ")"))
    cursor.take_sign(_LEFT)
    if not cursor.take_sign(_DASHES) or not cursor.take("["):
        raise _Unreadable
    pattern = _Pattern("relationship", *_labelled(cursor, "]"))
    if not cursor.take_sign(_DASHES):
        raise _Unreadable
    cursor.take_sign(_RIGHT)
    cursor.expect("(", ")")
    return pattern


def _labelled(cursor: _Cursor, close: str) -> tuple[str, tuple[str, ...]]:
    variable = cursor.identifier()
    labels = []
    if cursor.take(":"):
        labels.append(cursor.identifier())
        while cursor.take("|"):
            labels.append(cursor.identifier())
    cursor.expect(close)
    return variable, tuple(labels)


def _one_or_more(pattern: _Pattern, cursor: _Cursor) -> tuple[str, ...]:
    if cursor.sees("("):
        return _properties(pattern, cursor, "(", ")")
    return (_property(pattern, cursor),)


def _properties(pattern: _Pattern, cursor: _Cursor, begin: str, close: str) -> tuple[str, ...]:
    cursor.expect(begin)
    properties = [_property(pattern, cursor)]
    while cursor.take(","):
        properties.append(_property(pattern, cursor))
    cursor.expect(close)
    return tuple(properties)


def _property(pattern: _Pattern, cursor: _Cursor) -> str:
    if cursor.identifier() != pattern.variable:
        raise _Unreadable
    cursor.expect(".")
    return cursor.identifier()


def _options(cursor: _Cursor) -> None:
    """Pass over ``OPTIONS {…}``: they tune an index, they do not make it another one."""
    if not cursor.take("OPTIONS"):
        return
    cursor.expect("{")
    depth = 1
    while depth:
        token = cursor.next()
        if token.kind in {TokenKind.PARAMETER, TokenKind.SEPARATOR, TokenKind.UNTERMINATED}:
            raise _Unreadable
        if token.kind is TokenKind.PUNCTUATION:
            depth += {"{": 1, "}": -1}.get(token.text, 0)
