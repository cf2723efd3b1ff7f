"""Read what one DDL statement does, and which indexes a data statement could use.

Every form of CREATE and DROP of an index or a constraint is read.

Sources: Cypher Manual, "Indexes": "Syntax" and "Constraints": "Syntax", for Cypher 5 and Cypher 25; what they
leave open was tried on Neo4j 5.26 and 2026.05. Anything else is answered with None, never with a guess.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import dropwhile
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import Token, TokenKind, tokens, unquoted
from graphmigrate.cypher.reader import Cursor, NotUnderstood, significant
from graphmigrate.schema.model import INDEX_TYPES, DdlAction, ObjectType, SchemaObject
from graphmigrate.schema.property_types import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_SEVERAL_LABELS = {ObjectType.FULLTEXT, ObjectType.VECTOR}
_LOOKUP_FUNCTIONS = {"node": "LABELS", "relationship": "TYPE"}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|`[^`\\\0]+`")
_ENTITY_WORDS = {"NODE": "node", "RELATIONSHIP": "relationship", "REL": "relationship"}

# Clauses and subqueries that read; "[" begins a pattern comprehension.
_READING = {"MATCH", "MERGE", "EXISTS", "COUNT", "COLLECT", "["}
_ANY_INDEX = {"CALL", "$"}  # a procedure may name an index in a text, $(…) a label


def read_ddl(text: str) -> DdlAction | None:
    """Return what the statement does; None where it is no DDL or of a form that this reader does not know.

    Statements whose name or options come from a parameter, and such as are explained or sent elsewhere
    (``EXPLAIN``, ``PROFILE``, ``USE``), are among the latter.

    >>> action = read_ddl("DROP INDEX words IF EXISTS")
    >>> action.verb, action.of, action.name, action.guarded
    ('drop', 'index', 'words', True)
    """
    words = significant(text)
    if words and words[-1].kind is TokenKind.SEPARATOR:
        words.pop()
    cursor = Cursor(words)
    try:
        _skip_version(cursor)
        action = _create(cursor) if cursor.take("CREATE") else _drop(cursor)
        cursor.expect_end()
    except NotUnderstood:
        return None
    return replace(action, plain=_is_plain(text, words, action))


def _is_plain(text: str, words: Sequence[Token], action: DdlAction) -> bool:
    """Return whether a statement has one of the few forms that every server parses, so that none has to be asked.

    These are DROP, CREATE [RANGE] INDEX and CREATE CONSTRAINT … IS UNIQUE, with a name, without prefix, options or escapes.
    """
    if action.name is None or "\\" in text or words[0].text.upper() == "CYPHER":
        return False
    if action.target:
        end = [")"] if action.target.type is ObjectType.RANGE else ["IS", "UNIQUE"]
        if [word.text.upper() for word in words[-len(end) :]] != end:
            return False
    signs = set("().,:-[]")
    return all(
        token.text in signs if token.kind is TokenKind.PUNCTUATION else _PLAIN_NAME.fullmatch(token.text)
        for token in words
    )


class _Pattern(NamedTuple):
    """What stands after FOR."""

    entity: str
    variable: str
    labels: tuple[str, ...]


def _skip_version(cursor: Cursor) -> None:
    """Pass over ``CYPHER 25 runtime=slotted``, which choose how, not what."""
    if not cursor.take("CYPHER"):
        return
    while not cursor.sees("CREATE") and not cursor.sees("DROP"):
        token = cursor.next()
        if token.kind is TokenKind.WORD:
            cursor.expect("=")
            token = cursor.next()
        if token.kind not in {TokenKind.WORD, TokenKind.NUMBER}:
            raise NotUnderstood


def _drop(cursor: Cursor) -> DdlAction:
    cursor.expect("DROP")
    of = "constraint" if cursor.take("CONSTRAINT") else "index"
    if of == "index":
        cursor.expect("INDEX")
    name = _name(cursor)
    return DdlAction("drop", of, cursor.take("IF", "EXISTS"), name)


def _create(cursor: Cursor) -> DdlAction:
    if cursor.take("CONSTRAINT"):
        return _named("constraint", cursor, _constraint)
    kind = ObjectType.RANGE
    if not cursor.sees("INDEX"):
        found = INDEX_TYPES.get(cursor.next().text.upper())
        if found is None:
            raise NotUnderstood
        kind = found
    cursor.expect("INDEX")
    return _named("index", cursor, lambda cursor, name: _index(kind, cursor, name))


def _named(of: str, cursor: Cursor, rest: Callable[[Cursor, str | None], SchemaObject]) -> DdlAction:
    name = None
    if not cursor.sees("IF", "NOT", "EXISTS") and not cursor.sees("FOR", "("):
        name = _name(cursor)
    guarded = cursor.take("IF", "NOT", "EXISTS")
    cursor.expect("FOR")
    target = rest(cursor, name)
    options = _options(cursor)
    return DdlAction("create", of, guarded, name, target, _dimensions(options))


def _index(kind: ObjectType, cursor: Cursor, name: str | None) -> SchemaObject:
    pattern = _pattern(cursor)
    if kind is ObjectType.LOOKUP:
        _lookup(pattern, cursor)
        return SchemaObject(kind, pattern.entity, (), (), name)
    if not pattern.labels or (len(pattern.labels) > 1 and kind not in _SEVERAL_LABELS):
        raise NotUnderstood
    cursor.expect("ON")
    if kind is ObjectType.FULLTEXT:
        cursor.expect("EACH")
        properties = _properties(pattern, cursor, "[", "]")
    else:
        properties = _one_or_more(pattern, cursor)
        if kind is ObjectType.VECTOR and cursor.take("WITH"):
            properties += _properties(pattern, cursor, "[", "]")
    return SchemaObject(kind, pattern.entity, pattern.labels, properties, name)


def _lookup(pattern: _Pattern, cursor: Cursor) -> None:
    """Read ``ON EACH labels(n)`` or ``ON [EACH] type(r)``."""
    cursor.expect("ON")
    cursor.take("EACH")
    cursor.expect(_LOOKUP_FUNCTIONS[pattern.entity], "(")
    if pattern.labels or cursor.identifier() != pattern.variable:
        raise NotUnderstood
    cursor.expect(")")


def _constraint(cursor: Cursor, name: str | None) -> SchemaObject:
    pattern = _pattern(cursor)
    if len(pattern.labels) != 1:
        raise NotUnderstood
    cursor.expect("REQUIRE")
    properties = _one_or_more(pattern, cursor)
    kind, property_type = _requirement(pattern, cursor)
    if len(properties) > 1 and not kind.has_index:
        raise NotUnderstood
    return SchemaObject(kind, pattern.entity, pattern.labels, properties, name, property_type)


def _requirement(pattern: _Pattern, cursor: Cursor) -> tuple[ObjectType, str | None]:
    if cursor.take(":", ":") or cursor.take("IS", ":", ":") or cursor.take("IS", "TYPED"):
        property_type = normalise(_until_options(cursor))
        if property_type is None:
            raise NotUnderstood
        return ObjectType.PROPERTY_TYPE, property_type
    cursor.expect("IS")
    if cursor.take("NOT", "NULL"):
        return ObjectType.EXISTENCE, None
    for word, entity in _ENTITY_WORDS.items():
        if cursor.take(word) and entity != pattern.entity:
            raise NotUnderstood
    if cursor.take("UNIQUE"):
        return ObjectType.UNIQUENESS, None
    cursor.expect("KEY")
    return ObjectType.KEY, None


def _until_options(cursor: Cursor) -> list[str]:
    """Read on to OPTIONS or the end: the words of a property type."""
    words = []
    while not cursor.ended and not cursor.sees("OPTIONS"):
        token = cursor.next()
        if token.kind not in {TokenKind.WORD, TokenKind.NUMBER, TokenKind.PUNCTUATION}:
            raise NotUnderstood
        words.append(token.text)
    return words


def _pattern(cursor: Cursor) -> _Pattern:
    """Read ``(n:A|B)`` or ``()-[r:T|U]-()`` with or without an arrow."""
    cursor.expect("(")
    if not cursor.take(")"):
        return _Pattern("node", *_labelled(cursor, ")"))
    cursor.take("<")
    if not cursor.take("-") or not cursor.take("["):
        raise NotUnderstood
    pattern = _Pattern("relationship", *_labelled(cursor, "]"))
    if not cursor.take("-"):
        raise NotUnderstood
    cursor.take(">")
    cursor.expect("(", ")")
    return pattern


def _labelled(cursor: Cursor, close: str) -> tuple[str, tuple[str, ...]]:
    variable = cursor.identifier()
    labels = []
    if cursor.take(":"):
        labels.append(_name(cursor))
        while cursor.take("|"):
            labels.append(_name(cursor))
    cursor.expect(close)
    return variable, tuple(labels)


def _one_or_more(pattern: _Pattern, cursor: Cursor) -> tuple[str, ...]:
    if cursor.sees("("):
        return _properties(pattern, cursor, "(", ")")
    return (_property(pattern, cursor),)


def _properties(pattern: _Pattern, cursor: Cursor, begin: str, close: str) -> tuple[str, ...]:
    cursor.expect(begin)
    properties = [_property(pattern, cursor)]
    while cursor.take(","):
        properties.append(_property(pattern, cursor))
    cursor.expect(close)
    return tuple(properties)


def _property(pattern: _Pattern, cursor: Cursor) -> str:
    if cursor.identifier() != pattern.variable:
        raise NotUnderstood
    cursor.expect(".")
    return _name(cursor)


def _options(cursor: Cursor) -> Sequence[Token]:
    """Pass over ``OPTIONS {…}``: they tune an index, they do not make it another one."""
    if not cursor.take("OPTIONS"):
        return ()
    unknown = {TokenKind.PARAMETER, TokenKind.SEPARATOR, TokenKind.UNTERMINATED}
    options = cursor.bracket("{")
    if any(token.kind in unknown for token in options):
        raise NotUnderstood
    return options


def _dimensions(options: Sequence[Token]) -> int | None:
    """Return the number after ``vector.dimensions``; None where it is not a plain one."""
    found = dropwhile(
        lambda token: token.kind is not TokenKind.NAME or unquoted(token) != "vector.dimensions", options
    )
    words = [token.text for token in found][1:5]
    sign = -1 if words[1:2] == ["-"] else 1
    number, after = (*words[2 if sign < 0 else 1 :], "", "")[:2]
    return sign * int(number) if re.fullmatch("[0-9]{1,18}", number) and after in {"", ",", "}"} else None


def _name(cursor: Cursor) -> str:
    """Read a name, which may be empty: EXPLAIN lets that pass, and ``fault`` reports it."""
    token = cursor.next()
    if token.kind not in {TokenKind.WORD, TokenKind.NAME}:
        raise NotUnderstood
    return unquoted(token)


def may_use(text: str, indexes: Iterable[SchemaObject]) -> bool:
    """Return whether a data statement might read by one of these indexes.

    True where it reads and mentions an index's name or one of its labels or types, and wherever that cannot be told.
    """
    words, names = _words_and_names(text)
    if words & _ANY_INDEX:
        return True
    return bool(words & _READING) and any(
        not each.labels or each.name in names or not names.isdisjoint(each.labels) for each in indexes
    )


def mentioned(text: str) -> set[str] | None:
    """Return every name in a statement, labels and types among them; None where it may write under others, too."""
    words, names = _words_and_names(text)
    return None if words & _ANY_INDEX or "\\" in text else names


def _words_and_names(text: str) -> tuple[set[str], set[str]]:
    words: set[str] = set()
    names: set[str] = set()
    for token in tokens(text):
        if token.kind is TokenKind.NAME:
            names.add(unquoted(token))
        elif token.kind is TokenKind.PARAMETER:
            continue  # $batch: a value
        elif token.kind is not TokenKind.STRING:
            words.add(token.text.upper())
            names.add(token.text)
    return words, names
