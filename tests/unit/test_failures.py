"""What the server says when it is asked first, told in its own words."""

from __future__ import annotations

from pathlib import Path

import neo4j
import pytest

from graphmigrate.config import Settings
from graphmigrate.database.failures import connection_failure
from graphmigrate.errors import ConnectionFailed

PAGES = Path(__file__).parents[2] / "docs" / "errors"


class Answered(neo4j.exceptions.Neo4jError):
    """An error as the driver gives it."""

    code = None
    message = None

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        type(self).code, type(self).message = code, message


@pytest.mark.parametrize(
    "code",
    [
        "Neo.TransientError.General.DatabaseUnavailable",
        "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
        "Neo.ClientError.Transaction.TransactionTimedOut",
        "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase",
        "Neo.DatabaseError.General.UnknownError",
    ],
)
def test_the_servers_own_reason_is_told(code: str) -> None:
    told = connection_failure(Answered(code, "This is why."), Settings(uri="bolt://127.0.0.1:7687"))
    assert isinstance(told, ConnectionFailed)
    assert told.error_code == "GM321"
    assert "This is why." in told.message
    assert code in told.message


def test_an_initial_password_is_changed_by_a_statement_that_can_be_pasted() -> None:
    told = connection_failure(
        Answered("Neo.ClientError.Security.CredentialsExpired", "x"), Settings(uri="bolt://localhost:7687")
    )
    assert told.error_code == "GM311"
    assert f"hint: {told.hint}" in (PAGES / "GM311.md").read_text()
    assert "$" not in str(told.hint)


def test_who_does_not_answer_has_no_reason() -> None:
    told = connection_failure(
        neo4j.exceptions.ServiceUnavailable("Couldn't connect"), Settings(uri="bolt://127.0.0.1:7687")
    )
    assert told.error_code == "GM301"
