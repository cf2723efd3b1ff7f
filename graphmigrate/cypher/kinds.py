"""How a statement must be executed, read from its tokens, and what its procedures do.

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

from graphmigrate.cypher.lexer import Token, TokenKind, decode, is_significant, nesting, tokens, word_of
from graphmigrate.cypher.model import Kind
from graphmigrate.cypher.reader import Cursor, significant, split_at

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
    """Classify one statement; a statement that no server would parse counts as ``data``.

    >>> [kind_of(text).value for text in ("CREATE INDEX i FOR (n:A) ON (n.p)", "CREATE (:A)", "SHOW USERS")]
    ['schema', 'data', 'system']
    """
    kind = _kind_of_head(without_prefix(_head(text)))
    return Kind.AUTOCOMMIT if kind is Kind.DATA and _commits_inside(text) else kind


def _head(text: str) -> Tokens:
    """Return the first tokens, as many as a kind needs."""
    stream = filter(is_significant, tokens(text))
    first = tuple(islice(stream, 1))
    prefixed = first and word_of(first[0]) in _PREFIXES
    return (*first, *islice(stream, _PREFIX_LENGTH if prefixed else _OBJECT_LENGTH))


def execution_prefix(text: str) -> Token | None:
    """Return the ``EXPLAIN`` or ``PROFILE`` that a user wrote before a statement, if any."""
    head = _head(text)
    prefix = head[: len(head) - len(_without_options(head))]
    return next((token for token in prefix if word_of(token) in {"EXPLAIN", "PROFILE"}), None)


def keywords(text: str) -> list[str]:
    """Return a statement's words in upper case, from its verb on, without comments, strings and names after a dot or colon."""
    words: list[str] = []
    before = ""
    for token in without_prefix(significant(text)):
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
    """Whether the server commits before the statement ends."""
    calls = list(_calls(text))
    ends = _closings(calls[0][1].words) if calls else {}
    return any(
        AUTOCOMMIT_PROCEDURES.fullmatch(name) if name else _is_in_transactions(cursor, ends)
        for name, cursor in calls
    )


def calls_of(text: str, procedures: re.Pattern[str]) -> list[Tokens]:
    """Return the arguments of each call of a procedure whose whole name the pattern matches."""
    return [
        cursor.bracket("(") if cursor.sees("(") else ()
        for name, cursor in _calls(text)
        if procedures.fullmatch(name)
    ]


def _calls(text: str) -> Iterator[tuple[str, Cursor]]:
    """Yield for each CALL the name of its procedure, empty for a subquery, and a cursor after it."""
    if not _CALL.search(decode(text).text):  # spares most statements a second look
        return
    words = significant(text)
    for at, token in enumerate(words, 1):
        if word_of(token) == "CALL":
            cursor = Cursor(words, at)
            yield cursor.dotted_name() if cursor.sees_name() else "", cursor


def _closings(words: Tokens) -> dict[int, int]:
    """Return where each bracket closes, by where it opens: one pass, however deep they are nested."""
    found, opened = dict[int, int](), list[int]()
    for at, token in enumerate(words):
        change = nesting(token)
        if change > 0:
            opened.append(at)
        elif change < 0 and opened:
            found[opened.pop()] = at
    return found


def _is_in_transactions(cursor: Cursor, ends: dict[int, int]) -> bool:
    """Read ``{…} IN TRANSACTIONS`` or ``(…) {…} IN n CONCURRENT TRANSACTIONS``; nothing else can follow a subquery with IN."""
    begin = ends.get(cursor.at, -1) + 1 if cursor.sees("(") else cursor.at
    end = ends.get(begin)
    if end is None or cursor.words[begin].text != "{" or not Cursor(cursor.words, end + 1).sees("IN"):
        return False
    return not _is_projection(cursor.words[begin + 1 : min(begin + 3, end)])


