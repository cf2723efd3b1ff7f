r"""Cut Cypher into tokens and sections, each with its place in the source (Cypher Manual, "Syntax").

What white space, comments, strings and names are was measured on Neo4j 5.26 and 2026.05: U+0085 and U+FEFF
are not white space; a line comment ends at LF or CR only; block comments do not nest; in backticks a
backslash is an ordinary character; white space and comments may stand between ``$`` and a parameter's name.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.errors import ProjectError
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WHITESPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u00a0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


_ESCAPE = re.compile(
    r"\\(?:\\|u(?:([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|([0-9a-fA-F]{4}))?)"
)
_LONE_SURROGATES = range(0xD800, 0xE000)


def normalise_bytes(content: bytes) -> bytes:
    """Drop a byte-order mark and read CRLF as LF: what checksums are taken over."""
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


class Decoded(Value):
    r"""Text with its Unicode escapes decoded, and the way back to where each character stood.

    ``invalid`` holds the source offsets of every ``\u`` that the server would refuse.
    """

    text: str
    invalid: tuple[int, ...] = ()
    _ends: tuple[int, ...] = ()
    _shifts: tuple[int, ...] = ()

    def source_offset(self, offset: int) -> int:
        """Translate an offset in ``text`` to the offset in the source where that character begins."""
        index = bisect_right(self._ends, offset)
        return offset + self._shifts[index - 1] if index else offset


def decode(source: str) -> Decoded:
    r"""Decode every ``\uXXXX`` of a text; costs one search where there is none.

    As measured on both versions: the decoding is everywhere, so ``\u0027`` opens a string, ``\u003b`` ends a
    statement and ``\u000a`` a line comment; a pair of backslashes is passed over whole, so ``\\u0027`` is no
    escape; what was decoded is not decoded again; a ``\u`` without four digits is an error, in comments too.
    """
    if "\\u" not in source:
        return Decoded(source)
    parts: list[str] = []
    invalid, ends, shifts = list[int](), list[int](), list[int]()
    copied = shift = 0
    for match in _ESCAPE.finditer(source):
        character = _decoded_character(match)
        if character is None:
            if match.group() == "\\u":
                invalid.append(match.start())
            continue
        parts += (source[copied : match.start()], character)
        copied = match.end()
        shift += len(match.group()) - 1
        ends.append(copied - shift)
        shifts.append(shift)
    parts.append(source[copied:])
    return Decoded("".join(parts), tuple(invalid), tuple(ends), tuple(shifts))


def _decoded_character(match: re.Match[str]) -> str | None:
    """Return the character that an escape stands for; None where it is no escape."""
    high, low, single = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    if not single:
        return None
    code = int(single, 16)
    return "\ufffd" if code in _LONE_SURROGATES else chr(code)


class TokenKind(StrEnum):
    """What a token is; ``UNTERMINATED`` reaches from an opening without an end to the end of the text."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"
    NAME = "name"  # in backticks
    PARAMETER = "parameter"
    WORD = "word"
    NUMBER = "number"
    SEPARATOR = "separator"  # the semicolon
    PUNCTUATION = "punctuation"
    CODE = "code"  # only in sections: anything between quotes, comments and semicolons
    UNTERMINATED = "unterminated"


class Token(NamedTuple):
    """A piece of text: ``text`` with its escapes decoded, ``start`` and ``end`` as offsets in the source."""

    kind: TokenKind
    text: str
    start: int
    end: int


_SPACE = f"[{WHITESPACE}]"
_COMMENT = r"//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/"
_NAME = r"`(?:[^`]++|``)*+`"
_STRING = r"'[^'\\]*+(?:\\.[^'\\]*+)*+'" + r'|"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# A name may go on with currency signs, combining marks and format characters (Java's identifier parts);
# beyond Latin-1 everything does but white space, punctuation, arrows and dashes, which decide nothing here.
_WORD_PART = (
    r"[\w$\x00-\x08\x0e-\x1b\x7f-\x9f\xa2-\xa5"
    r"\u0100-\u167f\u1681-\u1fff\u200b-\u200f\u203f\u2040\u2060-\u218f\u2c00-\u2fff\u3001-\ufe57\ufe70-\U0010ffff]"
)
_BETWEEN = rf"(?:{_SPACE}++|{_COMMENT})*+"
_PARAMETER_LEAD = rf"\${_BETWEEN}"
_DYNAMIC = rf"(?i:any|all){_BETWEEN}\("  # ``n:$any([…])`` gives labels, as ``n:$([…])`` does
_UNTERMINATED = r"'|\"|`|/\*"

