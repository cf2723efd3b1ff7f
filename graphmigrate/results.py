"""What the façade returns: plain values, ready to be printed or serialised."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Severity
from graphmigrate.value import Value

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from graphmigrate.errors import Problem


def version_name(version: str) -> str:
    """Return how messages call a version: V7, or the name of a repeatable migration.

    >>> version_name("7"), version_name("R__views")
    ('V7', 'R__views')
    """
    return f"V{version}" if version[:1].isdigit() else version


def titled(version: str, description: str) -> str:
    """Return a version with its description, which the name of a repeatable migration has in it."""
    return f"V{version} {description}".rstrip() if version[:1].isdigit() else version


class State(StrEnum):
    """The state of one migration, from its file and its history together."""

    APPLIED = "applied"
    PENDING = "pending"
    SKIPPED = "skipped"
    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    UNDONE = "undone"


class StatusRow(Value):
    """One line of ``status``; ``baseline`` rows are applied ones that were marked, not run."""

    version: str
    description: str
    state: State
    file: str | None
    installed_on: datetime | None = None
    installed_by: str | None = None
    execution_time: timedelta | None = None
    type: str | None = None
    detail: str | None = None


class Target(Value):
    """The database that was asked."""

    uri: str
    database: str
    edition: str
    version: str


class Status(Value):
    """Every migration known to the files or to the history, in order of version."""

    target: Target
    rows: tuple[StatusRow, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def clean(self) -> bool:
        """Return whether nothing is pending, changed, missing, interrupted or out of order; warnings do not count."""
        errors = any(each.severity is Severity.ERROR for each in self.problems)
        return not errors and all(row.state in {State.APPLIED, State.SKIPPED} for row in self.rows)


class SkippedMigration(Value):
    """A migration whose ``assume`` does not hold here."""

    version: str
    description: str
    reason: str


class AppliedMigration(Value):
    """A migration that this run brought to its end; ``recovered`` ones had been committed by a run that died."""

    version: str
    description: str
    seconds: float
    recovered: bool = False


class MigrateResult(Value):
    """The outcome of ``migrate``; ``version`` is the highest applied one afterwards, None in an empty history."""

    target: Target
    applied: tuple[AppliedMigration, ...]
    skipped: tuple[SkippedMigration, ...]
    version: str | None
    seconds: float
    warnings: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        """Return what a person would want to know in one line."""
        names = ", ".join(version_name(each.version) for each in self.applied)
        at = f"at version {self.version}" if self.version else "empty"
        return f"{f'Applied {names}' if names else 'Nothing to do'}; the schema of {self.target.database} is {at}."


class UndoResult(Value):
    """The outcome of ``undo``; ``version`` is the highest applied one afterwards, None where none is left."""

    target: Target
    undone: tuple[AppliedMigration, ...]
    version: str | None
    seconds: float
    warnings: tuple[Problem, ...] = ()


class CleanResult(Value):
    """What ``clean`` drops and deletes; ``done`` is false where it was only looked at.

    ``nodes`` and ``relationships`` are those of the data, None where the data stay; ``records`` are graphmigrate's own nodes.
    """

    target: Target
    constraints: tuple[str, ...]
    indexes: tuple[str, ...]
    records: int
    nodes: int | None
    relationships: int | None
    done: bool
    problems: tuple[Problem, ...] = ()


class PlannedStatement(Value):
    """One statement of a plan; ``hazard`` is what it could cost (it deletes data, say), where it could."""

    file: str
    line: int
    kind: str
    text: str
    hazard: str | None = None


class PlannedMigration(Value):
    """One migration of a plan; ``segment`` is the first to run (1 unless a former run was interrupted).

    ``committed`` is how many of its statements a former run has committed; ``statements`` are the others. ``application`` is
    2 where it was undone and is applied again, and so on.
    """

    version: str
    description: str
    file: str
    segment: int
    segments: int
    statements: tuple[PlannedStatement, ...]
    committed: int = 0
    application: int = 1


class ExecutedStatement(Value):
    """What one statement of a plan would change, tried in a transaction that was rolled back.

    ``changes`` are the server's counters, None where it was not run; then ``note`` says why.
    """

    version: str
    number: int
    file: str
    line: int
    changes: dict[str, int] | None
    note: str | None = None


class PlanResult(Value):
    """What a run would do now, or an ``undo``; ``problems`` with severity error would stop it before anything runs.

    ``callbacks`` are the files that would run around the migrations, without a row; ``executed`` says what the statements would
    change, where they were tried.
    """

    target: Target
    migrations: tuple[PlannedMigration, ...]
    skipped: tuple[SkippedMigration, ...]
    problems: tuple[Problem, ...]
    callbacks: tuple[str, ...] = ()
    undo: bool = False
    executed: tuple[ExecutedStatement, ...] = ()


class RunResult(Value):
    """What ``run FILE`` did: how many ``statements`` were run, or why it was ``skipped``."""

    target: Target
    file: str
    statements: int
    seconds: float
    skipped: str | None = None


class SquashResult(Value):
    """The file that was written, and those that it replaces.

    ``reordered``: schema statements stand first, since that made the same graph. ``unstable`` are the places of statements
    that make something else each time.
    """

    path: str
    replaced: tuple[str, ...]
    reordered: bool
    unstable: tuple[str, ...] = ()


class BaselineResult(Value):
    """Versions that were marked as already there; ``files`` were written for them, from what the database has."""

    marked: tuple[str, ...]
    files: tuple[str, ...] = ()


class AdoptedMigration(Value):
    """A migration of another tool's history, and how its file was compared with it."""

    version: str
    description: str
    installed_on: datetime | None
    file: str | None
    compared: str


