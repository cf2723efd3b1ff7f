"""Refuse what a planned statement would do to the bookkeeping nodes and their constraints, before anything runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphmigrate.cypher.clauses import judge, tokens_within
from graphmigrate.cypher.kinds import calls_of
from graphmigrate.cypher.lexer import unquoted, word_of
from graphmigrate.cypher.model import Kind
from graphmigrate.database.guard import any_label
from graphmigrate.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from graphmigrate.cypher.lexer import Token
    from graphmigrate.cypher.model import Statement
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.segments import Segment

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
