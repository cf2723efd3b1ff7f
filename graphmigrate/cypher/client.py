"""The commands of cypher-shell that a file may hold: ``:use`` and ``:param`` with literal values."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from graphmigrate.cypher.lexer import TokenKind, is_significant, tokens, unescaped, unquoted
from graphmigrate.cypher.reader import Cursor, NotUnderstood

_HINTS = {
    "use": "Name one database, for example `:use neo4j`, or delete the line.",
    "begin": "Delete the line: statements run in transactions without it.",
    "commit": "Delete the line: statements run in transactions without it.",
    "rollback": "Delete the line: a failed transaction is rolled back without it.",
    "auto": "Delete the word: a statement that needs its own transaction is recognised and gets it.",
    "source": "Delete the line, and give that file a version of its own.",
}
_PARAM_HINT = (
    "Write one literal value (number, string, boolean, null, list, map) in the line, as in `:param name => 'value'` or "
    "`:param {name: 'value'}`; call functions in the statement, as in date($name)."
)
_WORDS = {"TRUE": True, "FALSE": False, "NULL": None}
_LARGEST = 2**63


class Refusal(NamedTuple):
    """Why a command is not taken, and what to do."""

    message: str
    hint: str


class Client:
    """What the commands of one file have said so far: ``values`` of parameters, and ``uses``, each with its offset."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.uses: list[tuple[str, int]] = []

    def take(self, line: str, offset: int) -> Refusal | None:
        """Follow the command that stands at ``offset``."""
        found = re.match(r":(\w*)", line)
        word = found[1].lower() if found else ""
        cursor = Cursor([each for each in tokens(line[len(word) + 1 :]) if is_significant(each)])
        if cursor.words and cursor.words[-1].kind is TokenKind.SEPARATOR:
            cursor.words = cursor.words[:-1]
        try:
            if word == "use":
                self.uses.append((_database(cursor), offset))
            elif word in {"param", "params"}:
                self._set(cursor)
            else:
                return refusal(line)
        except (NotUnderstood, RecursionError):  # the latter for thousands of brackets
            hint = _HINTS["use"] if word == "use" else _PARAM_HINT
            return Refusal(f"This :{word} line is not understood.", hint)
        return None

    def _set(self, cursor: Cursor) -> None:
        if cursor.sees("{"):
            values = literal(cursor)
            cursor.expect_end()
            self.values = values  # as cypher-shell does it: a map stands for all of them
            return
        name = cursor.identifier()
        if cursor.ended and name.lower() == "clear":
            self.values = {}
            return
        _ = cursor.take("=", ">") or cursor.take(":")
        value = literal(cursor)
        cursor.expect_end()
        self.values = {**self.values, name: value}


def refusal(line: str) -> Refusal:
    """Say that a file holds Cypher alone, and what to do about this command."""
    found = re.match(r":\w*", line)
    word = found.group() if found else ":"
    hint = _HINTS.get(word[1:].lower(), "Delete the line; files hold Cypher statements only.")
    return Refusal(f"{word} is a command of Neo4j Browser or cypher-shell, not Cypher.", hint)


def _database(cursor: Cursor) -> str:
    """Read the name of a database, which may hold dots and dashes without backticks."""
    text = "".join(unquoted(each) for each in cursor.words)
    if not text:
        raise NotUnderstood
    return text


def literal(cursor: Cursor) -> Any:
    """Read one literal value: number, string, boolean, null, list or map. Raises NotUnderstood."""
    if cursor.take("["):
        return _items(cursor, "]", literal)
    if cursor.take("{"):
        return dict(_items(cursor, "}", _entry))
    sign = -1 if cursor.take("-") else 1
    token = cursor.next()
    if token.kind is TokenKind.NUMBER:
        return _number(token.text, sign)
    if sign == 1 and token.kind is TokenKind.STRING:
        return unescaped(token.text[1:-1])
    if sign == 1 and token.kind is TokenKind.WORD and token.text.upper() in _WORDS:
        return _WORDS[token.text.upper()]
    raise NotUnderstood


def _items(cursor: Cursor, close: str, read: Any) -> list[Any]:
    found: list[Any] = []
    while not cursor.take(close):
        if found:
            cursor.expect(",")
        found.append(read(cursor))
    return found


def _entry(cursor: Cursor) -> tuple[str, Any]:
    name = cursor.identifier()
    cursor.expect(":")
    return name, literal(cursor)


def _number(text: str, sign: int) -> int | float:
    plain = text.replace("_", "")
    try:
        if re.fullmatch(r"[0-9]+", plain):
            number: int | float = sign * int(plain)
        else:
            number = sign * (int(plain, 0) if plain[:2].lower() in {"0x", "0o"} else float(plain))
    except ValueError:
        raise NotUnderstood from None
    if (not -_LARGEST <= number < _LARGEST and isinstance(number, int)) or number in {
        float("inf"),
        -float("inf"),
    }:
        raise NotUnderstood
    return number
