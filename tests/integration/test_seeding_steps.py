"""The steps of a load in the ledger: each is committed once, whatever becomes of its answer."""

from __future__ import annotations

from typing import Any

import neo4j
import pytest

from graphmigrate.database.connection import Database
from graphmigrate.errors import LockLost
from graphmigrate.seeds.history import LOADING
from graphmigrate.seeds.ledger import SeedLedger, Step
from graphmigrate.settings import Settings
from tests.databases import ask, database_of


def step_of(number: int, key: str = "default/seed/a@1") -> Step:
    values = {"state": LOADING, "part": 0, "offset": number, "rows": number}
    first = {"checksum": "c", "variables": "{}"} if number == 1 else None
    return Step(key, "a", number, values, first)


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
        SeedLedger(plain).commit(step_of(before), lambda tx: tx.run("CREATE (:X)").consume())
    database = LostAnswers(ledger_ready, Settings(), run="run-1", host="h", user="u")
    SeedLedger(database).commit(step_of(number), lambda tx: tx.run("CREATE (:X)").consume())
    assert database.losses == 0
    assert ask(plain, "MATCH (x:X) RETURN count(x)") == [[number]]


def test_a_step_that_another_run_took_is_lost(ledger_ready: neo4j.Driver) -> None:
    SeedLedger(database_of(ledger_ready, run="other")).commit(
        step_of(1), lambda tx: tx.run("CREATE (:X)").consume()
    )
    mine = SeedLedger(database_of(ledger_ready))
    with pytest.raises(LockLost):
        mine.commit(step_of(1), lambda tx: tx.run("CREATE (:X)").consume())
    SeedLedger(database_of(ledger_ready, run="other")).commit(
        step_of(2), lambda tx: tx.run("CREATE (:X)").consume()
    )
    with pytest.raises(LockLost):
        mine.commit(step_of(2), lambda tx: tx.run("CREATE (:X)").consume())
    assert ask(mine.database, "MATCH (x:X) RETURN count(x)") == [[2]]


def test_a_run_that_no_longer_owns_the_ledger_commits_nothing(ledger_ready: neo4j.Driver) -> None:
    database = database_of(ledger_ready)
    database.driver.execute_query("CREATE (:__GraphMigrate {key: 'default/ledger', run: 'another'})")
    with pytest.raises(LockLost):
        SeedLedger(database).commit(step_of(1), lambda tx: tx.run("CREATE (:X)").consume())
    assert ask(database, "MATCH (x:X) RETURN count(x)") == [[0]]


@pytest.mark.depends_on_version
@pytest.mark.parametrize("number", [1, 2])
def test_a_step_waits_for_a_commit_that_is_still_landing(ledger_ready: neo4j.Driver, number: int) -> None:
    """The same step, open in another transaction: ours must wait, then see that it is taken."""
    import threading

    plain = database_of(ledger_ready)
    for before in range(1, number):
        SeedLedger(plain).commit(step_of(before), lambda tx: tx.run("CREATE (:X)").consume())
    opened, finish = threading.Event(), threading.Event()

    def slow(tx: neo4j.Transaction) -> None:
        tx.run("CREATE (:X)").consume()
        opened.set()
        assert finish.wait(20)

    first = threading.Thread(target=lambda: SeedLedger(plain).commit(step_of(number), slow))
    first.start()
    assert opened.wait(20)
    threading.Timer(1.0, finish.set).start()
    with pytest.raises(LockLost):
        SeedLedger(database_of(ledger_ready, run="run-2")).commit(
            step_of(number), lambda tx: tx.run("CREATE (:X)").consume()
        )
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

    SeedLedger(database, pause=lambda _: None).commit(step_of(1), work)
    assert len(tries) == 3
    assert ask(database, "MATCH (x:X) RETURN count(x)") == [[1]]
