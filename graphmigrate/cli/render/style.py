"""The parts of what people read: colours where a terminal has them, tables, durations, findings with their places."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TextIO

from graphmigrate.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.errors import GraphMigrateError, Place

PLAIN_WIDTH = 160
GAP = "  "
NARROWEST = 6


class Style(NamedTuple):
    """Plain text by default; ``width`` is a terminal's columns, None where nothing may be cut."""

    color: bool = False
    width: int | None = None

    @classmethod
    def of(cls, stream: TextIO | None) -> Style:
        """Return what the stream can show; NO_COLOR (no-color.org) and a dumb terminal switch colours off."""
        if stream is None or not is_terminal(stream):
            return cls()
        color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        try:
            width = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            width = 0
        return cls(color, width or 80)

    def paint(self, text: str, names: str) -> str:
        """Return the text in these colours."""
        if not self.color or not text:
            return text
        from rich.color import ColorSystem
        from rich.style import Style as RichStyle

        return RichStyle.parse(names).render(text, color_system=ColorSystem.STANDARD)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person sees this stream as it is written."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def clean(text: str) -> str:
    """Show control characters as escapes: a file's name or a value must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == " " else each.encode("unicode_escape").decode() for each in text
    )


def clean_lines(text: str) -> str:
    """Show control characters as escapes, but for the ends of lines."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.split("\n"))


def cells(text: str) -> int:
    """Return the columns that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def shorten(text: str, width: int) -> str:
    """Cut a text to a number of columns, with an ellipsis."""
    if cells(text) <= width:
        return text
    from rich.cells import set_cell_size

    return f"{set_cell_size(text, max(0, width - 1)).rstrip()}…"


def duration(seconds: float) -> str:
    """Say how long something took, in the unit a person would use."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def count(number: int, noun: str) -> str:
    """Say ``1 seed`` or ``2 seeds``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    style: Style,
    *,
    right: Sequence[str] = (),
    colors: Sequence[Sequence[str | None]] | None = None,
) -> list[str]:
    """Lay out a table; columns named in ``right`` are aligned there, ``colors`` paints single cells on a terminal."""
    cleaned = [[clean(cell) for cell in row] for row in (headers, *rows)]
    if style.width is not None:
        return _drawn(cleaned[0], cleaned[1:], style, right, colors)
    lines: list[list[str]] = [[] for _ in cleaned]
    for column in zip(*cleaned, strict=True):
        width = max(map(cells, column))
        for line, cell in zip(lines, column, strict=True):
            room = " " * (width - cells(cell))
            line.append(room + cell if column[0] in right else cell + room)
    return [GAP.join(line).rstrip() for line in lines]


def _drawn(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    style: Style,
    right: Sequence[str],
    colors: Sequence[Sequence[str | None]] | None,
) -> list[str]:
    """Let rich draw a table in a terminal's width; the widest columns are cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        width=style.width, color_system="standard" if style.color else None, force_terminal=style.color
    )
    drawn = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    widths = [max(map(cells, column)) for column in zip(headers, *rows, strict=True)]
    while sum(widths) + len(GAP) * (len(widths) - 1) > (style.width or 0) and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    for head, width in zip(headers, widths, strict=True):
        justify = "right" if head in right else "left"
        drawn.add_column(Text(head), justify=justify, width=width, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for number, row in enumerate(rows):
        paints = colors[number] if colors else [None] * len(row)
        drawn.add_row(*(Text(cell, style=paint or "") for cell, paint in zip(row, paints, strict=True)))
    with console.capture() as captured:
        console.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]


# ---- findings: what, where with the line of source and a caret, and what to do


def problem_lines(problem: Problem, style: Style) -> list[str]:
    """Return the lines of one finding."""
    color = "yellow" if problem.severity == Severity.WARNING else "red"
    first, *more = problem.message.splitlines() or [""]
    head = style.paint(f"{problem.severity.value}[{problem.code}]:", f"bold {color}")
    lines = [f"{head} {clean(first)}", *(f"  {clean(each)}" for each in more)]
    if problem.place:
        lines += place_lines(problem.place, style)
    if problem.hint:
        first, *more = problem.hint.splitlines()
        lines.append(f"  {style.paint('hint:', 'bold')} {clean(first)}")
        lines += [f"        {clean(each)}" for each in more]
    return lines


def place_lines(place: Place, style: Style) -> list[str]:
    """Return ``--> file:line:column``, and the line of source with a caret where it is known."""
    lines = [f"  {style.paint('-->', 'blue')} {clean(str(place))}"]
    if place.source is None or not place.source.strip():
        return lines
    number = str(place.line)
    source, column = _window(place.source, place.column, (style.width or PLAIN_WIDTH) - len(number) - 5)
    before = clean(source[: column - 1])
    bar = style.paint("|", "blue")
    lines.append(f"  {number} {bar} {before}{clean(source[column - 1 :])}")
    lines.append(f"  {' ' * len(number)} {bar} {' ' * cells(before)}{style.paint('^', 'bold red')}")
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
    """Return the lines of an error and of every finding in it; one that only repeats the error is left out."""
    head = Problem(error.error_code, error.message, error.hint, error.place)
    others = [each for each in error.problems if each.message != error.message]
    return [line for each in (head, *others) for line in problem_lines(each, style)]
