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
from enum import Enum, auto
from itertools import chain, dropwhile, islice
from typing import TYPE_CHECKING

from graphmigrate.cypher.escapes import Decoded, decode
from graphmigrate.cypher.lexer import (
    Token,
    TokenKind,
    is_significant,
    nesting,
    sections,
    tokens,
    tokens_from,
    unquoted,
    word_of,
)
from graphmigrate.cypher.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

Tokens = Sequence[Token]

AUTOCOMMIT_PROCEDURES = re.compile(
    r"apoc\.periodic\..+|apoc\.import\..+|apoc\.refactor\.rename\..+|apoc\.nodes\.delete"
    r"|apoc\.cypher\.run(?:Many|Schema|(?:Schema)?Files?)|apoc\.schema\.assert|gds\..+\.write"
    r"|db\.index\.vector\.create(?:Node|Relationship)Index"
    r"|n10s\.(?:rdf|onto|skos|experimental\.quadrdf)\.(?:import|delete)\..+"
)
"""Procedures that commit transactions of their own, or change the schema, which no transaction with our row can
(documentation of APOC and Graph Data Science, source of neosemantics)."""

_SCHEMA_NOUNS = {"INDEX", "CONSTRAINT"}
_INDEX_TYPES = {"RANGE", "TEXT", "POINT", "FULLTEXT", "VECTOR", "LOOKUP", "BTREE", "UNIQUE"}
_SYSTEM_NOUNS = {"DATABASE", "USER", "ROLE", "ALIAS", "SERVER"}
_SYSTEM_MODIFIERS = {"COMPOSITE", "IMMUTABLE"}
_SYSTEM_VERBS = {
    *("GRANT", "DENY", "REVOKE", "RENAME", "START", "STOP"),
    *("ENABLE", "DEALLOCATE", "REALLOCATE", "DRYRUN"),
}
_VERBS = {"CREATE", "DROP", "ALTER", "SHOW", "USING", *_SYSTEM_VERBS}
_SHOWN_AS_DATA = {
    *("INDEX", "INDEXES", "CONSTRAINT", "CONSTRAINTS", "PROCEDURE", "PROCEDURES", "FUNCTION", "FUNCTIONS"),
    *("TRANSACTION", "TRANSACTIONS", "SETTING", "SETTINGS", "GRAPH", "BUILT", "DEFINED"),
}
_SHOWN_BY_SYSTEM = {
    *("DATABASE", "DATABASES", "USERS", "ROLE", "ROLES", "PRIVILEGE", "PRIVILEGES", "ALIAS", "ALIASES"),
    *("SERVER", "SERVERS", "AUTH", "RULES"),
}
_PREFIXES = {"CYPHER", "EXPLAIN", "PROFILE", "USE"}
_BEFORE_NAMES = {".", ":", "|", "&"}
_PREFIX_LENGTH = 60  # tokens; every pre-parser option at once takes fewer
_OBJECT_LENGTH = 8  # tokens after the verb that tell what a command is about
_CALL = re.compile(r"\bCALL\b", re.IGNORECASE)


def kind_of(text: str) -> Kind:
    """Classify one statement; a statement that no server would parse counts as ``data``."""
    kind = _kind_of_head(_head(text))
    return Kind.AUTOCOMMIT if kind is Kind.DATA and _commits_inside(text) else kind


def _head(text: str) -> Tokens:
    """Return the first tokens after any prefix, as many as a kind needs."""
    significant = filter(is_significant, tokens(text))
    first = tuple(islice(significant, 1))
    if first and word_of(first[0]) in _PREFIXES:
        return without_prefix((*first, *islice(significant, _PREFIX_LENGTH)))
    return (*first, *islice(significant, _OBJECT_LENGTH))


def execution_prefix(text: str) -> Token | None:
    """Return the ``EXPLAIN`` or ``PROFILE`` that a user wrote before a statement, if any."""
    significant = filter(is_significant, tokens(text))
    first = tuple(islice(significant, 1))
    if not first or word_of(first[0]) not in _PREFIXES:
        return None
    head = (*first, *islice(significant, _PREFIX_LENGTH))
    prefix = head[: len(head) - len(_without_options(head))]
    return next((token for token in prefix if word_of(token) in {"EXPLAIN", "PROFILE"}), None)


def keywords(text: str) -> list[str]:
    """Return a statement's words in upper case, from its verb on, without comments, strings and names after a dot or colon."""
    words: list[str] = []
    before = ""
    for token in without_prefix(tuple(filter(is_significant, tokens(text)))):
        word = word_of(token)
        if word and before not in _BEFORE_NAMES:
            words.append(word)
        before = token.text
    return words


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
    """Drop ``USE a.b``, ``USE GRAPH a``, ``USE (a)`` and ``USE graph.byName('x')``."""
    if not head or word_of(head[0]) != "USE":
        return head
    position = 2 if _names_graph_by_keyword(head[1:3]) else 1
    if position < len(head) and head[position].text != "(":
        position += 1
    while position < len(head) and head[position].text == ".":
        position += 2
    depth = 0
    while position < len(head) and (depth or head[position].text == "("):
        depth += nesting(head[position])
        position += 1
    return head[position:]


