"""The lines of a server's log that say why it did not start."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TELLING = re.compile(
    r"\bERROR\b|Caused by|Exception|[Uu]nrecognized|[Ii]nvalid|already in use|OutOfMemory|[Cc]ould not|^Error|Failed to"
)
_STACK = re.compile(r"^\s*(?:at |\.\.\. \d+ more|Suppressed:)")
_LONGEST = 300


def telling_lines(lines: Iterable[str], count: int = 6) -> list[str]:
    """Choose the last lines that name a failure, else the last ones; frames of stack traces are left out."""
    kept = deque((line.strip()[:_LONGEST] for line in lines if line.strip() and not _STACK.match(line)), 200)
    telling = list(dict.fromkeys(line for line in kept if _TELLING.search(line)))
    return (telling or list(kept))[-count:]


def tail(path: Path, count: int) -> list[str]:
    """Give the last lines of a file; none where there is no file."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return list(deque((line.rstrip("\n") for line in file), count))
    except OSError:
        return []
