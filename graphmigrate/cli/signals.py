"""Ctrl-C and SIGTERM: the first ends the run in good order, the second at once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# The driver rolls back politely, behind a statement that may wait for a lock for hours. What takes longer than GRACE
# seconds is interrupted again and again: the server rolls back where the connection is gone.
GRACE = 2.0
AGAIN = 0.25
_HAS_TIMER = hasattr(signal, "setitimer")  # Windows has none: there the second signal ends the process


class Stopped(KeyboardInterrupt):
    """A signal ended the run; as a KeyboardInterrupt no ``except Exception`` on its way swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _first(number: int, _frame: FrameType | None) -> None:
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _second)

    def insist(_number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    if _HAS_TIMER:
        signal.signal(signal.SIGALRM, insist)
        signal.setitimer(signal.ITIMER_REAL, GRACE, AGAIN)
    raise Stopped(number)


def calm() -> None:
    """Stop insisting: everything is closed."""
    if _HAS_TIMER:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _second(number: int, _frame: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, b"\x1b[?25h\n")  # a progress bar may have hidden the cursor
    os._exit(128 + number)  # a container's first process does not die of a signal's default action


def raise_on_signals() -> None:
    """Install the handlers, but leave signals ignored that were ignored at the start (nohup, a shell's ``&``)."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _first)
