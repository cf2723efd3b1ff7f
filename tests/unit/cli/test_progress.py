"""Lines of progress."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from graphmigrate import events
from graphmigrate.cli.render.progress import lasting, passing
from graphmigrate.cli.render.style import clean_lines
from tests.hostile import HOSTILE, assert_harmless

EVENTS: list[Any] = [
    lambda said: events.Notice(said),
    lambda said: events.LockAwaited(events.Holder(said, said, said, doing=said), 3.0),
    lambda said: events.IndexesAwaited({said: 1.0}),
    lambda said: events.BatchDone(said, 1, 1),
    lambda said: events.MigrationApplied(said, said, 1.0),
    lambda said: events.MigrationRecovered(said, said),
    lambda said: events.MigrationSkipped(said, said, said),
    lambda said: events.SeedProgress(said, 1),
    lambda said: events.SeedLoaded(said, 1.0, 1, {}),
    lambda said: events.SeedSkipped(said, said),
]


@pytest.mark.parametrize("made", EVENTS)
@settings(max_examples=20)
@given(said=HOSTILE)
def test_progress(made: Any, said: str) -> None:
    event = made(said)
    assert_harmless(clean_lines(lasting(event) or passing(event)).split("\n"))
