"""What must not be printed, replaced by asterisks."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import partial
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from graphmigrate.cypher.lexer import TokenKind, decode, is_significant, sections, tokens_from, word_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphmigrate.cypher.lexer import Decoded, Token

_PASSWORD = re.compile(r"\bPASSWORD\b", re.IGNORECASE)
_GAP = r"(?:\s|/\*.{0,200}?\*/|//[^\n]*\n)++"
# What stands before the word in commands for users and aliases; an error may show that line alone which begins with it.
_BEFORE = re.compile(
    rf"(?:\b(?:SET|PLAINTEXT|ENCRYPTED|DATABASE|EXISTS|WITH|USER{_GAP}(?:`[^`]+`|\S+))|[`'\"}}]){_GAP}\Z"
    rf"|^(?:[^\w\n]|\d)*+\Z|\b(?:CREATE|ALTER)\b.*\b(?:USER|ALIAS)\b[^;]*\Z",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_REACH = 400  # characters before the word that are looked at
_WORDS = {"PASSWORD", "FROM", "TO"}
_LINE = "source"  # of a place: one line of a file, which may begin inside a comment
_LONGEST = 5  # tokens: PASSWORD FROM 'old' TO 'new'


def masked(text: str, secrets: Iterable[str]) -> str:
    """Replace the secrets, also as they look when quoted or written into a URI, and literal passwords of commands.

    A command may begin anywhere: such a text quotes them, and apostrophes of its own say nothing.
    """
    return _without_literals(_without(text, secrets), anywhere=True)


def masked_values(value: Any, secrets: Iterable[str], *, anywhere: bool = False) -> Any:
    """Do so in each text of what becomes JSON, never in keys and numbers.

    Each is Cypher from its first character on, or none; ``anywhere``: it may quote some, as messages do.
    """
    if isinstance(value, str):
        return _without_literals(_without(value, secrets), anywhere=anywhere)
    if isinstance(value, dict):
        return {
            key: masked_values(each, secrets, anywhere=anywhere or key == _LINE)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [masked_values(each, secrets, anywhere=anywhere) for each in value]
    return value


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        for shape in sorted(_shapes(secret), key=len, reverse=True):
            text = text.replace(shape, "***")
    return text


def _shapes(secret: str) -> set[str]:
    if secret.isascii() and secret.replace("-", "").replace("_", "").isalnum():
        return {secret}  # it looks the same everywhere
    json_ones = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, *json_ones, repr(secret)[1:-1], quote(secret), quote(secret, "")}


def _without_literals(text: str, *, anywhere: bool) -> str:
    if "password" not in text.lower() and "\\u" not in text:
        return text
    found = {(each.start, _end(each, text)) for each in _literals(decode(text), anywhere=anywhere)}
    parts, done = [], 0
    for start, end in sorted(found):
        if end > done:
            parts += [text[done:start], "'***'"]
            done = end
    return "".join([*parts, text[done:]])


def _literals(decoded: Decoded, *, anywhere: bool) -> Iterator[Token]:
    """Yield the strings of ``PASSWORD 'x'`` and ``PASSWORD FROM 'x' TO 'y'``."""
    places = [found.start() for found in _PASSWORD.finditer(decoded.text)]
    chosen = filter(partial(_in_command, decoded.text), places) if anywhere else _in_code(decoded, places)
    for place in chosen:
        for token in islice(filter(is_significant, tokens_from(decoded, place)), _LONGEST):
            if token.kind in {TokenKind.STRING, TokenKind.UNTERMINATED}:
                yield token
            elif word_of(token) not in _WORDS:
                break


def _in_command(text: str, place: int) -> bool:
    """Judge by what stands before the word, where a text may quote Cypher: the quote after it may be one that closes."""
    return _BEFORE.search(text[max(0, place - _REACH) : place]) is not None


def _in_code(decoded: Decoded, places: list[int]) -> list[int]:
    """Leave out what stands in strings, names and comments."""
    cut = list(sections(decoded)) if places else []
    ends = list(accumulate(len(each.text) for each in cut))
    return [place for place in places if cut[bisect_right(ends, place)].kind is TokenKind.CODE]


def _end(token: Token, text: str) -> int:
    """Return the end of a literal; what a terminal's width has cut off ends with its line."""
    cut = text.find("…", token.start, token.end)
    return text.find("\n", cut, token.end) if cut >= 0 and "\n" in text[cut : token.end] else token.end
