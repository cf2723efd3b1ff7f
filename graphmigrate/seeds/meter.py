"""How fast a load is, and how long it will take: what is told while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from graphmigrate.events import SeedProgress
from graphmigrate.seeds.program import Rows

if TYPE_CHECKING:
    from graphmigrate.seeds.program import Program

_FIRST = 1.0


class Meter:
    """Makes the progress events of one load; ``before`` are rows that a former run committed."""

    def __init__(self, name: str, program: Program, before: int) -> None:
        self._name = name
        self._program = program
        self._before = before
        self._begun = time.monotonic()
        self._about: int | None = None
        self._counted = False

    def progress(self, rows: int) -> SeedProgress:
        """Tell of so many rows committed in all."""
        seconds = time.monotonic() - self._begun
        rate = max(rows - self._before, 0) / seconds if seconds else 0.0
        total = self._program.total_rows
        expected = total if total is not None or seconds < _FIRST else self._estimate()
        left = max(expected - rows, 0) / rate if expected and rate else None
        return SeedProgress(self._name, rows, total, rate, left)

    def _estimate(self) -> int | None:
        """Ask the sources about how many rows they have: files are read once for it, so only in a long load."""
        if not self._counted:
            self._counted = True
            found = [part.source.about() for part in self._program.parts if isinstance(part, Rows)]
            known = [each for each in found if each is not None]
            self._about = sum(known) if len(known) == len(found) else None
        return self._about
