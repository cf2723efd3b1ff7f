"""Ctrl-C and SIGTERM: the first ends the run in good order, the second at once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A signal ended the run; as a KeyboardInterrupt no ``except Exception`` on its way swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _first(number: int, _frame: FrameType | None) -> None:
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _second)
    raise Stopped(number)


def _second(number: int, _frame: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, b"\x1b[?25h\n")  # a progress bar may have hidden the cursor
    os._exit(128 + number)


def raise_on_signals() -> None:
    """Install the handlers, but for signals that whoever started us wants ignored (nohup, a shell's ``&``)."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _first)
