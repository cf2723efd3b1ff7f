"""What can be said about a plan's statements without running them: edition, names, silent no-ops (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphmigrate.cypher.kinds import keywords
from graphmigrate.cypher.model import Kind
from graphmigrate.database.guard import allowed_names
from graphmigrate.database.queries import LEDGER_LABELS
from graphmigrate.errors import Problem, Severity
from graphmigrate.migrations.ours import about_ours, removes_ours
from graphmigrate.schema.compare import apply, conflict, fault, holds
from graphmigrate.schema.model import FOR_ENTERPRISE, ObjectType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.results import Target
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import DdlAction

_ON_ERROR = re.compile(r"ON ERROR (?:RETRY (?:FOR SEC\w* )?THEN )?(?:CONTINUE|BREAK)\b")
_RETRY_ALONE = re.compile(r"ON ERROR RETRY\b(?! (?:FOR SEC\w* )?THEN\b)")
SAFE_TO_REPEAT = {
    *("GRANT", "DENY", "REVOKE", "ALTER", "START", "STOP", "ENABLE"),
    *("SHOW", "DRYRUN", "REALLOCATE"),
}
NEVER_GUARDED = {
    *(("DEALLOCATE", "DATABASE"), ("DEALLOCATE", "DATABASES"), ("DROP", "SERVER"), ("RENAME", "SERVER")),
    ("ALTER", "CURRENT"),  # USER SET PASSWORD FROM the old one
}
"""Beginnings of commands that know no ``IF EXISTS``, and may not run twice."""


def check(
    tasks: Sequence[Task], target: Target, catalogue: Catalogue, allowed: Collection[str] = ()
) -> list[Problem]:
    """Walk the plan in order, with the catalogue as it will be at each statement; all findings."""
    return [*check_statements(tasks, target, allowed), *check_catalogue(tasks, catalogue)]


def check_catalogue(tasks: Iterable[Task], catalogue: Catalogue) -> list[Problem]:
    """Find the DDL that would be refused, or silently do nothing."""
    problems: list[Problem] = []
    for task, statement, action in _actions(tasks):
        own = catalogue.constraints.get(action.name or "") if action.verb == "drop" else None
        if own is not None and not set(LEDGER_LABELS.values()).isdisjoint(own.object.labels):
            problems.append(removes_ours(statement))
        found = conflict(action, catalogue)
        if found:
            harmless = _is_guarded_lookup(action) or may_be_skipped(task)
            severity = Severity.WARNING if harmless else Severity.ERROR
            problems.append(Problem("GM206", found, _CONFLICT_HINT, statement.place, severity))
        elif action.target and holds(action, catalogue) and "OPTIONS" in keywords(statement.text):
            problems.append(_kept_options(statement, action))
        catalogue = apply([action], catalogue)
    return problems


def _kept_options(statement: Statement, action: DdlAction) -> Problem:
    return Problem(
        "GM206",
        f"This {action.of} exists already; with IF NOT EXISTS its OPTIONS stay as they are, whatever is written here.",
        "Compare with SHOW INDEXES YIELD name, options; to change them, drop it first.",
        statement.place,
        Severity.WARNING,
    )


def _is_guarded_lookup(action: DdlAction) -> bool:
    """Every new database has both token lookup indexes, under names that the server chose: any will do."""
    return action.guarded and action.target is not None and action.target.type is ObjectType.LOOKUP


def may_be_skipped(task: Task) -> bool:
    """Whether a query decides, just before it, that a migration is left out here: then it need not fit this database."""
    return task.row is None and any(each.mode == "assume" for each in task.migration.header.queries)


def check_statements(tasks: Iterable[Task], target: Target, allowed: Collection[str] = ()) -> list[Problem]:
    """Judge each statement by itself; needs no database. ``allowed`` are the versions that may reach nodes of any label."""
    names = allowed_names(allowed)
    problems: list[Problem] = []
    for task in tasks:
        problems.extend(_about_use(task, target))
        for segment in task.segments:
            for statement, action in with_actions(segment):
                problems.extend(about_ours(statement, segment, task, names))
                problems.extend(_of_kind(statement, segment, task))
                if action:
                    problems.extend(_of_action(statement, action, target, task))
    return problems


def _about_use(task: Task, target: Target) -> Iterator[Problem]:
    """Hold ``:use`` lines against the database that the whole run goes to."""
    for name, place in task.migration.uses:
        if name.lower() != target.database.lower():
            yield Problem(
                "GM106",
                f":use {name} names another database than the one that is migrated, {target.database}.",
                f"Migrate that one with --database {name}, and keep its files in a folder of their own (--migrations); "
                "or delete the line.",
                place,
            )


def _actions(tasks: Iterable[Task]) -> Iterator[tuple[Task, Statement, DdlAction]]:
    for task in tasks:
        for segment in task.segments:
            for statement, action in with_actions(segment):
                if action:
                    yield task, statement, action


def with_actions(segment: Segment) -> Iterator[tuple[Statement, DdlAction | None]]:
    """Yield the segment's statements, each with what it does to the schema."""
    if segment.kind is Kind.SCHEMA:
        yield from zip(segment.statements, segment.actions, strict=True)
    else:
        yield from ((statement, None) for statement in segment.statements)


