"""The façade: what a library user, the command line, the entrypoint and pytest call."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphmigrate.database.version import Version
from graphmigrate.log import logged
from graphmigrate.migrations import standing
from graphmigrate.migrations.workspace import Workspace, translate_driver_errors
from graphmigrate.results import (
    AdoptResult,
    BaselineResult,
    CleanResult,
    GraphSummary,
    MigrateResult,
    PlanResult,
    RepairResult,
    RunResult,
    SeedCheckResult,
    SeedInfo,
    SeedResult,
    SeedShowResult,
    SquashResult,
    Status,
    Target,
    UndoResult,
)
from graphmigrate.settings import Secret, Settings, load, with_database_of_address

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import neo4j

    from graphmigrate.errors import Problem
    from graphmigrate.events import Listener
    from graphmigrate.seeds import Preparation


class Migrator:
    """Migrations and seeds of one project against one database.

    It takes a driver, or the address of the database (``Migrator("bolt://localhost:7687", auth=("neo4j", "…"))``) and makes one
    with ``auth`` and ``driver_options``. ``settings`` hold all there is to say; each keyword given beside them wins. Nothing is
    read from files or the environment here: ``from_project`` does that.

    Every method returns a plain value of ``graphmigrate.results`` and raises an error of ``graphmigrate.errors``; ``listen`` is
    told typed events while it works, and they are logged under ``graphmigrate``. Use it as a context manager, or call ``close``;
    a driver that was given stays open. One object serves one thread.
    """

    def __init__(
        self,
        settings: Settings | neo4j.Driver | str | None = None,
        *,
        driver: neo4j.Driver | None = None,
        uri: str | None = None,
        username: str | None = None,
        password: str | None = None,
        auth: Any = None,
        driver_options: Mapping[str, Any] | None = None,
        database: str | None = None,
        migrations: str | os.PathLike[str] | None = None,
        seeds: str | os.PathLike[str] | None = None,
        ledger: str | None = None,
        allow_empty: bool | None = None,
        listen: Listener | None = None,
    ) -> None:
        if isinstance(settings, str):
            settings, uri = None, settings
        elif settings is not None and not isinstance(settings, Settings):
            settings, driver = None, settings
        options = {**(driver_options or {}), **({} if auth is None else {"auth": auth})}
        if migrations is not None and allow_empty is None:  # who names a folder expects migrations in it
            allow_empty = settings is not None and settings.allow_empty is True
        given = {
            "uri": uri,
            "username": username,
            "password": None if password is None else Secret(password),
            "database": database,
            "migrations": None if migrations is None else Path(migrations),
            "seeds": None if seeds is None else Path(seeds),
            "ledger": ledger,
            "allow_empty": allow_empty,
            "driver_options": options or None,
        }
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.settings = with_database_of_address(replace(settings or Settings(), **changes))
        self._workspace = Workspace(self.settings, driver, logged(listen))

    @classmethod
    def from_project(
        cls,
        folder: str | os.PathLike[str] = ".",
        *,
        driver: neo4j.Driver | None = None,
        listen: Listener | None = None,
    ) -> Migrator:
        """Take the settings that the command line would take in ``folder``: environment, ``.env``, ``graphmigrate.toml``.

        The project's local server is not looked for: without a driver, NEO4J_URI is to be set (``graphmigrate server url``).
        Raises UsageError where one of them is wrong.
        """
        loaded = load(folder=Path(folder), connect=driver is None)
        return cls(loaded.settings, driver=driver, listen=listen)

    def __enter__(self) -> Migrator:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, where this object made it."""
        self._workspace.close()

    # ---- migrations

    @translate_driver_errors
    def migrate(
        self,
        *,
        target: str | int | None = None,
        allow_out_of_order: bool = False,
        lock_timeout: float | None = None,
        check_data: str | None = None,
        reapply: bool = True,
    ) -> MigrateResult:
        """Apply what is pending, in order of version, up to ``target`` inclusive.

        ``check_data`` (auto, always, never) says whether to look first for values that planned constraints would refuse.
        Without ``reapply``, a migration that was undone stops the run (HistoryMismatch).

        Raises ProjectError or PreflightError where files or statements are wrong (nothing ran), HistoryMismatch where
        history and files differ, LockTimeout, LockLost, MigrationFailed, ConnectionFailed and NotAllowed.
        """
        from graphmigrate.migrations.reporting import migrate

        return migrate(self._workspace, _text(target), allow_out_of_order, lock_timeout, check_data, reapply)

    @translate_driver_errors
    def plan(
        self,
        *,
        target: str | int | None = None,
        allow_out_of_order: bool = False,
        check_data: str | None = None,
        undo: bool = False,
        steps: int | None = None,
        execute: bool = False,
    ) -> PlanResult:
        """Say what ``migrate`` would do now, or ``undo``, to ``target`` or of so many ``steps``; writes nothing, takes no lock.

        ``check_data`` is that of ``migrate``. With ``execute`` the pending data statements run in one transaction that is rolled
        back, unless an error is found before; ``executed`` tells what they would change.
        """
        from graphmigrate.migrations import reporting

        how = reporting.PlanWords(_text(target), allow_out_of_order, check_data, undo, steps, execute)
        return reporting.plan_result(self._workspace, how)

    @translate_driver_errors
    def run(self, file: str | os.PathLike[str], *, lock_timeout: float | None = None) -> RunResult:
        """Run one file of Cypher under the lock, read and checked as a migration is, and leave no row in the history.

        Raises what ``migrate`` raises; after a lost connection nobody knows whether its last transaction took effect.
        """
        from graphmigrate.migrations.callbacks import run_file

        return run_file(self._workspace, Path(file), lock_timeout)

    @translate_driver_errors
    def undo(
        self,
        *,
        to: str | int | None = None,
        steps: int | None = None,
        lock_timeout: float | None = None,
        check_data: str | None = None,
    ) -> UndoResult:
        """Take back the migration that was applied last, the last ``steps`` ones, or all that were applied after version ``to``.

        Raises HistoryMismatch, ProjectError or PreflightError where something stands against it (nothing was changed then), and
        what ``migrate`` raises.
        """
        from graphmigrate.migrations.reporting import undo

        return undo(self._workspace, _text(to), steps, lock_timeout, check_data)

    @translate_driver_errors
    def clean(self, *, all_data: bool = False, dry_run: bool = False) -> CleanResult:
        """Drop the constraints and indexes that this ledger's migrations made, and the ledger; ``all_data``: delete the data too.

        ``dry_run`` only says what would go. Raises UsageError (GM530) for a protected target.
        """
        from graphmigrate.migrations.clean import clean

        return clean(self._workspace, all_data=all_data, dry_run=dry_run)

    @translate_driver_errors
    def status(self) -> Status:
        """Return every version's state; writes nothing, takes no lock."""
        from graphmigrate.migrations.status import status

        return status(self._workspace)

    @translate_driver_errors
    def validate(self, *, offline: bool = False) -> tuple[Problem, ...]:
        """Collect every problem of files, history and pending statements; ``offline`` judges the files alone."""
        if offline:
            return tuple(self._workspace.read_all()[2])
        from graphmigrate.migrations import findings

        return findings.validate(self._workspace)

    @translate_driver_errors
    def baseline(
        self, version: str, *, without_files: bool = False, from_database: bool = False
    ) -> BaselineResult:
        """Mark every version up to ``version`` that has a file as there already, without running it.

        ``version`` must have a file, unless it is to be marked ``without_files``. A file that comes later is a late version.
        ``from_database`` writes that file first, from the constraints and indexes that are there.
        """
        from graphmigrate.migrations.as_found import write_as_found
        from graphmigrate.migrations.repair import mark_up_to

        limit = Version.parse(version)
        if from_database:
            return write_as_found(self._workspace, limit)
        return mark_up_to(self._workspace, limit, without_files=without_files)

    @translate_driver_errors
    def adopt(
        self, *, project: str | None = None, accept: Sequence[str] = (), dry_run: bool = False
    ) -> AdoptResult:
        """Take over the history of neo4j-migrations, neo4j-python-migrations or golang-migrate; nothing of it is changed."""
        from graphmigrate.migrations.adopt import adopt

        return adopt(self._workspace, project=project, accept=accept, dry_run=dry_run)

    @translate_driver_errors
    def repair(
        self,
        *,
        accept: Sequence[str] = (),
        forget: Sequence[str] = (),
        rerun: Sequence[str] = (),
        done: Sequence[str] = (),
        restore: Sequence[str] = (),
    ) -> RepairResult:
        """Show where history and files differ, and what something else changed in the history; resolve what is named.

        ``restore`` takes versions, and ``ledger`` for what is no migration's node; ``forget`` also takes ``V1..V9``, those of
        them that a baseline has marked.
        """
        from graphmigrate.migrations.repair import repair

        words = {"accept": accept, "forget": forget, "rerun": rerun, "done": done}
        return repair(self._workspace, words, restore)

    @translate_driver_errors
    def squash(self, to: str, *, scratch: Migrator | None = None) -> SquashResult:
        """Write one file in place of every migration up to ``to``, which move to ``squashed/``; no database is changed.

        Schema statements stand first where that makes the same graph in the empty database of ``scratch``, which is emptied
        again; without it the order stays. A database that has some of the migrations goes on with them.
        """
        from graphmigrate.migrations.squash import squash

        return squash(self._workspace, Version.parse(to), scratch._workspace.database if scratch else None)

    @translate_driver_errors
    def wait(self, timeout: float = 60.0) -> Target:
        """Wait until a real query on the target database succeeded twice in a row; a refused password fails at once."""
        return self._workspace.wait(timeout)

    # ---- seeds

    @translate_driver_errors
    def seed(
        self,
        names: Sequence[str] = (),
        *,
        profile: str | None = None,
        variables: Mapping[str, str] | None = None,
        force: bool = False,
        allow_duplicates: bool = False,
        reset: bool = False,
        strict: bool = False,
        yes: bool = False,
        lock_timeout: float | None = None,
    ) -> SeedResult:
        """Load seeds under the same lock as migrations; refuses while migrations are pending.

        ``force`` loads again what is unchanged, ``allow_duplicates`` also where that makes things twice, and ``reset``
        first removes what was made: each for the named seeds, all where none is named, and not for what these depend
        on. ``strict`` makes rows for which a MATCH finds nothing an error. A protected target takes seeds only with a
        ``profile`` and ``yes``.
        """
        from graphmigrate import seeds
        from graphmigrate.seeds.loader import run

        started = time.monotonic()
        standing.refuse_protected(self.settings, profile, yes=yes)
        workspace = self._workspace
        preparation = self._prepared(names, profile, variables)
        standing.refuse_pending(workspace)
        database, target = workspace.database, workspace.target
        choices = {"force": force, "allow_duplicates": allow_duplicates, "reset": reset}
        decided = seeds.decide(database, preparation, **choices)
        if decided.nothing_to_do:
            return SeedResult(target, (), decided.skipped, time.monotonic() - started)
        with workspace.locked(lock_timeout):
            decided = seeds.decide(database, preparation, **choices)
            loaded = run(database, decided, strict=strict, listen=workspace.listen)
        seconds = time.monotonic() - started
        return SeedResult(target, loaded, decided.skipped, seconds, workspace.summary())

    @translate_driver_errors
    def check_seeds(
        self,
        names: Sequence[str] = (),
        *,
        profile: str | None = None,
        variables: Mapping[str, str] | None = None,
        rows: bool = True,
        offline: bool = False,
    ) -> SeedCheckResult:
        """Render the seeds that ``seed`` would load, read their ``rows``, and let the server check every statement; load nothing.

        With ``offline`` no database is asked. Raises ProjectError or PreflightError for what is wrong with them.
        """
        from graphmigrate.seeds.checks import check

        preparation = self._prepared(names, profile, variables)
        workspace = self._workspace
        target, database = (None, None) if offline else (workspace.target, workspace.database)
        checked = check(database, preparation, rows=rows, listen=workspace.listen)
        return SeedCheckResult(target, checked, preparation.left_out)

    @translate_driver_errors
    def show_seed(
        self, name: str, *, variables: Mapping[str, str] | None = None, rows: int = 5
    ) -> SeedShowResult:
        """Return the Cypher that a seed sends, with its first rows; asks no database."""
        from graphmigrate.seeds.checks import show

        return show(self._prepared([name], None, variables), name, rows=rows)

    def _prepared(
        self, names: Sequence[str], profile: str | None, variables: Mapping[str, str] | None
    ) -> Preparation:
        from graphmigrate import seeds

        folder = self.settings.seeds
        return seeds.prepare(
            folder, names=names, profile=profile, variables=variables, settings=self.settings
        )

    @translate_driver_errors
    def seeds(self, *, offline: bool = False) -> tuple[SeedInfo, ...]:
        """List the seeds of the folder; with their state in the database unless ``offline``."""
        from graphmigrate import seeds

        if offline:
            return seeds.catalogue(self.settings.seeds)
        _ = self._workspace.target  # says in good words where there is no connection
        return seeds.catalogue(self.settings.seeds, self._workspace.database, self.settings)

    # ---- looking

    @translate_driver_errors
    def summary(self) -> GraphSummary:
        """Count nodes by label and relationships by type, the ledger's own left out.

        Raises HistoryMismatch (GM612), as every other method, where something else has changed the ledger's nodes.
        """
        self._workspace.warn(self._workspace.history().warnings)
        return self._workspace.summary()

    @translate_driver_errors
    def query(self, cypher: str) -> tuple[list[str], list[list[Any]]]:
        """Run a reading query; return its columns and rows. Raises UsageError (GM173) where the server refuses it."""
        return self._workspace.database.query(cypher)


def _text(version: str | int | None) -> str | None:
    return None if version is None else str(version)
