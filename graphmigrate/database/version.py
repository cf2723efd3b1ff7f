"""Versions of migrations: dotted or underscored numbers, compared as numbers."""

from __future__ import annotations

import re

from graphmigrate.errors import ProjectError

VERSION_PATTERN = r"[0-9]+(?:[._][0-9]+)*"
_VERSION = re.compile(rf"[vV]?({VERSION_PATTERN})")
_LONGEST = 200  # characters; a file name has at most 255


class Version(tuple[int, ...]):
    """A version: its numbers without trailing zeros, compared as such; ``text`` is what was written.

    ``1``, ``001`` and ``1.0`` are one and the same, with one hash.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``1.2``, ``1_2`` or ``V1.2``. Raises ProjectError (GM119) for anything else."""
        match = _VERSION.fullmatch(text.strip()) if len(text) <= _LONGEST else None
        if match is None:
            shown = text if len(text) <= _LONGEST else f"{text[:20]}…"
            raise ProjectError(
                f"{shown!r} is not a version.",
                hint="A version is numbers joined by dots or underscores, such as 7, 1.2 or 20260131_1200.",
                code="GM119",
            )
        return cls.written(match.group(1))

    @classmethod
    def written(cls, text: str) -> Version:
        """Take a text that is known to be one, without a V before it."""
        parts = [int(part) for part in text.replace("_", ".").split(".")]
        while len(parts) > 1 and parts[-1] == 0:
            parts.pop()
        version = cls(parts)
        version.text = text
        return version

    @property
    def canonical(self) -> str:
        """The version without leading zeros and trailing zero parts, as ledger keys have it."""
        return ".".join(map(str, self))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"
