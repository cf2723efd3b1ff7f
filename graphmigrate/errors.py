"""The error tree: every error carries a stable code, an exit code, a message and a hint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file a person wrote: 1-based line and column, and the line itself for the caret."""

    file: str
    line: int
    column: int = 1
    source: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """Whether a finding stops a run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a file, a statement or the history: what, where, and what to do about it."""

    code: str
    message: str
    hint: str | None = None
    place: Place | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class GraphMigrateError(Exception):
    """The root of everything this package raises on purpose.

    ``message`` says what happened, ``hint`` what to do next, ``place`` where; ``problems`` lists every finding
    where there are several. ``exit_code`` is the process's exit code (see ``docs/reference/exit-codes.md``).
    """

    code: ClassVar[str] = "GM000"
    exit_code: ClassVar[int] = 5

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        place: Place | None = None,
        code: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.error_code = code or type(self).code
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problem: Problem) -> GraphMigrateError:
        """Raise-able form of a single finding."""
        return cls(problem.message, hint=problem.hint, place=problem.place, code=problem.code)


class UsageError(GraphMigrateError):
    """The command line or the configuration is wrong; nothing ran."""

    code = "GM150"
    exit_code = 2


class ProjectError(GraphMigrateError):
    """Files of the project are wrong, migrations or seeds; nothing ran."""

    code = "GM101"
    exit_code = 2


class PreflightError(GraphMigrateError):
    """The server would refuse a pending statement; nothing ran."""

    code = "GM201"
    exit_code = 2


class ConnectionFailed(GraphMigrateError):
    """No usable connection to the target: unreachable, wrong protocol, refused password, unknown database."""

    code = "GM301"
    exit_code = 3


class NotAllowed(GraphMigrateError):
    """The user lacks a right that the command needs."""

    code = "GM310"
    exit_code = 3


class LockTimeout(GraphMigrateError):
    """Another run held the lock for longer than the caller was willing to wait."""

    code = "GM401"
    exit_code = 4


class SchemaLocked(LockTimeout):
    """The server could not plan a statement in time, because another transaction has changed the schema and is still open."""

    code = "GM404"


class LockLost(GraphMigrateError):
    """The run no longer owns the ledger: another one took over. Nothing more was committed."""

    code = "GM402"
    exit_code = 4


class MigrationFailed(GraphMigrateError):
    """A statement of a migration failed, or its ``assert`` did not hold."""

    code = "GM501"
    exit_code = 5


class SeedFailed(GraphMigrateError):
    """Loading a seed failed; what was committed before is kept."""

    code = "GM551"
    exit_code = 5


class HistoryMismatch(GraphMigrateError):
    """The database's history and the files disagree."""

    code = "GM601"
    exit_code = 6


class Interrupted(GraphMigrateError):
    """SIGINT or SIGTERM ended the run; the transaction at hand was rolled back."""

    code = "GM701"

    def __init__(self, signal_number: int) -> None:
        name = {2: "Ctrl-C (SIGINT)", 15: "SIGTERM"}.get(signal_number, f"signal {signal_number}")
        super().__init__(
            f"Interrupted by {name}; the transaction at hand was rolled back.",
            hint="Run the same command again: it continues where this run stopped.",
        )
        self.signal_number = signal_number
