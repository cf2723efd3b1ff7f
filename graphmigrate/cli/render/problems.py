"""Errors and findings as text: what, where with the line of source and a caret, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cli.render.style import Style, cells, clean
from graphmigrate.errors import Problem, Severity

if TYPE_CHECKING:
    from graphmigrate.errors import GraphMigrateError, Place

PLAIN_WIDTH = 160


def problem_lines(problem: Problem, style: Style) -> list[str]:
    """Give the lines of one finding."""
    color = "yellow" if problem.severity == Severity.WARNING else "red"
    first, *more = problem.message.splitlines() or [""]
    head = style.paint(f"{problem.severity.value}[{problem.code}]:", color, "bold")
    lines = [f"{head} {clean(first)}", *(f"  {clean(each)}" for each in more)]
    if problem.place:
        lines += place_lines(problem.place, style)
    if problem.hint:
        first, *more = problem.hint.splitlines()
        lines += [
            f"  {style.paint('hint:', 'bold')} {clean(first)}",
            *(f"        {clean(each)}" for each in more),
        ]
    return lines


def place_lines(place: Place, style: Style) -> list[str]:
    """Give ``--> file:line:column``, and the line of source with a caret where it is known."""
    lines = [f"  {style.paint('-->', 'blue')} {clean(str(place))}"]
    if place.source is None or not place.source.strip():
        return lines
    number = str(place.line)
    source, column = _window(place.source, place.column, (style.width or PLAIN_WIDTH) - len(number) - 5)
    before = clean(source[: column - 1])
    bar = style.paint("|", "blue")
    lines.append(f"  {number} {bar} {before}{clean(source[column - 1 :])}")
    lines.append(f"  {' ' * len(number)} {bar} {' ' * cells(before)}{style.paint('^', 'red', 'bold')}")
    return lines


def _window(source: str, column: int, width: int) -> tuple[str, int]:
    """Cut a long line to the part around the column."""
    source = source.replace("\t", " ").rstrip()
    column = min(max(column, 1), len(source) + 1)
    if len(source) <= width:
        return source, column
    begin = max(0, min(column - 1 - width // 2, len(source) - width))
    cut = source[begin : begin + width]
    if begin:
        cut = f"…{cut[1:]}"
    if begin + width < len(source):
        cut = f"{cut[:-1]}…"
    return cut, column - begin


def error_lines(error: GraphMigrateError, style: Style) -> list[str]:
    """Give the lines of an error and of every finding in it; one that only repeats the error is left out."""
    head = Problem(error.error_code, error.message, error.hint, error.place)
    others = [each for each in error.problems if each.message != error.message]
    lines = problem_lines(head, style)
    for each in others:
        lines += problem_lines(each, style)
    return lines