def _names_graph_by_keyword(following: Tokens) -> bool:
    """Tell the keyword of ``USE GRAPH neo4j …`` from a database that is called graph, as in ``USE graph CREATE …``."""
    if len(following) < 2 or word_of(following[0]) != "GRAPH":
        return False
    name = following[1]
    return name.kind in {TokenKind.WORD, TokenKind.NAME} and word_of(name) not in _VERBS


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


def _commits_inside(text: str) -> bool:
    """Whether the server commits before the statement ends.

    Reading starts at the first word CALL, which spares most statements a second look.
    """
    decoded = decode(text)
    calls = _offsets_of_calls(decoded)
    first = next(calls, None)
    if first is None:
        return False
    if _has_call_in_transactions(filter(is_significant, tokens_from(decoded, first))):
        return True
    return any(_calls(decoded, offset, AUTOCOMMIT_PROCEDURES) for offset in chain([first], calls))


def calls_one_of(text: str, procedures: re.Pattern[str]) -> bool:
    """Whether a statement calls a procedure whose whole name the pattern matches."""
    decoded = decode(text)
    return any(_calls(decoded, offset, procedures) for offset in _offsets_of_calls(decoded))


def arguments_of(text: str, procedures: re.Pattern[str]) -> Iterator[list[Token]]:
    """Give, for each call of a procedure whose whole name the pattern matches, what follows the opening bracket."""
    decoded = decode(text)
    for offset in _offsets_of_calls(decoded):
        if _calls(decoded, offset, procedures):
            stream = filter(is_significant, tokens_from(decoded, offset))
            yield list(dropwhile(lambda token: token.text != "(", stream))[1:]


def _offsets_of_calls(decoded: Decoded) -> Iterator[int]:
    """Yield where each word CALL stands in the decoded text, quotes and comments aside."""
    if not _CALL.search(decoded.text):
        return
    offset = 0
    for section in sections(decoded):
        if section.kind is TokenKind.CODE:
            yield from (offset + match.start() for match in _CALL.finditer(section.text))
        offset += len(section.text)


def _calls(decoded: Decoded, offset: int, procedures: re.Pattern[str]) -> bool:
    stream = filter(is_significant, tokens_from(decoded, offset))
    name = next(islice(stream, 1, 2), None)
    if name is None or name.kind not in {TokenKind.WORD, TokenKind.NAME}:
        return False
    return procedures.fullmatch(_dotted_name(name, stream)) is not None


class _Role(Enum):
    """What the token before was: the word CALL, or the end of one of its brackets."""

    CALL = auto()
    ARGUMENTS = auto()
    SUBQUERY = auto()
    OTHER = auto()


def _has_call_in_transactions(stream: Iterator[Token]) -> bool:
    """Find ``CALL {…} IN TRANSACTIONS`` and ``CALL (…) {…} IN n CONCURRENT TRANSACTIONS`` in one pass.

    Nothing else can follow a subquery with IN; ``call {.name} IN list`` is a map projection on a variable.
    """
    brackets: list[_Role] = []
    inside: list[Token] = []  # the first two tokens of the subquery that was opened last
    before = _Role.OTHER
    for token in stream:
        if before is _Role.SUBQUERY and word_of(token) == "IN":
            return True
        if len(inside) < 2:
            inside.append(token)
            if brackets and brackets[-1] is _Role.SUBQUERY and _is_projection(inside):
                brackets[-1] = _Role.OTHER
        change = nesting(token)
        if change > 0:
            brackets.append(_role_of_bracket(before, token.text))
            inside = [] if brackets[-1] is _Role.SUBQUERY else [token, token]
            before = _Role.OTHER
        elif change < 0:
            before = brackets.pop() if brackets else _Role.OTHER
        else:
            before = _Role.CALL if word_of(token) == "CALL" else _Role.OTHER
    return False


def _role_of_bracket(before: _Role, bracket: str) -> _Role:
    if before is _Role.CALL and bracket == "(":
        return _Role.ARGUMENTS
    if before in {_Role.CALL, _Role.ARGUMENTS} and bracket == "{":
        return _Role.SUBQUERY
    return _Role.OTHER


def _is_projection(inside: Tokens) -> bool:
    """Whether these first tokens between braces begin a map, not a subquery."""
    if len(inside) == 1:
        return inside[0].text in {".", "}"}
    return word_of(inside[0]) != "FINISH" and inside[1].text in {":", ",", "}"}


def _dotted_name(first: Token, rest: Iterator[Token]) -> str:
    """Join ``a . `b` . c``, unquoted; stops at what is not a further part."""
    name = unquoted(first)
    while (dot := next(rest, None)) and dot.text == "." and (part := next(rest, None)):
        name += "." + unquoted(part)
    return name
