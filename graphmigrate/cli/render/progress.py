"""Progress on standard error: bars on a terminal, plain lines elsewhere, nothing with ``--quiet``."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphmigrate import events
from graphmigrate.cli.render.style import clean, count, duration, is_terminal
from graphmigrate.results import titled, version_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.cli.output import Output

PLAIN_INTERVAL = 5.0


@contextmanager
def progress(cli: Output) -> Iterator[events.Listener]:
    """Yield a listener that shows a run's events while the block lasts; where they are logged, they are shown already."""
    if cli.log_format:
        yield lambda event: cli.told.add(event.problem) if isinstance(event, events.Warned) else None
        return
    live = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb" and not cli.quiet
    shown: Plain = Live(cli) if live else Plain(cli)
    try:
        yield shown.listen
    finally:
        shown.close()


class Plain:
    """One line an event; those that come often are told every few seconds."""

    def __init__(self, cli: Output) -> None:
        self.cli = cli
        self._last: dict[str, float] = {}

    def close(self) -> None:
        """End the display."""

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self.cli.say(text)

    def listen(self, event: events.Event) -> None:
        """Show an event."""
        if isinstance(event, events.Warned):
            self.warn(event)
        elif isinstance(
            event,
            (
                events.CheckStarted,
                events.LockAwaited,
                events.IndexesAwaited,
                events.BatchDone,
                events.SeedProgress,
            ),
        ):
            self.often(event)
        elif isinstance(event, (events.RunStarted, events.MigrationStarted, events.SeedStarted)):
            self.begun(event)
        else:
            text = lasting(event)
            if text:
                self.line(text)
            self.ended(event)

    def warn(self, event: events.Warned) -> None:
        """Show a finding."""
        self.cli.warn(event.problem)

    def often(self, event: events.Event) -> None:
        """Show an event that comes again and again."""
        name, now = type(event).__name__, time.monotonic()
        if now - self._last.get(name, -PLAIN_INTERVAL) >= PLAIN_INTERVAL:
            self._last[name] = now
            self.line(passing(event))

    def begun(self, event: events.Event) -> None:
        """Take note that something begins: alone it is not worth a line."""

    def ended(self, event: events.Event) -> None:
        """Take note that something ended."""


class Live(Plain):
    """A bar under the lines; rich is imported only once there is something to show."""

    def __init__(self, cli: Output) -> None:
        super().__init__(cli)
        self._progress: Any = None
        self._task: Any = None

    def close(self) -> None:
        """Take the bar away."""
        if self._progress:
            self._progress.stop()
            self._progress = None

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        if self._progress:
            self._progress.console.print(self.cli.mask(text), markup=False, highlight=False, soft_wrap=True)
        else:
            super().line(text)

    def warn(self, event: events.Warned) -> None:
        """Show a finding above the bar."""
        self.close()
        super().warn(event)

    def often(self, event: events.Event) -> None:
        """Show it beside the bar."""
        update: dict[str, Any] = {"description": passing(event)}
        if isinstance(event, events.SeedProgress):
            update |= {"completed": event.rows, "total": event.total_rows}
        self._show(**update)

    def begun(self, event: events.Event) -> None:
        """Set the bar up for what begins."""
        if isinstance(event, events.RunStarted):
            if event.migrations:
                self._show(description="Migrating", completed=0, total=event.migrations)
        elif isinstance(event, events.MigrationStarted):
            text = titled(event.version, event.description)
            self._show(description=text, completed=event.number - 1, total=event.total)
        elif isinstance(event, events.SeedStarted):
            self._show(description=f"Seed {event.name}", completed=0, total=None)

    def ended(self, event: events.Event) -> None:
        """Advance the bar."""
        if self._progress and isinstance(event, (events.MigrationApplied, events.MigrationUndone)):
            self._progress.advance(self._task)

    def _show(self, **update: Any) -> None:
        if self._progress is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
            from rich.progress import TimeElapsedColumn as Elapsed

            columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn()
            self._progress = Progress(
                *columns, MofNCompleteColumn(), Elapsed(), console=Console(stderr=True), transient=True
            )
            self._progress.start()
            self._task = self._progress.add_task("", total=None)
        update["description"] = self.cli.mask(clean(update["description"]))
        self._progress.update(self._task, **update)


def passing(event: events.Event) -> str:
    """Say what is being waited for or worked on."""
    if isinstance(event, events.CheckStarted):
        return f"Checking {count(event.statements, 'statement')} …"
    if isinstance(event, events.LockAwaited):
        return _lock(event)
    if isinstance(event, events.IndexesAwaited):
        parts = [f"{clean(name)} {percent:.0f}%" for name, percent in sorted(event.progress.items())]
        return f"Waiting for indexes: {', '.join(parts)}"
    if isinstance(event, events.BatchDone):
        return f"{version_name(event.version)}: {event.batches} batches, {event.changes:,} changes"
    if isinstance(event, events.SeedProgress):
        total = f" of {event.total_rows:,}" if event.total_rows else ""
        rate = f", {event.rate:,.0f} rows/s" if event.rate else ""
        left = f", about {duration(event.left)} left" if event.left else ""
        return f"Seed {event.name}: {event.rows:,}{total} rows{rate}{left}"
    return ""


def _lock(event: events.LockAwaited) -> str:
    waited = f" ({duration(event.waited)} so far)" if event.waited >= 1 else ""
    holder = event.holder
    if holder is None:
        return f"Waiting for the lock{waited}: the server is slow, or hides from this user who holds it."
    since = f" since {holder.since:%H:%M:%S}" if holder.since else ""
    doing = f", now at {holder.doing}" if holder.doing else ""
    return clean(f"Waiting for the run of {holder.user} on {holder.host}{since}{doing}{waited}.")


def lasting(event: events.Event) -> str | None:
    """Say what has happened."""
    text: str | None = None
    if isinstance(event, events.Notice):
        text = event.text
    elif isinstance(event, events.MigrationApplied):
        text = f"  applied {titled(event.version, event.description)} ({duration(event.seconds)})"
    elif isinstance(event, events.MigrationUndone):
        text = f"  undone {titled(event.version, event.description)} ({duration(event.seconds)})"
    elif isinstance(event, events.MigrationRecovered):
        text = f"  recovered {titled(event.version, event.description)}: an interrupted run had committed it"
    elif isinstance(event, events.MigrationSkipped):
        text = f"  skipped {titled(event.version, event.description)}: {event.reason}"
    elif isinstance(event, events.SeedLoaded):
        text = f"  loaded {event.name}: {event.rows:,} rows ({duration(event.seconds)})"
    elif isinstance(event, events.SeedSkipped):
        text = f"  skipped {event.name}: {event.reason}"
    return None if text is None else clean(text)
