"""Findings as GitHub's workflow annotations and as a JUnit report (``--output github``, ``--output junit``)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from graphmigrate.cli.render.style import clean, clean_lines
from graphmigrate.errors import Problem, Severity
from graphmigrate.results import version_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.errors import GraphMigrateError
    from graphmigrate.results import PlanResult

NOWHERE = "history and database"  # where what is not about a file stands in a JUnit report


def of_error(failure: GraphMigrateError) -> Sequence[Problem]:
    """Return the findings in an error; where there are none, the error as one."""
    return failure.problems or (Problem(failure.error_code, failure.message, failure.hint, failure.place),)


def workflow_commands(problems: Iterable[Problem]) -> list[str]:
    """Return one workflow command a finding, which GitHub shows at its line (GitHub, "Workflow commands")."""
    return [
        _command(
            each.severity.value,
            f"{each.message}\n{each.hint}" if each.hint else each.message,
            each.code,
            (each.place.file, each.place.line, each.place.column) if each.place else None,
        )
        for each in problems
    ]


def hazards(result: PlanResult) -> list[str]:
    """Return a notice for each statement of a plan that could cost something."""
    return [
        _command("notice", f"{version_name(each.version)}: {one.hazard}.", "plan", (one.file, one.line, 1))
        for each in result.migrations
        for one in each.statements
        if one.hazard
    ]


def _command(word: str, text: str, title: str, place: tuple[str, int, int] | None) -> str:
    named = {"title": title}
    if place:
        file, line, column = place
        root = os.environ.get("GITHUB_WORKSPACE")  # paths of annotations begin there
        named |= {
            "file": os.path.relpath(file, root) if root else file,
            "line": str(line),
            "col": str(column),
        }
    said = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in named.items())
    return f"::{word} {said}::{_escaped(clean_lines(text))}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def junit(suite: str, checked: Iterable[str], problems: Iterable[Problem]) -> list[str]:
    """Return a JUnit report: a case for each file that was checked, or that has a finding.

    It is ASCII, so that it is what it says in any encoding of standard output.
    """
    found: dict[str, list[Problem]] = {each: [] for each in checked}
    for each in problems:
        found.setdefault(each.place.file if each.place else NOWHERE, []).append(each)
    found = found or {suite: []}
    cases = [line for name, its in found.items() for line in _case(suite, name, its)]
    failures = sum(each.severity is Severity.ERROR for its in found.values() for each in its)
    counts = f'name="{_xml(suite)}" tests="{len(found)}" failures="{failures}" errors="0"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>", f"<testsuite {counts}>"]
    return [*lines, *cases, "</testsuite>", "</testsuites>"]


def _case(suite: str, name: str, problems: Sequence[Problem]) -> list[str]:
    lines = []
    for each in problems:
        text = "\n".join(filter(None, (str(each), each.hint)))
        if each.severity is Severity.ERROR:
            lines.append(f'<failure type="{each.code}" message="{_xml(each.message)}">{_xml(text)}</failure>')
        else:
            lines.append(f"<system-out>{_xml(f'warning {each.code}: {text}')}</system-out>")
    return [f'<testcase classname="{_xml(suite)}" name="{_xml(name)}">', *lines, "</testcase>"]


def _xml(text: str) -> str:
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    cleaned = "\n".join(clean(line) for line in text.split("\n"))
    return cleaned.encode("ascii", "xmlcharrefreplace").decode()