def _is_projection(inside: Tokens) -> bool:
    """Whether braces hold a map, as in ``call {.name} IN list`` on a variable, not a subquery."""
    if not inside or inside[0].text == ".":
        return True
    return word_of(inside[0]) != "FINISH" and (len(inside) == 1 or inside[1].text in {":", ","})


# ---- what is known of procedures (documentation of Neo4j, APOC, Graph Data Science; what they did when tried)

_READING = re.compile(
    r"db\.(?:labels|propertykeys|relationshiptypes|info|ping|awaitindex(?:es)?|resample\w+|clearquerycaches)"
    r"|db\.(?:schema|stats|index)\..+|db\.prepareforreplanning|dbms\..+|tx\..+|genai\..+"
    r"|apoc\.(?:load|meta|export|util|log|monitor|schema|config|metrics|stats)\..+|apoc\.(?:help|version|warmup\.run)"
    r"|apoc\.periodic\.(?:list|cancel)|apoc\.refactor\.rename\.type(?:property)?|gds\.(?!.*write|util\.asnode).+"
    # what they make is new, and the nodes that they join were found before
    r"|apoc\.create\.(?:nodes?|relationship)|apoc\.merge\.relationship(?:\.eager)?"
)
_NAMED_LABEL = "apoc.refactor.rename.label"
_MERGED_LABELS = {"apoc.merge.node", "apoc.merge.node.eager"}
_TEXTS = {
    **dict.fromkeys(
        (
            *("run", "doit", "runmany", "runmanyreadonly", "runwrite", "runschema", "runtimeboxed"),
            *("mapparallel", "mapparallel2", "parallel", "parallel2"),
            *("runfirstcolumn", "runfirstcolumnsingle", "runfirstcolumnmany"),
        ),
        ("apoc.cypher.", (0,)),
    ),
    "iterate": ("apoc.periodic.", (0, 1)),
    "commit": ("apoc.periodic.", (0,)),
    **dict.fromkeys(("submit", "repeat", "countdown"), ("apoc.periodic.", (1,))),
}
_BRANCHES = {"apoc.when": (1, 2), "apoc.do.when": (1, 2)}
_CASES = {"apoc.case", "apoc.do.case"}


def touches_no_node(name: str, arguments: Sequence[Token]) -> bool:
    """Whether a procedure is known to read only, or to change nodes of named labels only; ``name`` is in lower case."""
    if name == _NAMED_LABEL:
        return bool(arguments) and _literal(split_at(arguments, ",")[0]) is not None
    if name in _MERGED_LABELS:
        return bool(arguments) and _names_labels(split_at(arguments, ",")[0])
    return _READING.fullmatch(name) is not None


def _names_labels(argument: Sequence[Token]) -> bool:
    """Whether an argument is a list of literal labels, none of them empty: an empty one finds nodes of any label."""
    if len(argument) < 2 or (argument[0].text, argument[-1].text) != ("[", "]"):
        return False
    labels = [_literal(each) for each in split_at(argument[1:-1], ",")]
    return all(label is not None and label.text[1:-1].strip() for label in labels)


def text_arguments(name: str, arguments: Sequence[Token]) -> list[Token | None] | None:
    """Return the texts that a procedure runs, None for each that is not literal; None where it runs no text."""
    given = split_at(arguments, ",")  # without brackets the arguments are parameters
    if name in _CASES:
        branches = split_at(given[0][1:-1], ",")[1::2] if given[0] and given[0][0].text == "[" else [()]
        return [_literal(each) for each in (*branches, *given[1:2])]
    prefix, _, last = name.rpartition(".")
    known, positions = _TEXTS.get(last, ("", ()))
    if known != prefix + ".":
        positions = _BRANCHES.get(name, ())
    if not positions:
        return None
    return [_literal(given[at]) if at < len(given) else None for at in positions]


def _literal(argument: Sequence[Token]) -> Token | None:
    return argument[0] if len(argument) == 1 and argument[0].kind is TokenKind.STRING else None
