"""The kinds of fault by name, and how many points of each are tried: the whole campaign and its sample are the same code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from tests.chaos import network
from tests.chaos.arena import Arena, Tally
from tests.chaos.proxy import Harm


@dataclass
class Sample:
    """At most ``points`` of a kind, as far as ``seconds`` reach, but ``least`` in any case."""

    points: int
    seconds: float
    least: int = 1

    @classmethod
    def for_tests(cls) -> Sample:
        return cls(
            int(os.environ.get("GRAPHMIGRATE_CHAOS_POINTS", "12")),
            float(os.environ.get("GRAPHMIGRATE_CHAOS_SECONDS", "9")),
        )

    def of(self, points: Sequence[int]) -> Iterator[int]:
        """Choose points spread over all of them, coarse ones first, until the time is over."""
        started = monotonic()
        for number, index in enumerate(spread(len(points))):
            if number >= self.points or (number >= self.least and monotonic() - started > self.seconds):
                return
            yield points[index]


def spread(size: int) -> Iterator[int]:
    """Every index below ``size``, in an order of which each beginning is evenly spread (van der Corput)."""
    bits = max(1, (size - 1).bit_length())
    for number in range(1 << bits):
        index = int(f"{number:0{bits}b}"[::-1], 2)
        if index < size:
            yield index


def at_messages(fault: Callable[..., Tally], **how: object) -> Callable[[Arena, Sample], Tally]:
    def run(arena: Arena, sample: Sample) -> Tally:
        return fault(arena, sample.of(range(1, len(arena.messages) + 1)), **how)

    return run


KINDS: dict[str, Callable[[Arena, Sample], Tally]] = {
    "kill": at_messages(network.kill_runner),
    "cut-before": at_messages(network.cut, harm=Harm.CUT_BEFORE, alone=False),
    "cut-after": at_messages(network.cut, harm=Harm.CUT_AFTER, alone=False),
    "cut-one-before": at_messages(network.cut, harm=Harm.CUT_BEFORE, alone=True),
    "cut-one-after": at_messages(network.cut, harm=Harm.CUT_AFTER, alone=True),
}
