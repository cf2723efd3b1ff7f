"""What a run tells, through ``logging``: every event is also a record of a logger under ``graphmigrate``.

Nothing is printed unless the program sets logging up. A record's ``event`` is the typed event itself.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from graphmigrate import events
from graphmigrate.errors import Place, Problem
from graphmigrate.value import Value

# A library prints nothing of its own (Python's Logging HOWTO, "Configuring Logging for a Library").
logging.getLogger("graphmigrate").addHandler(logging.NullHandler())
_MIGRATE = logging.getLogger("graphmigrate.migrate")
_SEED = logging.getLogger("graphmigrate.seed")
_OFTEN = {"BatchDone", "IndexesAwaited", "SeedProgress"}


def logged(listen: events.Listener | None) -> events.Listener:
    """Return a listener that logs each event and passes it on."""

    def both(event: events.Event) -> None:
        log(event)
        if listen is not None:
            listen(event)

    return both


def log(event: events.Event) -> None:
    """Log an event: often repeated ones as DEBUG, findings as WARNING, all else as INFO."""
    name = type(event).__name__
    logger = _SEED if name.startswith("Seed") else _MIGRATE
    if isinstance(event, events.Warned):
        logger.warning("%s", event.problem, extra={"event": event})
        return
    level = logging.DEBUG if name in _OFTEN else logging.INFO
    if logger.isEnabledFor(level):
        said = " ".join(f"{name}={getattr(event, name)!r}" for name in event._fields)
        logger.log(level, "%s %s", name, said, extra={"event": event})


class JsonFormatter(logging.Formatter):
    """One JSON object a record: ``time``, ``level``, ``logger``, ``message``; the event's name and fields where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return printable(json.dumps(self.values(record), ensure_ascii=False, default=str))

    def values(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what the line holds."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        event = getattr(record, "event", None)
        if event is not None:
            line |= {"event": type(event).__name__, **_plain(event)}
        problem = getattr(record, "problem", None)
        if problem is not None:
            line |= _plain(problem)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return line


def printable(text: str) -> str:
    """Escape in a JSON text what steers a terminal: C1 controls, changes of direction; and half a surrogate pair."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character > "\x7f" else f"\\u{ord(character):04x}"


def _plain(value: Any) -> Any:
    if isinstance(value, Problem):
        parts = {"code": value.code, "hint": value.hint, "place": _plain(value.place)}
        return {name: each for name, each in parts.items() if each is not None}
    if isinstance(value, Place):
        return str(value)
    if isinstance(value, Value):
        return {name: _plain(getattr(value, name)) for name in value._fields}
    return value
