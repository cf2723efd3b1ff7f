"""Where a point of the campaign happens: one server, the corpus, the undisturbed end, and what counts as equal to it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo4j

from tests.chaos.corpus import BEFORE, CORPUS, DOUBLED, HALF
from tests.chaos.proxy import proxy
from tests.chaos.runners import Runners, runners
from tests.conftest import wipe
from tests.projects import dump, rows, write_migrations

CLEAR_ENDS = {0, 3, 4, 5}


@dataclass
class Tally:
    """One kind of fault: how many points were tried and what came of them; ``messages``: how many there are to try."""

    fault: str
    points: int = 0
    messages: int = 0
    by_itself: int = 0
    by_rerun: int = 0
    doubles: int = 0
    stuck: int = 0
    unequal: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return self.points > 0 and not self.notes

    def wrong(self, note: str) -> None:
        self.notes.append(note)

    def plus(self, other: Tally) -> Tally:
        """The same kind of fault, tried by two processes."""
        mine, theirs = vars(self), vars(other)
        return Tally(self.fault, **{name: mine[name] + theirs[name] for name in mine if name != "fault"})


@dataclass
class Arena:
    """``end`` is the state after a run that nothing disturbed; ``messages`` are those that it exchanged in ``seconds``.

    The run is ``command``, from where ``begin`` leads.
    """

    version: str
    uri: str
    driver: neo4j.Driver
    runners: Runners
    project: Path
    end: dict[str, Any] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    seconds: float = 0.0
    command: tuple[str, ...] = ("migrate",)
    begin: Callable[[Arena], None] = lambda arena: None

    def reset(self, *, half: bool = False) -> None:
        """The database as it was before the first migration, or after half of them."""
        wipe(self.driver)
        for statement in BEFORE:
            self.driver.execute_query(statement)
        self.begin(self)
        if half:
            self.done("migrate", "--to", HALF)

    def done(self, *args: str, project: Path | None = None) -> None:
        """Run a command that nothing disturbs."""
        code, output = self.runners.finish(project or self.project, self.uri, *args)
        assert code == 0, output

    def measure(self) -> None:
        """Run once undisturbed; remember the end and the messages."""
        self.reset()
        started = time.monotonic()
        with proxy(self.uri) as counting:
            code, output = self.runners.finish(self.project, counting.uri, *self.command)
            assert code == 0, output
            self.messages = counting.log
        self.seconds = time.monotonic() - started
        self.end = dump(self.driver)
        assert rows(self.driver, DOUBLED) == []

    @contextlib.contextmanager
    def moved(self, target: Any) -> Iterator[Arena]:
        """The same project on another server."""
        with runners(target.env) as warm, arena(target, self.project, warm) as made:
            yield made

    def differences(self) -> list[str]:
        """How the database differs from the undisturbed end."""
        found = dump(self.driver)
        return [
            f"{part}: {sorted(set(found[part]) ^ set(wanted))[:4] or 'other numbers of the same'}"
            for part, wanted in self.end.items()
            if found[part] != wanted
        ]

    def judge(self, tally: Tally, where: str, code: int | None, output: str) -> None:
        """Count one point: ``code`` is how the disturbed run ended (None: killed). Run again, then compare."""
        tally.points += 1
        if code is not None and (
            code not in CLEAR_ENDS or "Traceback" in output or "Internal error" in output
        ):
            tally.wrong(f"{where}: unclear end {code}: {output[-500:]}")
        already = code == 0 and not self.differences()
        again, said = self.runners.finish(self.project, self.uri, *self.command)
        doubled = rows(self.driver, DOUBLED)
        if doubled:
            tally.doubles += 1
            tally.wrong(f"{where}: twice: {doubled}")
        if again != 0:
            tally.stuck += 1
            tally.wrong(f"{where}: the rerun ended with {again}: {said[-800:]}")
        elif differences := self.differences():
            tally.unequal += 1
            tally.wrong(f"{where}: not equal: {differences}")
        elif already:
            tally.by_itself += 1
        else:
            tally.by_rerun += 1


@contextlib.contextmanager
def arena(target: Any, folder: Path, warm: Runners, corpus: Mapping[str, str] = CORPUS) -> Iterator[Arena]:
    """The corpus on disk and a measured, undisturbed end."""
    write_migrations(folder, **corpus)
    with target.driver() as driver:
        made = Arena(target.version, target.uri, driver, warm, folder)
        made.measure()
        yield made
