"""The kinds of fault by name, and how many points of each are tried: the whole campaign and its sample are the same code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from graphmigrate import Migrator
from tests.chaos import crash, disk, late, lost, network, races, refused, signals
from tests.chaos.arena import Arena, Tally
from tests.chaos.corpus import PARTS, SQUASHED, SQUASHED_TO, TAKEN_BACK
from tests.chaos.proxy import RECORD, Harm
from tests.chaos.runners import runners
from tests.conftest import wipe
from tests.projects import write_migrations


@dataclass
class Sample:
    """At most ``points`` of a kind, as far as ``seconds`` reach, but one in any case.

    Of ``parts`` processes that share a campaign, this is number ``part``, counted from 0: it tries every ``parts``-th point.
    The first ``done`` of these it passes over: an earlier campaign tried them.
    """

    points: int
    seconds: float
    nodes: int = 400_000
    part: int = 0
    parts: int = 1
    done: int = 0

    @classmethod
    def for_tests(cls) -> Sample:
        return cls(
            int(os.environ.get("GRAPHMIGRATE_CHAOS_POINTS", "12")),
            float(os.environ.get("GRAPHMIGRATE_CHAOS_SECONDS", "1.5")),
            nodes=int(os.environ.get("GRAPHMIGRATE_CHAOS_NODES", "60000")),
        )

    def first(self, most: int) -> Iterator[int]:
        """1, 2, 3 …, at most ``most``."""
        return self.of(range(1, most + 1))

    def of(self, numbers: Iterable[int]) -> Iterator[int]:
        """Take the points with these numbers in this order, until the time is over."""
        started = monotonic()
        mine = (number for number in numbers if number % self.parts == self.part)
        for tried, number in enumerate(islice(mine, self.done, self.done - (-self.points // self.parts))):
            if tried and monotonic() - started > self.seconds:
                return
            yield number


def spread(size: int) -> Iterator[int]:
    """Every index below ``size``, in an order of which each beginning is evenly spread (van der Corput)."""
    bits = max(1, (size - 1).bit_length())
    for number in range(1 << bits):
        index = int(f"{number:0{bits}b}"[::-1], 2)
        if index < size:
            yield index


def in_parts(fault: Callable[..., Tally], **how: object) -> Callable[[Arena, Sample], Tally]:
    """At each telling message of each of PARTS."""

    def run(arena: Arena, sample: Sample) -> Tally:
        share = replace(sample, points=-(-sample.points // len(PARTS)), seconds=sample.seconds / len(PARTS))
        tallies = []
        for corpus in PARTS.values():
            with project(arena, corpus) as ground:
                tallies.append(at_telling(fault, ground, share, **how))
        return reduce(Tally.plus, tallies)

    return run


@contextmanager
def project(
    arena: Arena,
    corpus: Mapping[str, str],
    prepare: Callable[[Path], None] = lambda folder: None,
    **how: Any,
) -> Iterator[Arena]:
    """Another project on the same server, measured."""
    with TemporaryDirectory(prefix="graphmigrate-chaos-") as name:
        write_migrations(Path(name), **corpus)
        prepare(Path(name))
        ground = Arena(arena.version, arena.uri, arena.driver, arena.runners, Path(name), **how)
        ground.measure()
        yield ground


def at_telling(fault: Callable[..., Tally], ground: Arena, sample: Sample, **how: object) -> Tally:
    """At the messages that are no record after a record of the same answer; the tally says how many these are."""
    points = [k for k in telling_first(ground.messages) if not _follows(ground.messages, k)]
    tally = fault(ground, sample.of(points), **how)
    tally.messages = sum(k % sample.parts == sample.part for k in points)
    return tally


def at_messages(fault: Callable[..., Tally], **how: object) -> Callable[[Arena, Sample], Tally]:
    def run(arena: Arena, sample: Sample) -> Tally:
        return fault(arena, sample.of(telling_first(arena.messages)), **how)

    return run


def telling_first(messages: Sequence[str]) -> list[int]:
    """Number every message from 1 on, spread evenly; a record that follows a record of the same answer comes last.

    The server has done the same before each of those, so they say least where the time does not reach for all.
    """
    numbers = [index + 1 for index in spread(len(messages))]
    return sorted(numbers, key=lambda k: _follows(messages, k))


def _follows(messages: Sequence[str], k: int) -> bool:
    return k > 1 and messages[k - 2] == messages[k - 1] == RECORD


def numbered(fault: Callable[..., Tally], most: int) -> Callable[[Arena, Sample], Tally]:
    """For what has no messages to count: points 1, 2, 3 …, ``most`` of them."""

    def run(arena: Arena, sample: Sample) -> Tally:
        return fault(arena, sample.first(most))

    return run


def in_folder(fault: Callable[..., Tally], most: int) -> Callable[[Arena, Sample], Tally]:
    """The same, with a project of its own."""

    def run(arena: Arena, sample: Sample) -> Tally:
        with TemporaryDirectory(prefix="graphmigrate-chaos-") as folder:
            return fault(arena, sample.first(most), folder=Path(folder))

    return run


def server_killed(arena: Arena, sample: Sample) -> Tally:
    with crash.crashing_server(arena.version) as crashing, arena.moved(crashing.target) as elsewhere:
        return crash.random_moments(elsewhere, crashing, sample.first(20), elsewhere.seconds)


def server_killed_inside(arena: Arena, sample: Sample) -> Tally:
    with roomy(arena) as (crashing, elsewhere, folder):
        return crash.heavy(elsewhere, crashing, sample.first(10), folder, sample.nodes)


def late_commit(arena: Arena, sample: Sample) -> Tally:
    with roomy(arena) as (_, elsewhere, folder):
        return late.late(elsewhere, sample.first(5), folder, sample.nodes)


def going_back(arena: Arena, sample: Sample) -> Tally:
    """Everything applied; the undo of all of it is killed."""

    def begin(ground: Arena) -> None:
        ground.done("migrate")

    return killed_in(arena, sample, "an undo", TAKEN_BACK, command=("undo", "--to", "0"), begin=begin)


def going_again(arena: Arena, sample: Sample) -> Tally:
    """Everything applied and taken back; the run that applies it again is killed."""

    def begin(ground: Arena) -> None:
        ground.done("migrate")
        ground.done("undo", "--to", "0")

    return killed_in(arena, sample, "a run after an undo", TAKEN_BACK, begin=begin)


def squashed(arena: Arena, sample: Sample, *, begun: bool) -> Tally:
    """The first run of a squash: on a new database, or where some of the old files were applied."""
    with TemporaryDirectory(prefix="graphmigrate-chaos-") as name:
        old = Path(name)
        write_migrations(old, **SQUASHED)

        def begin(ground: Arena) -> None:
            if begun:
                ground.done("migrate", "--to", "3", project=old)

        def squash(folder: Path) -> None:
            wipe(arena.driver)
            with (
                Migrator(driver=arena.driver) as scratch,
                Migrator(driver=arena.driver, migrations=folder / "migrations") as ours,
            ):
                ours.squash(SQUASHED_TO, scratch=scratch)

        what = "a squash's first run" + (", begun with the old files" if begun else "")
        return killed_in(arena, sample, what, SQUASHED, prepare=squash, begin=begin)


def killed_in(arena: Arena, sample: Sample, what: str, corpus: Mapping[str, str], **how: Any) -> Tally:
    """kill -9 of another command than the campaign's, or from elsewhere, in a project of its own."""
    with project(arena, corpus, **how) as ground:
        return at_telling(network.kill_runner, ground, sample, what=what)


