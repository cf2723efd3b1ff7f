"""A plan or a status as Markdown, for the comment of a pull request (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphmigrate.cli.render.style import clean, clean_lines, count
from graphmigrate.cli.render.text import committed, executed, refusal, status_counts
from graphmigrate.errors import Severity
from graphmigrate.results import titled, version_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphmigrate.errors import GraphMigrateError, Problem
    from graphmigrate.results import PlannedMigration, PlanResult, Status, Target

LONGEST = 60_000  # characters; GitHub takes 65,536 in one comment
MARK = {Severity.ERROR: "❌", Severity.WARNING: "⚠️"}


def plan(result: PlanResult) -> list[str]:
    """Return the plan: a table, every statement to unfold, what is skipped, and every finding.

    The URI is left out: comments are read by people who need not know it.
    """
    lines = [f"### graphmigrate: {_planned_title(result)}", "", _where(result.target)]
    if result.migrations:
        heads = ("version", "description", "file", "statements")
        lines += ["", *_table(heads, [_planned_row(each) for each in result.migrations])]
    costs = [
        f"- {MARK[Severity.WARNING]} **{_text(version_name(each.version))}** {_text(one.hazard)} ({_text(one.file)}:{one.line})"
        for each in result.migrations
        for one in each.statements
        if one.hazard
    ]
    lines += ["", *costs] if costs else []
    if result.callbacks:
        lines += ["", f"Around them run: {', '.join(map(_text, result.callbacks))}"]
    if result.executed:
        lines += ["", *(f"- {_text(executed(each))}" for each in result.executed)]
    if result.skipped:
        lines += [
            "",
            *(
                f"- {_text(titled(each.version, each.description))} is skipped: {_text(each.reason)}"
                for each in result.skipped
            ),
        ]
    lines += findings(result.problems)
    return lines + _details(result.migrations, LONGEST - sum(map(len, lines)))


def _planned_title(result: PlanResult) -> str:
    refused = refusal(result.problems)
    if refused:
        return refused
    if not result.migrations:
        return "nothing to do"
    statements = sum(len(each.statements) for each in result.migrations)
    what = f"to {'undo' if result.undo else 'apply'}, {count(statements, 'statement')}"
    return f"{count(len(result.migrations), 'migration')} {what}"


def _planned_row(each: PlannedMigration) -> tuple[str, ...]:
    kinds: dict[str, int] = {}
    for statement in each.statements:
        kinds[statement.kind] = kinds.get(statement.kind, 0) + 1
    said = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    return version_name(each.version), each.description, each.file, said + committed(each)


def _details(migrations: Iterable[PlannedMigration], room: int) -> list[str]:
    """Return the statements of each migration, as long as a comment has room for them."""
    lines: list[str] = []
    for each in migrations:
        text = "\n\n".join(f"{clean_lines(one.text)};" for one in each.statements)
        block = [
            "",
            f"<details><summary>{_text(titled(each.version, each.description))}</summary>",
            "",
            *_fenced(text, "cypher"),
            "",
            "</details>",
        ]
        room -= sum(map(len, block)) + len(block)
        if room < 0:
            return [
                *lines,
                "",
                "The statements of the other migrations are too long for this place: see the files.",
            ]
        lines += block
    return lines


def status(result: Status) -> list[str]:
    """Return the table of ``status``, and every finding."""
    heads = ("version", "description", "state", "when", "by")
    rows = [
        (
            version_name(row.version),
            row.description,
            row.state.value,
            f"{row.installed_on:%Y-%m-%d %H:%M:%S}" if row.installed_on else "",
            row.installed_by or "",
        )
        for row in result.rows
    ]
    lines = [f"### graphmigrate: {_text(status_counts(result).rstrip('.'))}", "", _where(result.target)]
    return lines + (["", *_table(heads, rows)] if rows else []) + findings(result.problems)


def error(failure: GraphMigrateError) -> list[str]:
    """Return an error with every finding in it."""
    head = _finding(
        failure.error_code, failure.message, failure.hint, str(failure.place or ""), Severity.ERROR
    )
    others = [each for each in failure.problems if each.message != failure.message]
    return ["### graphmigrate failed", "", head, *findings(others)]


def findings(problems: Iterable[Problem]) -> list[str]:
    """Return each finding as a line of a list."""
    lines = [
        _finding(each.code, each.message, each.hint, str(each.place or ""), each.severity)
        for each in problems
    ]
    return ["", *lines] if lines else []


def _finding(code: str, message: str, hint: str | None, place: str, severity: Severity) -> str:
    where = f" ({_text(place)})" if place else ""
    then = f" *{_text(hint)}*" if hint else ""
    return f"- {MARK[severity]} **{code}** {_text(message)}{where}{then}"


def _where(target: Target) -> str:
    return f"Database {_text(target.database)}, Neo4j {_text(target.version)} {_text(target.edition)}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    return lines + [f"| {' | '.join(map(_text, row))} |" for row in rows]


def _text(text: str) -> str:
    """Write a text so that nothing in it is markup, a mention or a link of an issue."""
    line = clean(" ".join(text.split()))
    escaped = re.sub(r"([\\`*_{}\[\]<>|~])", r"\\\1", line.replace("&", "&amp;"))
    return re.sub(r"([@#])(?=\w)", "\\1\N{ZERO WIDTH NON-JOINER}", escaped)


def _fenced(text: str, language: str) -> list[str]:
    """Fence a text with more backticks than any run in it has (CommonMark, "Fenced code blocks")."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]