def _of_kind(statement: Statement, segment: Segment, task: Task) -> Iterator[Problem]:
    if segment.kind not in {Kind.AUTOCOMMIT, Kind.SYSTEM}:
        return
    if segment.kind is Kind.AUTOCOMMIT:
        yield from _unsaid_failures(statement)
    if not task.migration.header.options.repeatable:
        if segment.kind is Kind.SYSTEM:
            yield from _of_system(statement)
        unread = statement.kind is Kind.SCHEMA  # else it were in a schema segment
        yield Problem(
            "GM221",
            "This form of DDL is not known here: after an interruption its effect is unknown until you say."
            if unread
            else "The server commits inside this statement: after an interruption its effect is unknown until you say.",
            "If it may safely run again, declare it: // graphmigrate: repeatable",
            statement.place,
            Severity.WARNING,
        )


def _of_system(statement: Statement) -> Iterator[Problem]:
    words = keywords(statement.text)
    guarded = "EXISTS" in words or words[:3] == ["CREATE", "OR", "REPLACE"]
    hint = "Write it with IF NOT EXISTS (or IF EXISTS), so that an interrupted run can be repeated."
    if tuple(words[:2]) in NEVER_GUARDED:
        hint = "Neo4j has no such form of it: give it a migration of its own that says // graphmigrate: repeatable"
    elif guarded or words[0] in SAFE_TO_REPEAT:
        return
    message = "This administration command has no IF [NOT] EXISTS: run twice, it would fail."
    yield Problem("GM207", message, hint, statement.place)


def _unsaid_failures(statement: Statement) -> Iterator[Problem]:
    """``ON ERROR CONTINUE`` and ``BREAK`` end without an error, whatever was left out."""
    words = " ".join(keywords(statement.text))
    if _RETRY_ALONE.search(words):
        yield Problem(
            "GM130",
            "ON ERROR RETRY without THEN leaves out batches that fail again, and the migration counts as applied.",
            "Write ON ERROR RETRY THEN FAIL.",
            statement.place,
            Severity.WARNING,
        )
    found = _ON_ERROR.search(words)
    if found:
        yield Problem(
            "GM130",
            f"With {found[0]} the server leaves out batches that fail, and the migration counts as applied.",
            "Write ON ERROR FAIL (the default), or let a later statement check that nothing is left to do.",
            statement.place,
            Severity.WARNING,
        )


def _of_action(statement: Statement, action: DdlAction, target: Target, task: Task) -> Iterator[Problem]:
    wanted = action.target
    wrong = fault(action)
    if wrong:
        yield Problem(
            "GM201", wrong, "Nothing was run; correct the statement and run again.", statement.place
        )
    if wanted is not None and wanted.type.needs_enterprise and target.edition == "community":
        yield Problem(
            "GM205",
            f"Neo4j Community Edition has no {wanted.type.value}s.",
            FOR_ENTERPRISE,
            statement.place,
            Severity.WARNING if may_be_skipped(task) else Severity.ERROR,
        )
    if action.name is None and action.verb == "create":
        yield Problem(
            "GM220",
            f"This {action.of} has no name of its own: the server will choose one, which differs between databases.",
            f"Name it: CREATE {action.of.upper()} a_name …",
            statement.place,
            Severity.WARNING,
        )


_CONFLICT_HINT = "Compare with SHOW CONSTRAINTS and SHOW INDEXES; drop or rename one of the two."
