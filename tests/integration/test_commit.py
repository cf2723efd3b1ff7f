"""The one engine of commits: each step is committed once, whatever becomes of its answer."""

from __future__ import annotations

import threading
from typing import Any

import neo4j
import pytest

from graphmigrate.database.backoff import Backoff
from graphmigrate.database.commit import Step, commit
from graphmigrate.database.connection import Database
from graphmigrate.errors import LockLost
from graphmigrate.settings import Settings
from tests.databases import ask, database_of


def make(tx: neo4j.Transaction) -> None:
    tx.run("CREATE (:X)").consume()


def commit_step(database: Database, number: int, work: Any = make) -> None:
    step = Step("default/seed/a@1", number, {"offset": number}, "the seed 'a'", "Seed")
    commit(database, [step], work, backoff=Backoff(seconds=20, longest=0.1))


class LostAnswers(Database):
    """A database whose commits succeed and lose their answer, as when the network fails just then."""

    losses = 1

    def transaction(self, *arguments: Any, **options: Any) -> Any:
        inner = super().transaction(*arguments, **options)
        outer = self

        class Losing:
            def __enter__(self) -> neo4j.Transaction:
                return inner.__enter__()

            def __exit__(self, *exc: Any) -> Any:
                result = inner.__exit__(*exc)
                if exc[0] is None and outer.losses > 0:
                    outer.losses -= 1
                    raise neo4j.exceptions.ServiceUnavailable("the answer was lost")
                return result

        return Losing()


@pytest.mark.parametrize("number", [1, 2])
def test_a_commit_whose_answer_was_lost_is_found_and_not_repeated(
    ledger_ready: neo4j.Driver, number: int
) -> None:
    plain = database_of(ledger_ready)
    for before in range(1, number):
        commit_step(plain, before)
    database = LostAnswers(ledger_ready, Settings(), run="run-1", host="h", user="u")
    database.name = plain.name
    commit_step(database, number)
    assert database.losses == 0
    assert ask(plain, "MATCH (x:X) RETURN count(x)") == [[number]]


def test_a_step_that_another_run_took_is_lost(ledger_ready: neo4j.Driver) -> None:
    commit_step(database_of(ledger_ready, run="other"), 1)
    mine = database_of(ledger_ready)
    with pytest.raises(LockLost):
        commit_step(mine, 1)
    commit_step(database_of(ledger_ready, run="other"), 2)
    with pytest.raises(LockLost):
        commit_step(mine, 2)
    assert ask(mine, "MATCH (x:X) RETURN count(x)") == [[2]]


@pytest.mark.parametrize("number", [1, 2])
def test_a_step_waits_for_a_commit_that_is_still_landing(ledger_ready: neo4j.Driver, number: int) -> None:
    """The same step, open in another transaction: ours must wait, then see that it is taken."""
    plain = database_of(ledger_ready)
    for before in range(1, number):
        commit_step(plain, before)
    opened, finish = threading.Event(), threading.Event()

    def slow(tx: neo4j.Transaction) -> None:
        tx.run("CREATE (:X)").consume()
        opened.set()
        assert finish.wait(20)

    first = threading.Thread(target=lambda: commit_step(plain, number, slow))
    first.start()
    assert opened.wait(20)
    threading.Timer(1.0, finish.set).start()
    with pytest.raises(LockLost):
        commit_step(database_of(ledger_ready, run="run-2"), number)
    first.join()
    assert ask(plain, "MATCH (x:X) RETURN count(x)") == [[number]]


def test_transient_errors_are_retried(ledger_ready: neo4j.Driver) -> None:
    database = database_of(ledger_ready)
    tries: list[int] = []

    def work(tx: neo4j.Transaction) -> None:
        tx.run("CREATE (:X)").consume()
        tries.append(1)
        if len(tries) < 3:
            error = neo4j.exceptions.TransientError("deadlock")
            raise error

    commit_step(database, 1, work)
    assert len(tries) == 3
    assert ask(database, "MATCH (x:X) RETURN count(x)") == [[1]]
