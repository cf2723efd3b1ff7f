"""What a run tells while it works: a listener gets these and may show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from graphmigrate.value import Value

if TYPE_CHECKING:
    from datetime import datetime

    from graphmigrate.errors import Problem


class Event(Value):
    """The root of all events."""


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""


class Notice(Event):
    """A sentence a person should see."""

    text: str


class Warned(Event):
    """A finding that does not stop the run."""

    problem: Problem


class Holder(Value):
    """Who holds the lock: read from the metadata of its open transaction."""

    run: str
    host: str
    user: str
    since: datetime | None = None
    doing: str | None = None


class LockAwaited(Event):
    """The lock is waited for; told again while the wait lasts. ``waited`` is in seconds.

    ``holder`` is None where it cannot be seen: without the right to, or where the server is slow.
    """

    holder: Holder | None
    waited: float


class CheckStarted(Event):
    """The server is asked whether it would accept the pending ``statements``, before anything runs."""

    statements: int


class RunStarted(Event):
    """The lock is held and something will be done: ``migrations`` of them."""

    migrations: int


class MigrationStarted(Event):
    """A migration begins; ``number`` of ``total`` in this run; ``segment`` is where it begins or resumes (1-based)."""

    version: str
    description: str
    number: int
    total: int
    segment: int = 1


class IndexesAwaited(Event):
    """Indexes still populate: name to percentage."""

    progress: dict[str, float]


class BatchDone(Event):
    """One batch of a batched migration was committed."""

    version: str
    batches: int
    changes: int


class MigrationApplied(Event):
    """A migration is wholly committed. ``seconds`` is this run's share."""

    version: str
    description: str
    seconds: float


class MigrationUndone(Event):
    """A migration is wholly taken back. ``seconds`` is this run's share."""

    version: str
    description: str
    seconds: float


class MigrationRecovered(Event):
    """A former run died after committing this; its history was completed, nothing ran again."""

    version: str
    description: str


class MigrationSkipped(Event):
    """An ``assume`` did not hold; the migration is looked at again by the next run."""

    version: str
    description: str
    reason: str


class SeedStarted(Event):
    """A seed begins to load; ``number`` of ``total`` in this run."""

    name: str
    number: int
    total: int


class SeedProgress(Event):
    """Rows committed so far, and how many there are where that is known.

    ``rate`` is in rows a second; ``left`` are about the seconds it will still take, where that can be said.
    """

    name: str
    rows: int
    total_rows: int | None = None
    rate: float = 0.0
    left: float | None = None


class SeedLoaded(Event):
    """A seed is wholly committed."""

    name: str
    seconds: float
    rows: int
    changes: dict[str, int]


class SeedSkipped(Event):
    """A seed was not loaded, and why (unchanged since it was loaded, other profile …)."""

    name: str
    reason: str
