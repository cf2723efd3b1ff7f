"""Versions of migrations: dotted or underscored numbers, compared as numbers."""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING

from graphmigrate.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION_PATTERN = r"[0-9]+(?:[._][0-9]+)*"
_VERSION = re.compile(rf"[vV]?({VERSION_PATTERN})")
_NAMED = re.compile(r"R__[\w.-]+")
_LONGEST = 200  # characters; a file name has at most 255
ORDER: ContextVar[str] = ContextVar("version_order", default="semantic")
"""How versions that are read from here on are compared: ``semantic`` or ``lexicographic`` (the setting ``version_order``)."""
_AFTER_ALL: int = 10 ** (_LONGEST + 1)


class Version(tuple[int, ...]):
    """A version: its numbers without trailing zeros, compared as such; ``text`` is what was written.

    ``1``, ``001`` and ``1.0`` are one and the same, with one hash. A repeatable migration without a version has its name in
    place of one, ``R__views``: such names come after all versions, in order.

    >>> Version.parse("1.0") == Version.parse("001") < Version.parse("V1.2") < Version.parse("10")
    True
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``1.2``, ``1_2``, ``V1.2`` or ``R__name``. Raises ProjectError (GM119) for anything else."""
        if _NAMED.fullmatch(text):
            return cls.named(text)
        match = _VERSION.fullmatch(text.strip()) if len(text) <= _LONGEST else None
        if match is None:
            shown = text if len(text) <= _LONGEST else f"{text[:20]}…"
            raise ProjectError(
                f"{shown!r} is not a version.",
                hint="A version is numbers joined by dots or underscores, such as 7, 1.2 or 20260131_1200; "
                "a repeatable migration has its name: R__views.",
                code="GM119",
            )
        return cls.written(match.group(1))

    @classmethod
    def written(cls, text: str) -> Version:
        """Take a text that is known to be one, without a V before it."""
        return _written(text, ORDER.get())

    @classmethod
    def named(cls, name: str) -> Version:
        """Take the name of a repeatable migration."""
        return _named(cls, (_AFTER_ALL, *map(ord, name)), name)

    @property
    def is_named(self) -> bool:
        """Whether it is a name in place of a version."""
        return self[0] == _AFTER_ALL

    @property
    def name(self) -> str:
        """How messages call it: ``V1.2`` or ``R__views``."""
        return self.text if self.is_named else f"V{self.text}"

    @property
    def canonical(self) -> str:
        """The version without leading zeros and trailing zero parts, or the name, as ledger keys have it."""
        return self.text if self.is_named else ".".join(map(str, self))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"


class _Lexicographic(Version):
    """A version that is compared as text, and still is one with those of the same numbers."""

    @property
    def canonical(self) -> str:
        """The version as ledger keys have it."""
        return re.sub(r"(?:\.0+)+$", "", re.sub(r"(^|\.)0+(?=\d)", r"\1", "".join(map(chr, self))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.canonical == other.canonical

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.canonical)


@lru_cache(maxsize=32_768)  # each stands in a file's name, in its node and in the key of that
def _written(text: str, order: str) -> Version:
    if order == "lexicographic":
        return _named(_Lexicographic, map(ord, text.replace("_", ".")), text)
    parts = [int(part) for part in text.replace("_", ".").split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return _named(Version, parts, text)


def _named(kind: type[Version], parts: Iterable[int], text: str) -> Version:
    version = kind(parts)
    version.text = text
    return version
