"""Put values in the place of ``${name}``: the token that holds a placeholder decides how its value is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import TokenKind, decode, sections
from graphmigrate.cypher.model import Edit, edit_text, place_at, source_offset
from graphmigrate.errors import Problem, Severity, closest

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\$\{(?:nm:)?(\w+)\}")
_AFTER_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u[0-9a-fA-F]{0,3})?$")
_IN_STRING = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_NAME = r"[^\W\d]\w*"


class Filled(NamedTuple):
    """A text with the values in place, and the way back to the file."""

    text: str
    edits: tuple[Edit, ...] = ()
    problems: tuple[Problem, ...] = ()

    def source_offset(self, offset: int) -> int:
        """Return where in the file stands what is at ``offset`` of the text."""
        return source_offset(self.edits, offset)


def fill(source: str, file: str, values: Mapping[str, str | None]) -> Filled:
    """Replace the listed placeholders outside of comments; ``values`` is empty where none are used.

    A listed name without a value, and a value that cannot stand where its placeholder does, are errors (GM129, GM108).
    """
    if not values or "${" not in source:
        return Filled(source)
    replaced: list[tuple[int, int, str]] = []
    problems: list[Problem] = []
    for section in sections(decode(source)):
        if section.kind is TokenKind.COMMENT or "${" not in section.text:
            continue
        for found in _PLACEHOLDER.finditer(source, section.start, section.end):
            written = _written(source, found, section.kind, values)
            if isinstance(written, str):
                replaced.append((found.start(), found.end(), written))
            else:
                code, message, hint, severity = written
                problems.append(Problem(code, message, hint, place_at(file, source, found.start()), severity))
    return Filled(*edit_text(source, replaced), tuple(problems))


def _written(
    source: str, found: re.Match[str], kind: TokenKind, values: Mapping[str, str | None]
) -> str | tuple[str, str, str, Severity]:
    """Return what stands in a placeholder's place, or what is wrong with it."""
    name, shown = found[1], found[0]
    if name not in values:
        near = closest(name, values)
        hint = f"Did you mean ${{{near}}}?" if near else "Where it is meant as one, list it there."
        return (
            "GM129",
            f"{shown} is not listed under placeholders: it stays as it is.",
            hint,
            Severity.WARNING,
        )
    value = values[name]
    if value is None:
        hint = f"Give it with --set {name}=VALUE, GRAPHMIGRATE_SET_{name.upper()} or in [placeholders]."
        return "GM129", f"The placeholder {shown} has no value.", hint, Severity.ERROR
    if _AFTER_ESCAPE.search(source, max(0, found.start() - 100), found.start()):
        hint = "Write the backslash twice where it is meant as such."
        return "GM108", f"A backslash stands before {shown}.", hint, Severity.ERROR
    if kind is TokenKind.STRING:
        return value.translate(_IN_STRING)
    if kind is TokenKind.NAME:
        wanted = "a text without a backslash" if "\\" in value or not value else ""
        written = value.replace("`", "``")
    else:
        wanted, written = _unfit(source, found, value), value
    if wanted:
        hint = f"Give {name} such a value, or write it in quotes or backticks where that is meant."
        return "GM108", f"The value of {shown} must be {wanted} here.", hint, Severity.ERROR
    return written


def _unfit(source: str, found: re.Match[str], value: str) -> str:
    """Say what a value must be to stand bare, where it is not: one token together with what stands beside it."""
    before, after = source[: found.start()][-1:], source[found.end() :][:1]
    if re.match(r"[\w}]", before) or re.match(r"[\w$]", after):
        pattern = r"\w+" if re.match(r"[\w}]", before) else _NAME
        return "" if re.fullmatch(pattern, value) else "a part of an identifier (letters, digits, _)"
    return "" if re.fullmatch(f"{_NUMBER}|{_NAME}", value) else "an identifier or a number"