@contextmanager
def roomy(arena: Arena) -> Iterator[tuple[crash.Crashing, Arena, Path]]:
    """A server with memory for large transactions, and an empty folder."""
    with (
        crash.crashing_server(arena.version) as crashing,
        crashing.target.driver() as driver,
        runners(crashing.target.env) as warm,
        TemporaryDirectory(prefix="graphmigrate-chaos-") as name,
    ):
        yield crashing, Arena(arena.version, crashing.target.uri, driver, warm, Path(name)), Path(name)


KINDS: dict[str, Callable[[Arena, Sample], Tally]] = {
    "kill": in_parts(network.kill_runner),
    "cut-before": in_parts(network.cut, harm=Harm.CUT_BEFORE, alone=False),
    "cut-after": in_parts(network.cut, harm=Harm.CUT_AFTER, alone=False),
    "cut-one-before": at_messages(network.cut, harm=Harm.CUT_BEFORE, alone=True),
    "cut-one-after": at_messages(network.cut, harm=Harm.CUT_AFTER, alone=True),
    "server": server_killed,
    "server-inside": server_killed_inside,
    "races": numbered(races.races, 20),
    "stopped": at_messages(lost.stopped),
    "frozen": at_messages(lost.cut_off),
    "late": late_commit,
    "refused": numbered(refused.refused, len(refused.IN_THE_WAY)),
    "erasing": in_folder(refused.erasing, len(refused.ERASING)),
    "signals": at_messages(signals.signals),
    "undo": going_back,
    "again": going_again,
    "squash": partial(squashed, begun=False),
    "squash-begun": partial(squashed, begun=True),
} | ({"full-disk": numbered(disk.full, 6)} if disk.can_mount() else {})
