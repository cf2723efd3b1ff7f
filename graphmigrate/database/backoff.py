"""How long to wait before the next attempt, and when to give up."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RETRIES = 5


@dataclass(slots=True)
class Backoff:
    """Pauses between attempts: each twice as long as the one before, up to ``longest``, shortened at random.

    ``attempts`` and ``seconds`` say when to give up (None: never for that reason). ``sleep`` is for tests.
    """

    first: float = 0.05
    longest: float = 5.0
    attempts: int | None = None
    seconds: float | None = None
    sleep: Callable[[float], object] = time.sleep
    _made: int = field(default=0, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)

    @property
    def waited(self) -> float:
        """How many seconds ago the first attempt began."""
        return time.monotonic() - self._began

    def pause(self) -> bool:
        """Wait before the next attempt; return False, without waiting, where there is to be none."""
        self._made += 1
        if self.attempts is not None and self._made >= self.attempts:
            return False
        if self.seconds is not None and self.waited > self.seconds:
            return False
        longest = min(self.first * 2.0 ** (self._made - 1), self.longest)
        self.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        return True


def retries(number: int | None = None) -> Backoff:
    """Return the pauses of an action that is tried once and then so many times more."""
    return Backoff(attempts=(RETRIES if number is None else number) + 1)