class AdoptResult(Value):
    """What another tool's history holds: ``adopted`` is new here, ``known`` counts what was there before."""

    target: Target
    tool: str
    adopted: tuple[AdoptedMigration, ...]
    known: int


class RepairAction(Value):
    """One difference between history and files, the command that resolves it, and whether this call did so."""

    version: str
    description: str
    finding: str
    resolution: str
    done: bool = False


class RepairResult(Value):
    """What ``repair`` found and did."""

    actions: tuple[RepairAction, ...]


class GraphSummary(Value):
    """Counts of what the graph holds, the ledger's own nodes aside."""

    labels: dict[str, int]
    relationship_types: dict[str, int]


class Health(StrEnum):
    """What one check of ``doctor`` came to; nothing after a ``failed`` one can be asked."""

    OK = "ok"
    FINDING = "finding"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(Value):
    """One thing that ``doctor`` looked at; ``code`` is that of the error which any other command would end with."""

    name: str
    health: Health
    message: str
    hint: str | None = None
    code: str | None = None


class Checkup(Value):
    """Everything that ``doctor`` looked at, in the order of the way to the database."""

    uri: str
    checks: tuple[Check, ...]

    @property
    def connected(self) -> bool:
        """Return whether the database could be asked."""
        return all(each.health is not Health.FAILED for each in self.checks)

    @property
    def healthy(self) -> bool:
        """Return whether there is nothing to fix."""
        return all(each.health in {Health.OK, Health.SKIPPED} for each in self.checks)


class SeedInfo(Value):
    """One seed of the folder; ``state`` is loaded, changed or new (None where no database was asked)."""

    name: str
    description: str
    file: str
    depends: tuple[str, ...]
    profiles: tuple[str, ...]
    variables: dict[str, Any]
    state: str | None = None


class LoadedSeed(Value):
    """One seed that this run loaded; ``changes`` are the server's counters by name.

    ``unmatched`` are the rows of this run that did not get to the end of their statement, because a MATCH or
    WHERE found nothing for them; only statements without WITH, CALL and the like are counted. ``unmatched_rows`` shows the
    first five of them, with their places. ``repeated`` are rows that changed again what
    an earlier row with the same key changed.
    """

    name: str
    seconds: float
    rows: int
    changes: dict[str, int]
    unmatched: int = 0
    unmatched_rows: tuple[str, ...] = ()
    repeated: int = 0
    repeated_rows: tuple[str, ...] = ()


class SkippedSeed(Value):
    """One seed that was not loaded, and why."""

    name: str
    reason: str


class SeedResult(Value):
    """The outcome of ``seed``; ``totals`` is what the whole graph holds afterwards, where something was loaded."""

    target: Target
    loaded: tuple[LoadedSeed, ...]
    skipped: tuple[SkippedSeed, ...]
    seconds: float
    totals: GraphSummary | None = None


class CheckedSeed(Value):
    """One seed that would load: its statements, its row blocks, and their rows (None where that is not known)."""

    name: str
    statements: int
    blocks: int
    rows: int | None


class SeedCheckResult(Value):
    """Seeds that would load; nothing was loaded. ``target`` is None where no server was asked."""

    target: Target | None
    seeds: tuple[CheckedSeed, ...]
    skipped: tuple[SkippedSeed, ...]


class ShownStatement(Value):
    """One text that a seed sends, with the place in its template.

    A statement is sent ``times`` times; a row block once for each batch of the rows of ``rows_of``, of which the
    first are in ``rows``: lists in the order of ``columns``, or maps. ``total`` is how many rows there are, where
    that is known without reading. Values from the environment are replaced by asterisks.
    """

    file: str
    line: int
    cypher: str
    parameters: dict[str, Any]
    times: int | None
    rows_of: str | None
    columns: tuple[str, ...] | None = None
    rows: tuple[Any, ...] = ()
    total: int | None = None


class SeedShowResult(Value):
    """What one seed would send."""

    name: str
    file: str
    depends: tuple[str, ...]
    variables: dict[str, Any]
    statements: tuple[ShownStatement, ...]
