from __future__ import annotations

import pytest

from graphmigrate.database.backoff import RETRIES, Backoff, retries


def test_each_pause_is_twice_as_long_up_to_the_longest_and_shortened_at_random() -> None:
    pauses: list[float] = []
    backoff = Backoff(first=1.0, longest=4.0, attempts=6, sleep=pauses.append)
    while backoff.pause():
        pass
    assert len(pauses) == 5
    for pause, most in zip(pauses, [1, 2, 4, 4, 4], strict=True):
        assert most / 2 <= pause <= most


def test_it_gives_up_after_the_time() -> None:
    assert not Backoff(seconds=-1, sleep=pytest.fail).pause()


@pytest.mark.parametrize(("number", "pauses"), [(None, RETRIES), (0, 0), (2, 2)])
def test_an_action_is_tried_once_and_then_so_many_times_more(number: int | None, pauses: int) -> None:
    backoff = retries(number)
    backoff.sleep = lambda _: None
    assert [backoff.pause() for _ in range(pauses + 1)] == [True] * pauses + [False]
