"""What runs without a row in the history: callbacks around a run, and one file by itself (``run FILE``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from graphmigrate.database import commit
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.commit import Step
from graphmigrate.database.first_use import prepare_ledger
from graphmigrate.database.version import Version
from graphmigrate.errors import MigrationFailed, ProjectError, UsageError, raise_all
from graphmigrate.migrations import checks, data_check, findings
from graphmigrate.migrations.model import MigrationFile, Outcome, checksum
from graphmigrate.migrations.plan import Plan, unrecorded_task
from graphmigrate.migrations.run_state import RunState
from graphmigrate.migrations.runner import Runner
from graphmigrate.results import RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import neo4j

    from graphmigrate.database.lock import Lock
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.migrations.workspace import Workspace

_UNRECORDED = "Nothing of this file is recorded: what was committed before stays. Correct it and run again."


class Unrecorded(RunState):
    """The state of a run whose commits have no row; with ``once`` none is tried again: nothing tells whether it took effect."""

    once: bool = False

    def step(self, task: Task, segment: Segment | None, reached: int, **values: Any) -> Step:
        """Return a step that is not written."""
        del segment, reached, values
        return Step(task.key, 1, {}, task.name)

    def stage(self, step: Step) -> None:
        """Keep nothing."""

    def skip(self, task: Task, reason: str) -> None:
        """Remember nothing."""

    def commit(
        self, *own: Step, work: Callable[[neo4j.Transaction], Any] = lambda _: None, **options: Any
    ) -> Any:
        """Commit the work alone."""
        del own
        if self.once:
            options["backoff"] = Backoff(attempts=1)
        return commit.commit(self.database, (), work, **options)


def run_unrecorded(workspace: Workspace, lock: Lock, tasks: Sequence[Task], *, once: bool = False) -> Outcome:
    """Run tasks in order, without a row."""
    state, outcome = Unrecorded(workspace.database, lock, 0, workspace.listen), Outcome()
    state.once = once
    try:
        Runner(state, read_catalogue(workspace.database)).run(tasks, outcome)
    except MigrationFailed as failure:
        if failure.hint and ("is recorded" in failure.hint or "graphmigrate repair" in failure.hint):
            failure.hint = _UNRECORDED
        raise
    return outcome


def run_file(workspace: Workspace, path: Path, lock_timeout: float | None) -> RunResult:
    """Run one file under the lock, checked as a migration is, without a row; see ``Migrator.run``."""
    started = time.monotonic()
    if path.suffix == ".py":
        raise UsageError(f"{path} is Python; `run` takes a file of Cypher.", hint="Run it as a migration.")
    try:
        content = path.read_bytes() if path.is_file() or not path.exists() else b""
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or str(error)).lower()}."
        raise ProjectError(message, hint="Name a file of Cypher.", code="GM118") from None
    file = MigrationFile(Version.named(path.name), "", str(path), path.name, checksum(content), content)
    task, problems, skipped = unrecorded_task(workspace, file)
    raise_all(problems, ProjectError, "{count} problems in the file; nothing was run.")
    if task is None:
        return RunResult(workspace.target, str(path), 0, time.monotonic() - started, skipped)
    planned = Plan(before=(task,))
    explained = findings.preflight(workspace, planned, workspace.history())
    with workspace.locked(lock_timeout) as lock:
        history = workspace.history()
        if history.record is not None:
            raise UsageError(
                "A run died, and what it left is not recovered; nothing was run.",
                hint="Run first: graphmigrate migrate",
                code="GM211",
            )
        if not explained:
            findings.preflight(workspace, planned, history)
        catalogue = read_catalogue(workspace.database)
        findings.refuse(checks.check_catalogue((task,), catalogue))
        findings.refuse(data_check.check_data(workspace.database, (task,), catalogue))
        outcome = run_unrecorded(workspace, lock, (task,), once=True)
        prepare_ledger(workspace.database)  # a statement may have dropped the constraints on our own nodes
    ran = len(task.migration.statements) if outcome.applied else 0
    skipped = outcome.skipped[0].reason if outcome.skipped else None
    return RunResult(workspace.target, str(path), ran, time.monotonic() - started, skipped)
