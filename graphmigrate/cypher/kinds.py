"""How a statement must be executed, read from its tokens.

Rules from the Cypher Manual ("Indexes", "Constraints", "CALL subqueries in transactions") and the Operations
Manual ("Database administration", "Authentication and authorization"), checked against EXPLAIN on Neo4j 5.26
and 2026.05. ``TERMINATE TRANSACTIONS`` and the SHOW commands about indexes, constraints, functions,
procedures, settings and transactions are ``data``: the server calls them reads and takes them in any
transaction. The other SHOW commands are answered by the system database and are ``system``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from graphmigrate.cypher.escapes import decode
from graphmigrate.cypher.lexer import Token, TokenKind, is_significant, tokens, unquoted
from graphmigrate.cypher.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

Tokens = Sequence[Token]

AUTOCOMMIT_PROCEDURES = re.compile(
    r"apoc\.periodic\..+|apoc\.import\..+|apoc\.refactor\.rename\..+|apoc\.nodes\.delete"
    r"|apoc\.cypher\.run(?:Schema)?Files?|gds\..+\.write"
)
"""Procedures that commit transactions of their own (APOC and Graph Data Science documentation)."""

_SCHEMA_NOUNS = {"INDEX", "CONSTRAINT"}
_INDEX_TYPES = {"RANGE", "TEXT", "POINT", "FULLTEXT", "VECTOR", "LOOKUP", "BTREE", "UNIQUE"}
_SYSTEM_NOUNS = {"DATABASE", "USER", "ROLE", "ALIAS", "SERVER"}
_SYSTEM_MODIFIERS = {"COMPOSITE", "IMMUTABLE"}
_SYSTEM_VERBS = {
    *("GRANT", "DENY", "REVOKE", "RENAME", "START", "STOP"),
    *("ENABLE", "DEALLOCATE", "REALLOCATE", "DRYRUN"),
}
_SHOWN_AS_DATA = {
    *("INDEX", "INDEXES", "CONSTRAINT", "CONSTRAINTS", "PROCEDURE", "PROCEDURES", "FUNCTION", "FUNCTIONS"),
    *("TRANSACTION", "TRANSACTIONS", "SETTING", "SETTINGS", "GRAPH", "BUILT", "DEFINED"),
}
_SHOWN_BY_SYSTEM = {
    *("DATABASE", "DATABASES", "USERS", "ROLE", "ROLES", "PRIVILEGE", "PRIVILEGES", "ALIAS", "ALIASES"),
    *("SERVER", "SERVERS", "AUTH", "RULES"),
}
_HEAD = 40  # tokens that decide about anything but CALL … IN TRANSACTIONS; a long USE or CYPHER prefix fits


def kind_of(text: str) -> Kind:
    """Classify one statement; a statement that no server would parse counts as ``data``."""
    significant = filter(is_significant, tokens(text))
    head = without_prefix(list(islice(significant, _HEAD)))
    kind = _kind_of_head(head)
    if kind is Kind.DATA and _may_commit(text) and any(_commits(tuple(filter(is_significant, tokens(text))))):
        return Kind.AUTOCOMMIT
    return kind


def execution_prefix(text: str) -> Token | None:
    """Give the ``EXPLAIN`` or ``PROFILE`` that a user wrote before a statement, if any."""
    head = list(islice(filter(is_significant, tokens(text)), _HEAD))
    prefix = head[: len(head) - len(_without_options(head))]
    return next((token for token in prefix if word_of(token) in {"EXPLAIN", "PROFILE"}), None)


def word_of(token: Token) -> str:
    """Give a word in upper case, as keywords are compared; an empty text for every other token."""
    return token.text.upper() if token.kind is TokenKind.WORD else ""


def without_prefix(head: Tokens) -> Tokens:
    """Drop ``CYPHER 5 runtime=slotted``, ``EXPLAIN``, ``PROFILE`` and ``USE graph`` from the front."""
    return _without_use(_without_options(head))


def _without_options(head: Tokens) -> Tokens:
    position = 0
    while position < len(head):
        word = word_of(head[position])
        if word not in {"CYPHER", "EXPLAIN", "PROFILE"}:
            break
        position += 1
        if word == "CYPHER":
            position = _after_cypher_options(head, position)
    return head[position:]


def _after_cypher_options(head: Tokens, position: int) -> int:
    if position < len(head) and head[position].kind is TokenKind.NUMBER:
        position += 1
    while position + 1 < len(head) and head[position + 1].text == "=":
        position += 3
    return position


def _without_use(head: Tokens) -> Tokens:
    """Drop ``USE a.b`` and ``USE graph.byName('x')``."""
    if not head or word_of(head[0]) != "USE":
        return head
    position = 2
    while position < len(head) and head[position].text == ".":
        position += 2
    if position < len(head) and head[position].text == "(":
        position = _after_bracket(head, position)
    return head[position:]


def _kind_of_head(head: Tokens) -> Kind:
    if not head:
        return Kind.DATA
    verb, rest = word_of(head[0]), head[1:]
    if verb in {"CREATE", "DROP"}:
        return _kind_of_object(rest)
    if verb == "ALTER":
        return Kind.SCHEMA if [word_of(token) for token in rest[:2]] == ["CURRENT", "GRAPH"] else Kind.SYSTEM
    if verb == "SHOW":
        return _kind_of_show(rest)
    if verb == "USING" and rest and word_of(rest[0]) == "PERIODIC":
        return Kind.AUTOCOMMIT
    return Kind.SYSTEM if verb in _SYSTEM_VERBS else Kind.DATA


def _kind_of_object(rest: Tokens) -> Kind:
    """Judge what stands after CREATE or DROP; ``CREATE index = (n)`` names a path, so it is data."""
    words = [word_of(token) for token in rest[:6]]
    if words[:2] == ["OR", "REPLACE"]:
        words = words[2:]
        rest = rest[2:]
    if len(words) > 1 and words[0] in _INDEX_TYPES and words[1] in _SCHEMA_NOUNS:
        return Kind.SCHEMA
    if words[:2] == ["AUTH", "RULE"] or (words[:1] and words[0] in _SYSTEM_MODIFIERS and words[1:2] != [""]):
        return Kind.SYSTEM
    if not words or (len(rest) > 1 and rest[1].text == "="):
        return Kind.DATA
    if words[0] in _SCHEMA_NOUNS:
        return Kind.SCHEMA
    return Kind.SYSTEM if words[0] in _SYSTEM_NOUNS else Kind.DATA


def _kind_of_show(rest: Tokens) -> Kind:
    """Judge a SHOW by its first telling word; ``SHOW USER DEFINED FUNCTIONS`` is about functions."""
    words = [word_of(token) for token in rest]
    for position, word in enumerate(words):
        if word in _SHOWN_AS_DATA:
            return Kind.DATA
        defines = words[position + 1 : position + 2] == ["DEFINED"]
        if word in _SHOWN_BY_SYSTEM or (word == "USER" and not defines):
            return Kind.SYSTEM
    return Kind.DATA


def _may_commit(text: str) -> bool:
    """Spare most statements the second look: without one of these words nothing commits inside."""
    decoded = decode(text).text.lower()
    return "call" in decoded and any(word in decoded for word in ("transactions", "apoc", "gds"))


def _commits(everything: Tokens) -> Iterator[bool]:
    for position, token in enumerate(everything):
        if word_of(token) == "CALL":
            yield _is_call_in_transactions(everything, position + 1) or _is_listed(everything, position + 1)


def _is_call_in_transactions(everything: Tokens, position: int) -> bool:
    """Whether ``{…} IN TRANSACTIONS`` or ``(…) {…} IN n CONCURRENT TRANSACTIONS`` stands at a position."""
    if position < len(everything) and everything[position].text == "(":
        position = _after_bracket(everything, position)
    if position >= len(everything) or everything[position].text != "{":
        return False
    if not _is_subquery(everything[position + 1 : position + 3]):
        return False
    position = _after_bracket(everything, position)
    return position < len(everything) and word_of(everything[position]) == "IN"


def _is_subquery(inside: Tokens) -> bool:
    """Tell a subquery from a map projection on a variable named ``call``, as in ``call {.name} IN list``."""
    if len(inside) < 2 or inside[0].text == ".":
        return False
    return word_of(inside[0]) == "FINISH" or inside[1].text not in {":", ",", "}"}


def _after_bracket(everything: Tokens, position: int) -> int:
    """Give the position after the bracket that matches the opening one at ``position``."""
    depth = 0
    for index in range(position, len(everything)):
        token = everything[index]
        if token.kind is not TokenKind.PUNCTUATION:
            continue
        if token.text in "({[":
            depth += 1
        elif token.text in ")}]":
            depth -= 1
        if depth == 0:
            return index + 1
    return len(everything)


def _is_listed(everything: Tokens, position: int) -> bool:
    parts: list[str] = []
    for token in islice(everything, position, position + 12):
        is_dot = token.text == "."
        if is_dot is (len(parts) % 2 == 0) or not (is_dot or token.kind in {TokenKind.WORD, TokenKind.NAME}):
            break
        parts.append(unquoted(token))
    return AUTOCOMMIT_PROCEDURES.fullmatch("".join(parts)) is not None
