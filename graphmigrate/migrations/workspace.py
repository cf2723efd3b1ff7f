"""One project against one database: settings, the connection as it is first needed, files, history and lock."""

from __future__ import annotations

import getpass
import socket
import uuid
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from graphmigrate.database.version import ORDER
from graphmigrate.errors import GraphMigrateError, ProjectError, Severity, UsageError, raise_all
from graphmigrate.events import Warned
from graphmigrate.migrations.code import read_code
from graphmigrate.migrations.files import collect, holds_seeds, lack_of_files
from graphmigrate.migrations.model import FileKind
from graphmigrate.results import GraphSummary
from graphmigrate.settings import check_uri
from graphmigrate.settings.values import ledger_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.database.history import History
    from graphmigrate.database.lock import Lock
    from graphmigrate.database.target import DatabaseFacts
    from graphmigrate.errors import Problem
    from graphmigrate.events import Listener
    from graphmigrate.migrations.model import Migration, MigrationFile, MigrationFolder
    from graphmigrate.results import Target
    from graphmigrate.settings import Settings

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def translate_driver_errors(
    method: Callable[Concatenate[Any, _Given], _Result],
) -> Callable[Concatenate[Any, _Given], _Result]:
    """Let a method of the façade raise what the driver raises as an error of ours, which the command line shows too."""

    @wraps(method)
    def translated(self: Any, /, *args: _Given.args, **named: _Given.kwargs) -> _Result:
        order = ORDER.set(self.settings.version_order)
        try:
            return method(self, *args, **named)
        except GraphMigrateError:
            raise
        except Exception as error:
            from graphmigrate.database.failures import DriverFailure, driver_failure

            if not isinstance(error, DriverFailure):
                raise
            raise driver_failure(error, self.settings) from error
        finally:
            ORDER.reset(order)

    return translated


