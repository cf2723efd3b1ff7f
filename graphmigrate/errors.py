"""The error tree: every error carries a stable code, an exit code, a message and a hint."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Place(Value):
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


class Problem(Value):
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

    code: ClassVar[str] = "GM179"
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


def raise_all(
    problems: Iterable[Problem], error: type[GraphMigrateError], summary: str, *, code: str | None = None
) -> None:
    """Raise the only error among the problems as itself, several under a ``summary`` that may say ``{count}``."""
    found = [each for each in problems if each.severity is Severity.ERROR]
    if len(found) == 1:
        raise error.of(found[0])
    if found:
        raise error(summary.format(count=len(found)), code=code, problems=found)


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one, if any is.

    >>> closest("migrat", ["migrate", "plan"])
    'migrate'
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


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


# Every code with what it means. A code never changes its meaning; `explain` and docs/errors/README.md show them.
TITLES = {
    "GM101": "several problems in the files",
    "GM102": "a string, quoted name, comment or escape that has no end",
    "GM106": "a statement that cannot be in a migration or seed",
    "GM108": "a name that cannot be written safely",
    "GM110": "no migration file",
    "GM112": "two files of one version",
    "GM113": "a file that is not a migration, or is misnamed",
    "GM114": "graphmigrate.sum and the files differ",
    "GM118": "a file that cannot be read",
    "GM119": "there is no such version",
    "GM121": "an empty migration",
    "GM122": "a statement that is too big",
    "GM123": "no final semicolon",
    "GM124": "a header line or a migration in Python that is not understood",
    "GM129": "a parameter that nothing sets",
    "GM130": "batches that fail are left out unsaid",
    "GM133": "another version of Cypher than before",
    "GM150": "wrong usage",
    "GM151": "no database was named",
    "GM154": "an address that cannot be used",
    "GM155": "a password where others can read it",
    "GM156": "a configuration file that cannot be used",
    "GM157": "an unknown setting or environment variable",
    "GM158": "a setting with a wrong value",
    "GM160": "a password that cannot be read",
    "GM167": "a file that cannot be written",
    "GM173": "the database refuses a query",
    "GM179": "an internal error",
    "GM180": "the local server does not start",
    "GM183": "Java, Maven or Docker is missing for the local server",
    "GM191": "no local server runs",
    "GM193": "the local server cannot be stopped, used or started twice",
    "GM201": "the server refuses a statement",
    "GM203": "graphmigrate and the server read a statement differently",
    "GM205": "this needs Enterprise Edition",
    "GM206": "something with this name exists",
    "GM207": "an administration command that cannot be repeated",
    "GM210": "a skipped migration is late now",
    "GM211": "another run is at work, or died",
    "GM213": "migrations are pending",
    "GM214": "the data could not be looked at",
    "GM220": "a constraint or index without a name",
    "GM221": "the server commits inside this statement",
    "GM301": "no Neo4j answers",
    "GM302": "user name or password refused",
    "GM304": "TLS failed",
    "GM306": "no server for this database, or not its leader",
    "GM307": "too many wrong passwords",
    "GM309": "the database does not exist or is not online",
    "GM310": "a right is missing",
    "GM314": "trusted certificates that cannot be used",
    "GM315": "the certificate is not trusted",
    "GM321": "the server or the database cannot do its work",
    "GM401": "another run holds the lock",
    "GM402": "the lock was lost",
    "GM404": "the schema is locked",
    "GM501": "a statement failed",
    "GM503": "an assert does not hold",
    "GM504": "a condition cannot be judged",
    "GM505": "batches without end",
    "GM506": "an index could not be built in time",
    "GM508": "the data do not allow a constraint",
    "GM513": "the history could not be written",
    "GM520": "a statement would change graphmigrate's own records",
    "GM530": "the target is protected",
    "GM531": "a seed without a reset",
    "GM551": "a seed failed",
    "GM553": "a value that Neo4j cannot store",
    "GM554": "an interrupted load, and its seed changed",
    "GM555": "a changed seed that uses CREATE",
    "GM556": "--force with a seed that uses CREATE",
    "GM557": "a key that no constraint or index finds",
    "GM560": "a seed with a wrong name, or no seeds folder",
    "GM561": "front matter that is not understood",
    "GM563": "a seed that is not there, or depends on itself",
    "GM567": "a profile or variable that does not fit",
    "GM570": "the template cannot be parsed",
    "GM571": "an expression cannot be evaluated",
    "GM572": "not allowed in a seed",
    "GM575": "a value in a place where it cannot stand",
    "GM580": "an {% unwind %} block in the wrong place",
    "GM582": "there is no such column",
    "GM583": "a file outside the seeds folder, or none",
    "GM591": "a data file that is not what it should be",
    "GM593": "rows that cannot be generated like this",
    "GM601": "history and files differ in several places",
    "GM602": "an applied migration was edited",
    "GM603": "an applied migration's file is missing",
    "GM604": "a version below the highest applied one",
    "GM605": "the applied part of a migration was edited",
    "GM606": "interrupted inside a statement that commits by itself",
    "GM607": "a run died, and its file or the schema was changed since",
    "GM609": "the history is of a newer graphmigrate",
    "GM610": "a repair, baseline or undo does not fit",
    "GM611": "a name of graphmigrate's own constraints is taken",
    "GM612": "a node of the history was changed by something else",
    "GM701": "interrupted",
    "GM720": "the command to start cannot be started",
    "GM740": "the test database holds data, or other tests use it",
    "GM746": "a driver that cannot be used",
}
