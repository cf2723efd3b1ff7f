"""The whole way of an undo: that of a run (``apply``), with the way back of each migration in place of the migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.database.history import UNDO, undo_key
from graphmigrate.database.records import read_run_record
from graphmigrate.events import Notice
from graphmigrate.migrations import apply, findings
from graphmigrate.migrations.model import Outcome
from graphmigrate.migrations.plan import Plan
from graphmigrate.migrations.undo_plan import choose, make_undo_plan

if TYPE_CHECKING:
    from graphmigrate.database.history import History
    from graphmigrate.migrations.workspace import Workspace


def undo(
    workspace: Workspace,
    to: str | None,
    steps: int | None,
    lock_timeout: float | None,
    check_data: str | None,
) -> apply.Run:
    """Take back the migrations that were applied last: all is checked before the lock is asked for, and again under it."""
    files, history = workspace.files_and_history()
    workspace.warn(history.warnings)
    planned, outcome, explained = Plan(), Outcome(), False
    if history.record is None:
        planned = make_undo_plan(workspace, files, history, to, steps)
        if not planned.tasks:
            return apply.Run(planned, history, outcome)
        explained = findings.preflight(workspace, planned, history)
    else:
        choose(history, to, steps)  # what is wrong with the words is said at once
    with workspace.locked(lock_timeout) as lock:
        before = workspace.history()
        left = _left_by_the_dead(workspace, before) if to is None else None
        history = apply.recover(workspace, lock, files, outcome)
        if left is not None:
            steps = sum(undo_key(row.key) in left for row in history.rows.values())
            workspace.listen(
                Notice("An undo that died had begun: this one finishes it, and takes no more back.")
            )
        if left is None or steps:
            planned = make_undo_plan(workspace, files, history, to, steps)
            if not explained:
                findings.preflight(workspace, planned, history)
            apply.run(workspace, lock, files, planned, history, outcome, check_data)
        else:
            planned = Plan()
    return apply.Run(planned, history, outcome)


def _left_by_the_dead(workspace: Workspace, history: History) -> set[str] | None:
    """Return the keys that an undo meant to take back which never said that it ended; None where there was none."""
    record = read_run_record(workspace.database, history.record) if history.record else None
    keys = {item["key"] for item in record.plan if item["type"] == UNDO} if record else set()
    return keys or None
