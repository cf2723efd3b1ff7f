"""Lines of progress."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate import events
from graphmigrate.cli.render.progress import lasting, passing
from graphmigrate.cli.render.style import clean_lines

# What steers a terminal: escape, bell, C1 control sequences, line ends, changes of direction, half a surrogate pair.
PIECES = [
    "\x1b[2J",
    "\x1b]0;x\x07",
    "\x9b31m",
    "\r",
    "\n",
    "\x85",
    "\u2028",
    "\u202e",
    "\u2066",
    "\udc9b",
    "\x00",
    "\t",
    "\x7f",
    "\U000e0001",
]


HOSTILE = st.lists(st.sampled_from([*PIECES, "a", " ", "`", "\\u001b"]), min_size=1).map("".join)


def assert_harmless(lines: list[str] | str) -> None:
    for line in lines.split("\n") if isinstance(lines, str) else lines:
        assert line.isprintable(), ascii(line)


EVENTS: list[Any] = [
    lambda said: events.Notice(said),
    lambda said: events.LockAwaited(events.Holder(said, said, said, doing=said), 3.0),
    lambda said: events.IndexesAwaited({said: 1.0}),
    lambda said: events.BatchDone(said, 1, 1),
    lambda said: events.MigrationApplied(said, said, 1.0),
    lambda said: events.MigrationRecovered(said, said),
    lambda said: events.MigrationSkipped(said, said, said),
    lambda said: events.SeedProgress(said, 1),
    lambda said: events.SeedLoaded(said, 1.0, 1),
    lambda said: events.SeedSkipped(said, said),
]


@pytest.mark.parametrize("made", EVENTS)
@settings(max_examples=20)
@given(said=HOSTILE)
def test_progress(made: Any, said: str) -> None:
    event = made(said)
    assert_harmless(clean_lines(lasting(event) or passing(event)).split("\n"))