class Workspace:
    """What every command of the façade starts from; opens a connection only when one is needed."""

    def __init__(self, settings: Settings, driver: neo4j.Driver | None, listen: Listener) -> None:
        self.settings = settings
        self.listen = listen
        self._given_driver = driver
        self._opened: Database | None = None
        self._known_target: Target | None = None
        self._known_facts: DatabaseFacts | None = None

    def close(self) -> None:
        """Close the connection, where this object made it."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _check_given(self) -> None:
        """Refuse what a program that uses this as a library left out or mixed up (GM154, GM155, GM158, GM151, GM746)."""
        driver = self._given_driver
        try:
            ledger_of(self.settings.ledger)
        except ValueError as error:
            message = f"ledger must be {error}, not {self.settings.ledger!r}."
            raise UsageError(message, hint="For example: Migrator(ledger='team-a').", code="GM158") from None
        if driver is None and not self.settings.uri:
            raise UsageError(
                "Neither a driver nor a URI was given.",
                hint="For example: Migrator(driver=driver), or Migrator(uri='bolt://localhost:7687'). With "
                "Migrator.from_project() set NEO4J_URI: the local server is found by the command line only.",
                code="GM151",
            )
        if driver is None:
            check_uri(self.settings.uri)
        elif type(driver).__name__.startswith("Async"):
            raise UsageError(
                "Migrator needs a neo4j.Driver, and was given an AsyncDriver.",
                hint="Give it a driver of its own, and call it in a thread: await asyncio.to_thread(migrator.migrate).",
                code="GM746",
            )
        elif not hasattr(driver, "session"):
            raise UsageError(
                f"Migrator needs a neo4j.Driver, and was given a {type(driver).__name__}.",
                hint="Give it the driver, not what the driver made: Migrator(driver=driver).",
                code="GM746",
            )

    @property
    def database(self) -> Database:
        """The database, bound to this run's id."""
        if self._opened is None:
            self._check_given()
            from graphmigrate.database.connection import open_database

            self._opened = open_database(
                self.settings,
                self._given_driver,
                run=uuid.uuid4().hex,
                host=socket.gethostname(),
                user=user_name(),
            )
        return self._opened

    @property
    def target(self) -> Target:
        """Who answers there; asked once. Raises ConnectionFailed and NotAllowed."""
        from graphmigrate.database.target import read_target

        return self._known_target or self._learned(read_target(self.database))

    @property
    def facts(self) -> DatabaseFacts:
        """What kind of database it is, and its default language; asked once."""
        from graphmigrate.database.target import read_facts

        if self._known_facts is None:
            self._known_facts = read_facts(self.database, self.target)
            self.database.language = self._known_facts.language
        return self._known_facts

    def wait(self, timeout: float) -> Target:
        """Wait until the target answers twice in a row."""
        from graphmigrate.database.target import wait_for_target

        return self._learned(wait_for_target(self.database, timeout))

    def summary(self) -> GraphSummary:
        """Count nodes by label and relationships by type, the ledger's own left out."""
        from graphmigrate.database.catalogue import count

        return GraphSummary(*count(self.database))

    def _learned(self, target: Target) -> Target:
        self._known_target, self.database.name = target, target.database
        return target

    def files(self, *, strict: bool = True, may_be_empty: bool = False) -> MigrationFolder:
        """Collect the migrations folder; ``strict`` raises what is wrong with it (ProjectError) and tells warnings.

        A folder without a migration is wrong too (GM110), unless it ``may_be_empty`` or the settings allow it.
        """
        folder = collect(self.settings.migrations)
        if not self.settings.allow_empty:
            seeds_alone = self.settings.allow_empty is None and holds_seeds(self.settings.seeds)
            lack = lack_of_files(folder, allowed=may_be_empty or seeds_alone)
            folder = folder._replace(problems=(*folder.problems, *lack))
        if strict:
            self.warn(folder.problems)
            raise_all(
                folder.problems, ProjectError, "The migrations folder has {count} problems; nothing was run."
            )
        return folder

    def warn(self, problems: Iterable[Problem]) -> None:
        """Tell the warnings among these problems while a command works."""
        for problem in problems:
            if problem.severity is Severity.WARNING:
                self.listen(Warned(problem))

    def history(self) -> History:
        """Read what the database remembers. Raises ConnectionFailed, NotAllowed and HistoryMismatch."""
        with self._asked_history() as answer:
            return answer()

    def _asked_history(self) -> AbstractContextManager[Callable[[], History]]:
        from graphmigrate.database.ledger import asked_history

        return asked_history(self.database)

    def files_and_history(self, *, strict: bool = True) -> tuple[MigrationFolder, History]:
        """Read the files while the server collects the history; where both go wrong, what is wrong with the files is raised."""
        with ExitStack() as stack:
            try:
                _ = self.target
                answer = stack.enter_context(self._asked_history())
            except GraphMigrateError:
                self.files(strict=strict, may_be_empty=not strict)
                raise
            return self.files(strict=strict, may_be_empty=not strict), answer()

    def read(self, file: MigrationFile) -> tuple[Migration, list[Problem]]:
        """Read one migration with everything that is wrong with it."""
        from graphmigrate.migrations.reader import read  # imports all that is known of Cypher

        if file.type == "python":
            migration, found = read_code(file)
            return migration, list(found)
        migration, problems = read(
            file,
            max_statement_bytes=self.settings.max_statement_size,
            placeholders=self.settings.placeholders,
        )
        if file.kind in {
            FileKind.REPEATABLE,
            FileKind.CALLBACK,
        }:  # its name says what the word `repeatable` says
            options = migration.header.options._replace(repeatable=True)
            migration = migration._replace(header=migration.header._replace(options=options))
        return migration, list(problems)

    def read_all(self) -> tuple[MigrationFolder, dict[MigrationFile, Migration], list[Problem]]:
        """Read every file of the folder, undos left out, with everything that is wrong with them."""
        folder = self.files(strict=False)
        read = {file: self.read(file) for file in (*folder.files, *folder.callbacks)}
        problems = [*folder.problems, *(each for _, found in read.values() for each in found)]
        return folder, {file: migration for file, (migration, _) in read.items()}, problems

    def read_one(self, file: MigrationFile) -> Migration:
        """Read one migration; raises ProjectError where it is wrong."""
        migration, problems = self.read(file)
        raise_all(problems, ProjectError, "{count} problems in the pending files; nothing was run.")
        return migration

    @contextmanager
    def locked(self, lock_timeout: float | None, *, repairing: bool = False) -> Iterator[Lock]:
        """Hold the lock and own the ledger; ``lock_timeout`` in seconds, the setting's where it is None.

        ``repairing``: also where the ledger's nodes are not what they must be.
        """
        from graphmigrate.database.lock import held

        with self.database.deciding_as(uuid.uuid4().hex):
            self.database.name = self.target.database  # asks, where it is not known yet
            _ = self.facts
            seconds = self.settings.lock_timeout if lock_timeout is None else lock_timeout
            with held(self.database, self.listen, seconds, repairing=repairing) as lock:
                yield lock


def user_name() -> str:
    """Return the name of the person at work, for the history; ``unknown`` where the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"  # a container's numeric user without a name; ImportError: Windows without USERNAME
