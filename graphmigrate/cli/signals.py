"""Ctrl-C and SIGTERM: the first ends the run in good order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

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
        signal.signal(each, _second)
    raise Stopped(number)


def _second(number: int, _frame: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, b"\x1b[?25h\n")  # a progress bar may have hidden the cursor
    os._exit(128 + number)


def raise_on_signals() -> dict[signal.Signals, Any]:
    """Install the handlers and give the former ones; does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    # Whoever started us may have asked for a signal to be ignored (nohup, a shell's background job).
    return {
        each: signal.signal(each, _first) for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN
    }


def forget_signals(previous: dict[signal.Signals, Any]) -> None:
    """Put the former handlers back, so that a caller inside a larger program keeps its own."""
    for each, handler in previous.items():
        signal.signal(each, handler)
