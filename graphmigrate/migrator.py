"""The façade: what a library user, the command line, the entrypoint and pytest call."""

from __future__ import annotations

import getpass
import socket
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphmigrate import checks, plan, repairing
from graphmigrate.errors import HistoryMismatch, PreflightError, Problem, ProjectError, Severity, UsageError
from graphmigrate.events import (
    Listener,
    MigrationSettled,
    MigrationSkipped,
    RunStarted,
    Warned,
    ignore,
)
from graphmigrate.project.collect import collect
from graphmigrate.project.read import read
from graphmigrate.project.versions import Version
from graphmigrate.results import (
    AppliedMigration,
    BaselineResult,
    GraphSummary,
    MigrateResult,
    PlannedMigration,
    PlannedStatement,
    PlanResult,
    RepairAction,
    RepairResult,
    SeedInfo,
    SeedResult,
    SkippedMigration,
    State,
    Status,
    StatusRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import neo4j

    from graphmigrate.config import Settings
    from graphmigrate.database.connection import Database
    from graphmigrate.database.lock import Lock
    from graphmigrate.history import History
    from graphmigrate.plan import Entry, Plan
    from graphmigrate.project.model import Migration, MigrationFile, MigrationFolder
    from graphmigrate.results import Target
    from graphmigrate.runner import Outcome
    from graphmigrate.schema.catalogue import Catalogue


class Migrator:
    """Migrations and seeds of one project against one database.

    Give it a driver, or let it make one from the settings. Every method returns a plain value of ``graphmigrate.results`` and
    raises an error of ``graphmigrate.errors``; ``listen`` is told typed events while it works. Use it as a context manager,
    or call ``close``; a driver that was given stays open.
    """

    def __init__(
        self, settings: Settings, *, driver: neo4j.Driver | None = None, listen: Listener = ignore
    ) -> None:
        self.settings = settings
        self._listen = listen
        self._given_driver = driver
        self._opened: Database | None = None
        self._known_target: Target | None = None

    def __enter__(self) -> Migrator:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, where this object made it."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # ---- migrations

    def migrate(
        self,
        *,
        target: str | None = None,
        allow_out_of_order: bool = False,
        lock_timeout: float | None = None,
    ) -> MigrateResult:
        """Apply what is pending, in order of version, up to ``target`` inclusive.

        Raises ProjectError or PreflightError where files or statements are wrong (nothing ran), HistoryMismatch where
        history and files disagree, LockTimeout, LockLost, MigrationFailed, ConnectionFailed and NotAllowed.
        """
        from graphmigrate.runner import Outcome

        started = time.monotonic()
        files = self._files()
        history = self._history()
        outcome = Outcome()
        skipped: tuple[SkippedMigration, ...] = ()
        warnings: tuple[Problem, ...] = ()
        planned = self._plan(files, history, target, allow_out_of_order)
        if not self._nothing_to_do(planned, history):
            self._preflight(planned)
            with self._locked(lock_timeout) as lock:
                history = self._settle(lock, files, outcome)
                planned = self._plan(files, history, target, allow_out_of_order)
                self._refuse(self._checked(planned))
                self._run(lock, planned, history, outcome)
            history = self._history()
        skipped = (*(_skipped(each) for each in planned.skips), *outcome.skipped)
        warnings = tuple(each for each in planned.problems if each.severity is Severity.WARNING)
        highest = history.highest
        return MigrateResult(
            self._target(),
            tuple(outcome.applied),
            skipped,
            highest.text if highest else None,
            time.monotonic() - started,
            warnings,
        )

    def plan(self, *, target: str | None = None, allow_out_of_order: bool = False) -> PlanResult:
        """Say what ``migrate`` would do now; writes nothing, takes no lock."""
        files = self._files()
        history = self._history()
        planned = self._plan(files, history, target, allow_out_of_order, strict=False)
        problems = [*planned.problems, *self._findings(planned, history)]
        return PlanResult(
            self._target(),
            tuple(_planned(task) for task in planned.tasks),
            tuple(_skipped(skip) for skip in planned.skips),
            tuple(problems),
        )

    def status(self) -> Status:
        """Give every version's state; writes nothing, takes no lock."""
        files = self._files(strict=False)
        history = self._history()
        entries = plan.compare(files.files, history)
        problems = [*files.problems, *plan.mismatches(entries, history)]
        return Status(self._target(), tuple(_status_row(entry) for entry in entries), tuple(problems))

    def validate(self, *, offline: bool = False) -> tuple[Problem, ...]:
        """Collect every problem of files, history and pending statements; ``offline`` judges the files alone."""
        files = self._files(strict=False)
        problems = list(files.problems)
        migrations: dict[Version, Migration] = {}
        for file in files.files:
            migration, found = read(file, max_statement_bytes=self.settings.max_statement_size)
            problems.extend(found)
            migrations[file.version] = migration
        if offline:
            return tuple(problems)
        history = self._history()
        entries = plan.compare(files.files, history)
        problems.extend(plan.mismatches(entries, history))
        chosen = plan.candidates(entries, target=None, allow_out_of_order=True)
        pairs = [(entry, migrations[entry.version]) for entry in chosen]
        planned = plan.build(pairs, history, self._target(), self.settings.ledger, allow_out_of_order=True)
        return (*problems, *planned.problems, *self._findings(planned, history))

    def baseline(self, version: str) -> BaselineResult:
        """Mark every version up to ``version`` as there already, without running it."""
        limit = Version.parse(version)
        files = self._files()
        with self._locked(None) as _:
            history = self._history()
            entries = [
                entry
                for entry in plan.compare(files.files, history)
                if entry.file
                and entry.row is None
                and entry.version <= limit
                and entry.state is not State.APPLIED
            ]
            rows = [
                repairing.baseline_row(entry, self._database(), history, rank)
                for rank, entry in enumerate(entries, 1)
            ]
            if limit not in history.rows and all(entry.version != limit for entry in entries):
                rows.append(repairing.baseline_marker(limit, self._database(), history, len(rows) + 1))
            repairing.write_rows(self._database(), rows)
        return BaselineResult(tuple(row["version"] for row in rows))

    def repair(
        self,
        *,
        accept: Sequence[str] = (),
        forget: Sequence[str] = (),
        rerun: Sequence[str] = (),
        done: Sequence[str] = (),
    ) -> RepairResult:
        """Show every disagreement of history and files with what resolves it; resolve those of the versions named."""
        files = self._files(strict=False)
        wanted = {
            "accept": {Version.parse(each) for each in accept},
            "forget": {Version.parse(each) for each in forget},
            "rerun": {Version.parse(each) for each in rerun},
            "done": {Version.parse(each) for each in done},
        }
        if not any(wanted.values()):
            return RepairResult(repairing.findings(files, self._history()))
        with self._locked(None):
            settled = self._settle_as_told(files, wanted)
            resolved = repairing.resolve(self._database(), files, self._history(), wanted, self._read_one)
            return RepairResult((*settled, *resolved))

    def wait(self, timeout: float = 60.0) -> Target:
        """Wait until a real query on the target database succeeded twice in a row; a refused password fails at once."""
        from graphmigrate.database.facts import wait_for_target

        self._known_target = wait_for_target(self._database(), timeout)
        return self._known_target

    # ---- seeds

    def seed(
        self,
        names: Sequence[str] = (),
        *,
        profile: str | None = None,
        variables: Mapping[str, str] | None = None,
        force: bool = False,
        allow_duplicates: bool = False,
        lock_timeout: float | None = None,
    ) -> SeedResult:
        """Load seeds under the same lock as migrations; refuses while migrations are pending."""
        from graphmigrate import seeding

        started = time.monotonic()
        preparation = seeding.prepare(
            self.settings.seeds, names=names, profile=profile, variables=variables or {}
        )
        self._refuse_pending()
        database = self._database()
        target = self._target()
        choices = {"force": force, "allow_duplicates": allow_duplicates}
        decided = seeding.decide(database, preparation, **choices)
        if decided.nothing_to_do:
            return SeedResult(target, (), decided.skipped, time.monotonic() - started)
        with self._locked(lock_timeout):
            decided = seeding.decide(database, preparation, **choices)
            loaded, skipped = seeding.run(database, decided, listen=self._listen)
        return SeedResult(target, loaded, skipped, time.monotonic() - started)

    def seeds(self, *, offline: bool = False) -> tuple[SeedInfo, ...]:
        """List the seeds of the folder; with their state in the database unless ``offline``."""
        from graphmigrate import seeding

        if offline:
            return seeding.catalogue(self.settings.seeds)
        self._target()
        return seeding.catalogue(self.settings.seeds, self._database())

    def _refuse_pending(self) -> None:
        history = self._history()
        entries = plan.compare(self._files().files, history)
        waiting = [each for each in entries if each.state in {State.PENDING, State.INTERRUPTED}]
        if waiting:
            names = ", ".join(each.name for each in waiting[:5])
            raise UsageError(
                f"{len(waiting)} migration(s) are pending ({names}); seeds are loaded into an up-to-date schema only.",
                hint="Run first: graphmigrate migrate",
                code="GM213",
            )

    # ---- looking

    def summary(self) -> GraphSummary:
        """Count nodes by label and relationships by type, the ledger's own left out."""
        from graphmigrate.database import queries

        database = self._database()
        return GraphSummary(
            {row["name"]: row["count"] for row in database.read(queries.COUNT_LABELS)},
            {row["name"]: row["count"] for row in database.read(queries.COUNT_TYPES)},
        )

    def query(self, cypher: str) -> tuple[list[str], list[list[Any]]]:
        """Run a reading query; gives its columns and rows."""
        with self._database().session(write=False) as session:
            result = session.run(cypher)
            return list(result.keys()), [list(record.values()) for record in result]

    # ---- the steps of a run

    def _database(self) -> Database:
        if self._opened is None:
            from graphmigrate.database.connection import open_database

            self._opened = open_database(
                self.settings,
                self._given_driver,
                run=uuid.uuid4().hex,
                host=socket.gethostname(),
                user=_user_name(),
            )
        return self._opened

    def _target(self) -> Target:
        from graphmigrate.database.facts import read_target

        if self._known_target is None:
            self._known_target = read_target(self._database())
        return self._known_target

    def _files(self, *, strict: bool = True) -> MigrationFolder:
        folder = collect(self.settings.migrations)
        errors = [each for each in folder.problems if each.severity is Severity.ERROR]
        if strict:
            for problem in folder.problems:
                if problem.severity is Severity.WARNING:
                    self._listen(Warned(problem))
            _raise_if(errors, ProjectError, "The migrations folder has {count} problem(s); nothing was run.")
        return folder

    def _history(self) -> History:
        from graphmigrate.database.failures import DriverFailure, connection_failure
        from graphmigrate.database.ledger import read_history

        try:
            return read_history(self._database())
        except DriverFailure as error:
            raise connection_failure(error, self.settings.uri, self.settings.database) from error

    def _read_one(self, file: MigrationFile) -> Migration:
        migration, problems = read(file, max_statement_bytes=self.settings.max_statement_size)
        _raise_if(
            [each for each in problems if each.severity is Severity.ERROR],
            ProjectError,
            "{count} problem(s) in the pending files; nothing was run.",
        )
        return migration

    def _plan(
        self,
        files: MigrationFolder,
        history: History,
        target: str | None,
        allow_out_of_order: bool,
        *,
        strict: bool = True,
    ) -> Plan:
        """Decide what to run; ``strict`` raises what would stop a run."""
        entries = plan.compare(files.files, history)
        limit = _limit(target, entries)
        found = plan.mismatches(entries, history, allow_out_of_order=allow_out_of_order)
        if strict:
            _raise_if(
                found, HistoryMismatch, "History and files disagree in {count} place(s); nothing was run."
            )
        chosen = plan.candidates(entries, target=limit, allow_out_of_order=allow_out_of_order)
        if not chosen:
            return plan.Plan(problems=tuple(found))
        pairs, problems = self._read_all(chosen, strict=strict)
        planned = plan.build(
            pairs, history, self._target(), self.settings.ledger, allow_out_of_order=allow_out_of_order
        )
        if strict:
            _raise_planned(planned)
        return plan.Plan(planned.tasks, planned.skips, (*found, *problems, *planned.problems))

    def _read_all(
        self, chosen: Sequence[Entry], *, strict: bool
    ) -> tuple[list[tuple[Entry, Migration]], list[Problem]]:
        """Read the chosen files; every problem of all of them at once."""
        pairs: list[tuple[Entry, Migration]] = []
        problems: list[Problem] = []
        for entry in chosen:
            if entry.file is not None:
                migration, found = read(entry.file, max_statement_bytes=self.settings.max_statement_size)
                problems.extend(found)
                pairs.append((entry, migration))
        errors = [each for each in problems if each.severity is Severity.ERROR]
        if strict:
            _raise_if(errors, ProjectError, "{count} problem(s) in the pending files; nothing was run.")
        return pairs, problems

    def _nothing_to_do(self, planned: Plan, history: History) -> bool:
        """Whether the history says all that a run would: no task, no run that died, every skip recorded."""
        known = all(history.skips.get(each.file.version.canonical) == each.reason for each in planned.skips)
        return not planned.tasks and history.record is None and known

    def _findings(self, planned: Plan, history: History) -> list[Problem]:
        """Collect what the checks and the server say of the planned statements, without a lock."""
        if history.record is None:
            return [*self._checked(planned), *self._explained(planned)]
        # the catalogue is on the move, or a run that died has to be settled first: it says nothing yet
        return [_UNSETTLED, *self._explained(planned)]

    def _checked(self, planned: Plan) -> list[Problem]:
        """Walk the plan's statements along the catalogue as it stands."""
        from graphmigrate.database.catalogue import read_catalogue

        if not planned.tasks:
            return []
        return checks.check(planned.tasks, self._target(), read_catalogue(self._database()))

    def _explained(self, planned: Plan) -> list[Problem]:
        """Let the server parse and plan every statement that this edition knows."""
        from graphmigrate.database.preflight import explain

        statements = [
            statement
            for task in planned.tasks
            for segment in task.remaining
            for statement in segment.statements
        ]
        return explain(self._database(), statements) if statements else []

    def _preflight(self, planned: Plan) -> None:
        """Refuse what the files alone or the server's parser refuse, before the lock is even asked for."""
        found = [*checks.check_statements(planned.tasks, self._target()), *self._explained(planned)]
        for problem in (*planned.problems, *found):
            if problem.severity is Severity.WARNING:
                self._listen(Warned(problem))
        self._refuse(found)

    def _refuse(self, problems: Sequence[Problem]) -> None:
        errors = _unique(each for each in problems if each.severity is Severity.ERROR)
        _raise_if(errors, PreflightError, "{count} statement(s) would fail; nothing was run.")

    @contextmanager
    def _locked(self, lock_timeout: float | None) -> Iterator[Lock]:
        from graphmigrate.database.failures import DriverFailure, connection_failure
        from graphmigrate.database.ledger import prepare_ledger
        from graphmigrate.database.lock import Lock, take_over

        database = self._database()
        name = self._target().database
        try:
            prepare_ledger(database)
        except DriverFailure as error:
            raise connection_failure(error, self.settings.uri, self.settings.database) from error
        lock = Lock(database, name, self._listen)
        lock.acquire(self.settings.lock_timeout if lock_timeout is None else lock_timeout)
        try:
            take_over(database, name)
            yield lock
        finally:
            lock.release()

    def _settle_as_told(
        self, files: MigrationFolder, wanted: dict[str, set[Version]]
    ) -> tuple[RepairAction, ...]:
        """Settle a run that died by a person's word, for the named versions whose fate cannot be read."""
        from graphmigrate.recovery import recover, verdicts_of

        history = self._history()
        verdicts = verdicts_of(self._database(), history, wanted)
        if not verdicts:
            return ()
        recover(self._database(), history, files, self._read_one, verdicts)
        for versions in wanted.values():
            versions -= verdicts.keys()
        return tuple(repairing.settled_action(version, word) for version, word in verdicts.items())

    def _settle(self, lock: Lock, files: MigrationFolder, outcome: Outcome) -> History:
        """Complete the history of a run that died; gives the history as it then stands."""
        history = self._history()
        if history.record is None:
            return history
        from graphmigrate.recovery import recover

        lock.doing("settling a run that died")
        settled = recover(self._database(), history, files, self._read_one, {})
        for each in settled:
            text = each.version.text
            self._listen(MigrationSettled(text, each.migration.file.description))
            if each.step >= len(each.segments):
                outcome.applied.append(
                    AppliedMigration(text, each.migration.file.description, 0.0, settled=True)
                )
        return self._history()

    def _run(self, lock: Lock, planned: Plan, history: History, outcome: Outcome) -> None:
        from graphmigrate.database.catalogue import read_catalogue
        from graphmigrate.database.ledger import Journal
        from graphmigrate.runner import Runner, record_skip

        database = self._database()
        for skip in planned.skips:
            self._listen(MigrationSkipped(skip.file.version.text, skip.file.description, skip.reason))
            if history.skips.get(skip.file.version.canonical) != skip.reason:
                record_skip(database, skip.file.version.canonical, skip.reason)
        if not planned.tasks:
            return
        self._listen(RunStarted(len(planned.tasks)))
        catalogue = read_catalogue(database)
        record = self._open_record(planned, catalogue)
        runner = Runner(
            database,
            self._target().database,
            lock,
            Journal(database),
            catalogue,
            history.top_rank,
            self._listen,
        )
        result = "failed"
        try:
            runner.run(planned.tasks, outcome)
            result = "done"
        finally:
            self._close_record(lock, record, history, outcome, result)

    def _open_record(self, planned: Plan, catalogue: Catalogue) -> str:
        """Write down, before anything runs, what this run means to do."""
        from graphmigrate.recovery import open_record

        return open_record(self._database(), planned, catalogue)

    def _close_record(self, lock: Lock, record: str, history: History, outcome: Outcome, result: str) -> None:
        from graphmigrate.recovery import close_record

        close_record(self._database(), lock, record, history, outcome, result)


_UNSETTLED = Problem(
    "GM211",
    "Another run is at work here, or one died: what it left is not taken into account.",
    "The next `graphmigrate migrate` waits for it, or completes its history first.",
    severity=Severity.WARNING,
)


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the first finding at each place."""
    found: dict[object, Problem] = {}
    for problem in problems:
        found.setdefault(problem.place or problem, problem)
    return list(found.values())


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container's numeric user without a name


def _raise_if(problems: Sequence[Problem], error: type[Any], summary: str) -> None:
    if len(problems) == 1:
        raise error.of(problems[0])
    if problems:
        raise error(summary.format(count=len(problems)), problems=problems)


def _raise_planned(planned: Plan) -> None:
    """Raise what building the plan found: unmet asserts are failures, the rest is a matter of history."""
    from graphmigrate.errors import MigrationFailed

    asserts = [each for each in planned.errors if each.code == "GM502"]
    _raise_if(asserts, MigrationFailed, "{count} asserts do not hold here; nothing was run.")
    _raise_if(
        planned.errors, HistoryMismatch, "History and files disagree in {count} place(s); nothing was run."
    )


def _limit(target: str | None, entries: Sequence[Entry]) -> Version | None:
    if target is None:
        return None
    version = Version.parse(target)
    if all(entry.version != version for entry in entries):
        known = ", ".join(entry.name for entry in entries[-3:]) or "none"
        raise UsageError(
            f"There is no migration V{version.text}.", hint=f"The last ones are: {known}.", code="GM212"
        )
    return version


def _skipped(skip: plan.Skip) -> SkippedMigration:
    return SkippedMigration(skip.file.version.text, skip.file.description, skip.reason)


def _planned(task: plan.Task) -> PlannedMigration:
    file = task.migration.file
    statements = tuple(
        PlannedStatement(statement.file, statement.place.line, segment.kind.value, statement.text)
        for segment in task.remaining
        for statement in segment.statements
    )
    return PlannedMigration(
        file.version.text, file.description, file.name, task.first, len(task.segments), statements
    )


def _status_row(entry: Entry) -> StatusRow:
    row = entry.row
    return StatusRow(
        version=entry.version.text,
        description=entry.description,
        state=entry.state,
        file=entry.file.name if entry.file else None,
        installed_on=row.installed_on if row else None,
        installed_by=row.installed_by if row else None,
        execution_time=row.execution_time if row else None,
        type=row.type if row else None,
        detail=entry.detail,
    )
