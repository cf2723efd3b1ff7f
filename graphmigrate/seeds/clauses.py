"""The clauses of one statement, as far as seeding must understand them (Cypher Manual, "Clauses")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.seeds.cypher import Lexeme, Sort

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
# Longest first: the words of a clause's name, in a row.
_NAMES = tuple(
    tuple(name.split())
    for name in (
        "ON CREATE SET", "ON MATCH SET", "OPTIONAL MATCH", "DETACH DELETE", "NODETACH DELETE", "LOAD CSV",
        "ORDER BY", "MATCH", "WHERE", "CREATE", "INSERT", "MERGE", "SET", "REMOVE", "DELETE", "WITH", "RETURN",
        "UNWIND", "CALL", "FOREACH", "UNION", "FINISH", "USE", "USING", "LET", "FILTER", "FOR", "NEXT", "YIELD",
        "LIMIT", "SKIP", "OFFSET", "SHOW",
    )
)  # fmt: skip
WRITING = frozenset(
    {"CREATE", "MERGE", "ON CREATE SET", "ON MATCH SET", "SET", "REMOVE", "DELETE", "FOREACH"}
)
WRITING = WRITING | {"INSERT", "DETACH DELETE", "NODETACH DELETE"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: its name in capitals, and the tokens after it, white space and comments left out."""

    name: str
    tokens: tuple[Lexeme, ...]


def clauses(tokens: Sequence[Lexeme]) -> tuple[Clause, ...]:
    """Cut a statement at the clause names that stand outside all brackets.

    What is not certain is cut, too: whoever reads a clause refuses tokens that it does not understand.
    """
    words = [token for token in tokens if token.sort not in {Sort.SPACE, Sort.COMMENT}]
    found: list[tuple[str, list[Lexeme]]] = []
    depth = index = 0
    while index < len(words):
        token = words[index]
        name = _name_at(words, index) if depth == 0 else None
        if name:
            found.append((" ".join(name), []))
            index += len(name)
            continue
        if token.sort is Sort.SYMBOL:
            depth += (token.value in _OPENING) - (token.value in _CLOSING)
        if not found:
            found.append(("", []))
        found[-1][1].append(token)
        index += 1
    return tuple(Clause(name, tuple(rest)) for name, rest in found)


def _name_at(words: Sequence[Lexeme], index: int) -> tuple[str, ...] | None:
    before = words[index - 1] if index else None
    if before is not None and (before.value in {".", ":"} or _is_operator(before, words[index])):
        return None
    return next((name for name in _NAMES if _stands(words, index, name)), None)


def _is_operator(before: Lexeme, word: Lexeme) -> bool:
    """Whether this is the WITH of STARTS WITH or ENDS WITH."""
    return before.value.upper() in {"STARTS", "ENDS"} and word.value.upper() == "WITH"


def _stands(words: Sequence[Lexeme], index: int, name: tuple[str, ...]) -> bool:
    here = words[index : index + len(name)]
    return len(here) == len(name) and all(
        token.sort is Sort.WORD and token.value.upper() == word
        for token, word in zip(here, name, strict=True)
    )


_COUNTED = WRITING - {"FOREACH"} | {"MATCH", "OPTIONAL MATCH", "WHERE"}


def countable(found: Sequence[Clause]) -> bool:
    """Whether the rows that get to the end can be counted by ``RETURN`` at the end.

    Only where the row stays in sight throughout, the statement is complete without RETURN, and a MATCH could stop a row:
    CREATE and MERGE never do, and counting costs the server time.
    """
    names = [each.name for each in found]
    return "MATCH" in names and names[-1] in WRITING and _COUNTED.issuperset(names)
