r"""Decode ``\uXXXX``, which Cypher does before it reads tokens (Cypher Manual, "Parsing").

As measured on Neo4j 5.26 and 2026.05: the decoding is everywhere, so ``\u0027`` opens a string, ``\u003b``
ends a statement and ``\u000a`` ends a ``//`` comment; a pair of backslashes is passed over whole, so
``\\u0027`` is not an escape but ``\\\u0027`` is; there is one ``u``, in lower case, and exactly four digits;
what was decoded is not decoded again; and a ``\u`` without its digits is a syntax error, in comments too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

_ESCAPE = re.compile(
    r"\\(?:\\|u(?:([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|([0-9a-fA-F]{4}))?)"
)
_LONE_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class Decoded:
    r"""Text with its Unicode escapes decoded, and the way back to where each character stood.

    ``invalid`` holds the source offsets of every ``\u`` that the server would refuse.
    """

    text: str
    invalid: tuple[int, ...] = ()
    _ends: tuple[int, ...] = ()
    _shifts: tuple[int, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there was anything to decode."""
        return bool(self._ends)

    def source_offset(self, offset: int) -> int:
        """Translate an offset in ``text`` to the offset in the source where that character begins."""
        index = bisect_right(self._ends, offset)
        return offset + self._shifts[index - 1] if index else offset


def decode(source: str) -> Decoded:
    """Decode every Unicode escape of ``source``; costs one search where there is none."""
    if "\\u" not in source:
        return Decoded(source)
    parts: list[str] = []
    invalid: list[int] = []
    ends: list[int] = []
    shifts: list[int] = []
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
