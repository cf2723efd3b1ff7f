"""What can be said about a plan's statements without running them: edition, names, silent no-ops (pure)."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from graphmigrate.cypher.deleting import AnyNode, deletes_any_node
from graphmigrate.cypher.kinds import arguments_of, calls_one_of, keywords
from graphmigrate.cypher.lexer import is_significant, nesting, tokens
from graphmigrate.cypher.model import Kind
from graphmigrate.errors import Problem, Severity
from graphmigrate.schema.compare import apply, conflict, fault, holds
from graphmigrate.schema.model import FOR_ENTERPRISE, ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphmigrate.cypher.lexer import Token
    from graphmigrate.cypher.model import Statement
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.results import Target
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import DdlAction

_ON_ERROR = re.compile(r"ON ERROR (?:RETRY (?:FOR SEC\w* )?THEN )?(?:CONTINUE|BREAK)\b")
_RETRY_ALONE = re.compile(r"ON ERROR RETRY\b(?! (?:FOR SEC\w* )?THEN\b)")
_SCHEMA_ASSERT = re.compile(r"apoc\.schema\.assert")
_METADATA = re.compile(r"tx\.setMetaData")
SAFE_TO_REPEAT = {
    *("GRANT", "DENY", "REVOKE", "ALTER", "START", "STOP", "ENABLE"),
    *("SHOW", "DRYRUN", "REALLOCATE"),
}
NEVER_GUARDED = {
    *(("DEALLOCATE", "DATABASE"), ("DEALLOCATE", "DATABASES"), ("DROP", "SERVER"), ("RENAME", "SERVER")),
    ("ALTER", "CURRENT"),  # USER SET PASSWORD FROM the old one
}
"""Beginnings of commands that know no ``IF EXISTS``, and may not run twice."""


def check(tasks: Sequence[Task], target: Target, catalogue: Catalogue) -> list[Problem]:
    """Walk the plan in order, with the catalogue as it will be at each statement; all findings."""
    return [*check_statements(tasks, target), *check_catalogue(tasks, catalogue)]


def check_catalogue(tasks: Iterable[Task], catalogue: Catalogue) -> list[Problem]:
    """Find the DDL that would be refused, or silently do nothing."""
    problems: list[Problem] = []
    for task, statement, action in _actions(tasks):
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


def check_statements(tasks: Iterable[Task], target: Target) -> list[Problem]:
    """Judge each statement by itself; needs no database."""
    problems: list[Problem] = []
    for task in tasks:
        for segment in task.remaining:
            for statement, action in with_actions(segment):
                problems.extend(_of_kind(statement, segment, task))
                if action:
                    problems.extend(_of_action(statement, action, target, task))
    return problems


def _actions(tasks: Iterable[Task]) -> Iterator[tuple[Task, Statement, DdlAction]]:
    for task in tasks:
        for segment in task.remaining:
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
    if calls_one_of(statement.text, _METADATA):
        yield Problem(
            "GM520",
            "tx.setMetaData would replace the words by which other runs know this transaction.",
            "Delete the call: the transaction tells already which run it belongs to.",
            statement.place,
        )
    if segment.kind not in {Kind.AUTOCOMMIT, Kind.SYSTEM}:
        return
    if segment.kind is Kind.AUTOCOMMIT:
        yield from _of_autocommit(statement)
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


def _of_autocommit(statement: Statement) -> Iterator[Problem]:
    reach = deletes_any_node(statement.text)
    if reach and not _names_own_nodes(statement):
        surely = reach is AnyNode.SURELY
        yield Problem(
            "GM520",
            f"This statement {'deletes every node' if surely else 'may delete nodes of any label'}, graphmigrate's own "
            "among them, and commits while it runs: it could not be rolled back.",
            "Exclude them: MATCH (n) WHERE none(l IN labels(n) WHERE l STARTS WITH '__GraphMigrate') …",
            statement.place,
            Severity.ERROR if surely else Severity.WARNING,
        )
    if _drops_all_others(statement):
        yield Problem(
            "GM520",
            "apoc.schema.assert drops every constraint and index that it does not name, graphmigrate's own among them: "
            "it would wait for the lock of this very run without end.",
            "Give it false as its third argument, or write CREATE and DROP statements.",
            statement.place,
        )
    yield from _unsaid_failures(statement)


def _names_own_nodes(statement: Statement) -> bool:
    return any("__GraphMigrate" in token.text for token in tokens(statement.text) if is_significant(token))


def _drops_all_others(statement: Statement) -> bool:
    """Whether it calls apoc.schema.assert without a literal ``false`` as the third argument, ``dropExisting``."""
    calls = arguments_of(statement.text, _SCHEMA_ASSERT)
    return any(_last_of(call) != [",", "false"] for call in calls)


def _last_of(call: Sequence[Token]) -> list[str]:
    """Return the last two words, in lower case, before the bracket that closes a call."""
    depths = accumulate(map(nesting, call), initial=1)
    end = next((at for at, depth in enumerate(depths) if not depth), len(call) + 1) - 1
    return [token.text.lower() for token in call[max(0, end - 2) : end]]


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
