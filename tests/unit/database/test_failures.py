"""What the server says when it is asked first, told in its own words."""

from __future__ import annotations

from collections.abc import Callable

import neo4j
import pytest

from graphmigrate.cli.render.secrets import masked
from graphmigrate.database.failures import connection_failure, driver_failure, query_failure, worth_retrying
from graphmigrate.errors import ConnectionFailed, GraphMigrateError
from graphmigrate.settings import Settings


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


def test_how_the_initial_password_is_changed_is_shown_whole() -> None:
    """No parameter, which a client would miss; nothing that looks like a password, which would be masked."""
    told = connection_failure(
        Answered("Neo.ClientError.Security.CredentialsExpired", "x"), Settings(uri="bolt://localhost:7687")
    )
    assert told.error_code == "GM302"
    assert told.hint is not None
    assert told.hint.startswith("ALTER CURRENT USER SET PASSWORD FROM <old> TO <new>")
    assert "$" not in str(told.hint)
    assert masked(str(told.hint), []) == told.hint


def test_who_does_not_answer_has_no_reason() -> None:
    told = connection_failure(
        neo4j.exceptions.ServiceUnavailable("Couldn't connect"), Settings(uri="bolt://127.0.0.1:7687")
    )
    assert told.error_code == "GM301"


@pytest.mark.parametrize(
    ("made", "code", "said"),
    [
        (
            lambda: neo4j.exceptions.ServiceUnavailable("x"),
            "GM301",
            "No Neo4j answers at the given driver's server.",
        ),
        (
            lambda: Answered("Neo.ClientError.Security.Unauthorized", "x"),
            "GM302",
            "the given driver's server refused the user name or the password.",
        ),
        (lambda: neo4j.exceptions.DriverError("Driver closed"), "GM746", "The given driver is closed."),
    ],
)
def test_the_server_of_a_given_driver_has_a_name(made: Callable[[], Exception], code: str, said: str) -> None:
    told = connection_failure(made(), Settings())
    assert (told.error_code, told.message) == (code, said)
    assert told.hint
    assert "NEO4J_" not in told.hint


@pytest.mark.parametrize(
    ("code", "of_ours", "of_a_query"),
    [
        ("Neo.ClientError.Statement.SyntaxError", ("GM173", 5), ("GM173", 2)),
        ("Neo.ClientError.Procedure.ProcedureNotFound", ("GM173", 5), ("GM173", 2)),
        ("Neo.ClientError.Schema.ConstraintAlreadyExists", ("GM173", 5), ("GM173", 5)),
        ("Neo.ClientError.Security.Forbidden", ("GM310", 3), ("GM310", 3)),
        ("Neo.TransientError.General.DatabaseUnavailable", ("GM321", 3), ("GM321", 3)),
    ],
)
def test_a_query_that_is_refused_is_a_mistake_of_whoever_wrote_it(
    code: str, of_ours: tuple[str, int], of_a_query: tuple[str, int]
) -> None:
    def told(by: Callable[[BaseException, Settings], GraphMigrateError]) -> tuple[str, int]:
        error = by(Answered(code, "This is why."), Settings(uri="bolt://127.0.0.1:7687"))
        assert "This is why." in error.message
        return error.error_code, error.exit_code

    assert (told(driver_failure), told(query_failure)) == (of_ours, of_a_query)


def test_planning_that_the_server_gave_up_beside_changes_of_the_schema_is_tried_again() -> None:
    told = "The query could not be planned, because of insanely frequent schema changes."
    assert worth_retrying(Answered("Neo.DatabaseError.Statement.ExecutionFailed", told))
    assert not worth_retrying(Answered("Neo.DatabaseError.Statement.ExecutionFailed", "Something else."))
