"""What a statement could use: an index it then has to wait for, and names it may write under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import TokenKind, tokens, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphmigrate.schema.model import SchemaObject

# Clauses and subqueries that read; "[" begins a pattern comprehension.
_READING = {"MATCH", "MERGE", "EXISTS", "COUNT", "COLLECT", "["}
_ANY_INDEX = {"CALL", "$"}  # a procedure may name an index in a text, $(…) a label


def may_use(text: str, indexes: Iterable[SchemaObject]) -> bool:
    """Return whether a data statement might read by one of these indexes.

    True where it reads and mentions an index's name or one of its labels or types, and wherever that cannot be told.
    """
    words, names = _read(text)
    if words & _ANY_INDEX:
        return True
    return bool(words & _READING) and any(
        not each.labels or each.name in names or not names.isdisjoint(each.labels) for each in indexes
    )


def mentioned(text: str) -> set[str] | None:
    """Return every name in a statement, labels and types among them; None where it may write under others, too."""
    words, names = _read(text)
    return None if words & _ANY_INDEX or "\\" in text else names


def _read(text: str) -> tuple[set[str], set[str]]:
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
