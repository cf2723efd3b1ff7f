"""Progress shown when there is any: what shows it is imported with the first event, and most commands have none."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.cli.context import CliContext
    from graphmigrate.events import Event, Listener


@contextmanager
def shown(cli: CliContext) -> Iterator[Listener]:
    """Give a listener that shows a run's events while the block lasts."""
    with ExitStack() as stack:
        listeners: list[Listener] = []

        def listen(event: Event) -> None:
            if not listeners:
                from graphmigrate.cli.render.progress import progress

                listeners.append(stack.enter_context(progress(cli)))
            listeners[0](event)

        yield listen
