"""What can be said about a plan's statements without running them: edition, names, silent no-ops (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphmigrate.cypher.clauses import judge, tokens_within
from graphmigrate.cypher.kinds import calls_of, keywords
from graphmigrate.cypher.lexer import unquoted, word_of
from graphmigrate.cypher.model import Kind
from graphmigrate.database.guard import allowed_names, any_label
from graphmigrate.database.queries import LEDGER_LABELS
from graphmigrate.errors import Problem, Severity
from graphmigrate.schema.compare import apply, conflict, fault, holds
from graphmigrate.schema.model import FOR_ENTERPRISE, ObjectType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from graphmigrate.cypher.lexer import Token
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


# ---- what a statement would do to the bookkeeping nodes and their constraints

_SCHEMA_ASSERT = re.compile(r"apoc\.schema\.assert")
_METADATA = re.compile(r"tx\.setMetaData")
_CONSTRAINTS = "__graphmigrate"
_KEPT = "graphmigrate needs them to keep its history."


def about_ours(
    statement: Statement, segment: Segment, task: Task, allowed: Collection[str]
) -> Iterator[Problem]:
    """Yield what a statement would do to the bookkeeping nodes and constraints that cannot be put back."""
    if calls_of(statement.text, _METADATA):
        yield Problem(
            "GM520",
            "tx.setMetaData would replace the words by which other runs know this transaction.",
            "Delete the call: the transaction tells already which run it belongs to.",
            statement.place,
        )
    yield from _about_constraints(statement)
    alone = segment.kind is Kind.AUTOCOMMIT or (segment.batched and segment.kind is Kind.DATA)
    if alone and judge(statement.text).refused:
        yield reaching_ours(statement, task, allowed, batches="batch" if segment.batched else "")


def reaching_ours(
    statement: Statement, task: Task, allowed: Collection[str], *, batches: str = ""
) -> Problem:
    """Return the finding about a statement that may reach the bookkeeping nodes where they cannot be put back."""
    found = judge(statement.text).reaches
    version = task.migration.file.version
    return any_label(
        statement.text,
        statement.place_at(found[0].start if found else 0),
        version.name,
        batches=batches,
        allowed=version.canonical in allowed,
    )


def _about_constraints(statement: Statement) -> Iterator[Problem]:
    """Yield that a statement removes our constraints, in its own words or in a text that a procedure runs."""
    words = list(tokens_within(statement.text))
    upper = [word_of(token) for token in words]
    for at, word in enumerate(upper):
        graph_type = upper[at : at + 4] == ["ALTER", "CURRENT", "GRAPH", "TYPE"]
        if (
            word == "DROP"
            and upper[at + 1 : at + 2] in (["CONSTRAINT"], ["INDEX"])
            and _is_ours(words[at + 2 : at + 3])
        ):
            yield removes_ours(statement)
        elif graph_type and upper[at + 4 : at + 5] == ["SET"]:
            hint = "Write ALTER CURRENT GRAPH TYPE ADD { … }, ALTER { … } or DROP { … }"
            yield _removes(
                statement, "replaces every constraint, those of graphmigrate's own nodes too", hint
            )
        elif graph_type and any(_is_ours([token]) for token in words[at:]):
            yield _removes(statement, "changes a constraint of graphmigrate's own nodes", "Leave it out")
    asserts = calls_of(statement.text, _SCHEMA_ASSERT)
    if any([token.text.lower() for token in arguments[-2:]] != [",", "false"] for arguments in asserts):
        hint = "Give apoc.schema.assert false as its third argument, or write CREATE and DROP statements"
        yield _removes(
            statement, "drops what it does not list, the constraints of graphmigrate's own nodes too", hint
        )


def removes_ours(statement: Statement) -> Problem:
    """Return the refusal of a statement that drops one of our constraints."""
    return _removes(statement, "drops a constraint of graphmigrate's own nodes", "Delete it")


def _removes(statement: Statement, what: str, hint: str) -> Problem:
    return Problem("GM520", f"This statement {what}.", f"{hint}: {_KEPT}", statement.place)


def _is_ours(name: Sequence[Token]) -> bool:
    return bool(name) and unquoted(name[0]).lower().startswith(_CONSTRAINTS)