# Compiled when a text is first cut: that takes 10 ms, and `status` cuts none.
_TOKEN = (
    rf"(?P<space>{_SPACE}++)|(?P<comment>{_COMMENT})|(?P<string>{_STRING})|(?P<name>{_NAME})"
    rf"|(?P<word>[^\W\d]{_WORD_PART}*+)"
    r"|(?P<number>0[xo]\w++|\d[\d_]*+(?:\.\d[\d_]*+)?(?:[eE][+-]?\d++)?\w*+)"
    rf"|(?P<parameter>{_PARAMETER_LEAD}(?!{_DYNAMIC})(?:{_NAME}|(?!\$){_WORD_PART}++))"
    rf"|(?P<separator>;)|(?P<unterminated>(?:{_UNTERMINATED})[\s\S]*)|(?P<punctuation>[\s\S])"
)
_SECTION = (
    rf"(?P<code>(?:[^'\"`/;]++|/(?![/*]))++)|(?P<comment>{_COMMENT})|(?P<string>{_STRING})|(?P<name>{_NAME})"
    rf"|(?P<separator>;)|(?P<unterminated>(?:{_UNTERMINATED})[\s\S]*)"
)
_KINDS = {kind.value: kind for kind in TokenKind}


def tokens(source: str) -> Iterator[Token]:
    """Yield every token of ``source``, white space and comments too: their places join to the whole text."""
    return _cut(_TOKEN, decode(source))


def tokens_from(decoded: Decoded, start: int) -> Iterator[Token]:
    """Yield the tokens from an offset in the decoded text, which must stand in code."""
    return _cut(_TOKEN, decoded, start)


def sections(decoded: Decoded, start: int = 0) -> Iterator[Token]:
    """Yield strings, names, comments, semicolons and the code between them, from a decoded offset.

    Several times faster than ``tokens``, for finding where statements end.
    """
    return _cut(_SECTION, decoded, start)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _cut(pattern: str, decoded: Decoded, start: int = 0) -> Iterator[Token]:
    make = tuple.__new__  # skips the keyword handling of the NamedTuple: this is the hot loop
    plain = not decoded._ends
    for match in _compiled(pattern).finditer(decoded.text, start):
        begin, end = match.span()
        if not plain:
            begin, end = decoded.source_offset(begin), decoded.source_offset(end)
        yield make(Token, (_KINDS[match.lastgroup or ""], match.group(), begin, end))


def is_significant(token: Token) -> bool:
    """Whether a token means anything to the server: neither white space nor comment."""
    return token.kind is not TokenKind.SPACE and token.kind is not TokenKind.COMMENT


def word_of(token: Token) -> str:
    """Return a word in upper case, as keywords are compared; an empty text for every other token."""
    return token.text.upper() if token.kind is TokenKind.WORD else ""


def nesting(token: Token) -> int:
    """Return 1 for a bracket that opens, -1 for one that closes, else 0."""
    if token.kind is not TokenKind.PUNCTUATION:
        return 0
    return (token.text in "({[") - (token.text in ")}]")


def unquoted(token: Token) -> str:
    """Return the name that a word, a name in backticks or a parameter stands for."""
    text = token.text
    if token.kind is TokenKind.PARAMETER:
        text = re.sub(_PARAMETER_LEAD, "", text, count=1)
    return text[1:-1].replace("``", "`") if text.startswith("`") else text


def unescaped(value: str) -> str:
    """Return what a string means whose text, without its quotes, is ``value``."""
    signs = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
    return re.sub(r"\\(.)", lambda found: signs.get(found[1], found[1]), value, flags=re.DOTALL)


def fingerprint(text: str, parameters: Mapping[str, Any] | None = None) -> str:
    """Return the first 16 hexadecimal digits of SHA-256 over a statement's tokens, and over the values of its parameters.

    It says whether a statement that was committed is still the same in its file; white space and comments do not count.
    """
    joined = "\0".join(token.text for token in tokens(text) if is_significant(token))
    if parameters:
        joined += f"\0:param {json.dumps(parameters, sort_keys=True)}"
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Parameter(Value):
    """A parameter as it is used: its name, without ``$`` and backticks, and where it stands in the text."""

    name: str
    start: int
    end: int


def parameters(text: str) -> tuple[Parameter, ...]:
    """Return every use of a parameter outside quotes and comments, in order, repeated ones too."""
    if "$" not in text and "\\u" not in text:
        return ()
    found = (token for token in tokens(text) if token.kind is TokenKind.PARAMETER)
    return tuple(Parameter(unquoted(token), token.start, token.end) for token in found)


def quote(name: str) -> str:
    r"""Return ``name`` between backticks, its own backticks doubled.

    Raises ProjectError (GM108) for what no server stores well, and for a backslash: the server decodes ``\u0060`` to a
    backtick inside backticks too, and that one ends the name (measured on Neo4j 5.26 and 2026.05).
    """
    wrong = {
        "it is empty": not name,
        "it holds a backslash": "\\" in name,
        "it holds a NUL character": "\0" in name,
    }
    wrong["it holds half a surrogate pair"] = any("\ud800" <= character <= "\udfff" for character in name)
    for reason in (reason for reason, found in wrong.items() if found):
        raise ProjectError(
            f"{name!a} cannot be the name of a label, relationship type or property: {reason}.",
            hint="Use letters, digits, spaces and underscores.",
            code="GM108",
        )
    return f"`{name.replace('`', '``')}`"
