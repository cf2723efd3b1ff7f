"""A Ctrl-C gets through, whatever the driver makes of it."""

from __future__ import annotations

import pytest

from graphmigrate.database.connection import _Interruptible


def broken(error: Exception) -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise error


def test_an_error_of_the_drivers_buffers_is_the_interruption_behind_it() -> None:
    with pytest.raises(KeyboardInterrupt), _Interruptible():
        broken(BufferError("Existing exports of data: object cannot be re-sized"))


@pytest.mark.parametrize("error", [BufferError("alone"), ValueError("a row")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), _Interruptible():
        raise error


def test_what_is_raised_while_an_interruption_is_handled_is_not_swallowed() -> None:
    with pytest.raises(ValueError, match="mine"), _Interruptible():
        broken(ValueError("mine"))
